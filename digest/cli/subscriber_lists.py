"""`digest subscriber import` and `export`: whole lists of readers, from other programs and to them."""

from __future__ import annotations

import csv
import getpass
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from digest.cli.arguments import InSegment, Slug, pairs
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.cli.progress import counting
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SubscriptionState
from digest.intake.tables import guarded
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics

if TYPE_CHECKING:
    from digest.intake.lists.outcomes import LineTold
    from digest.intake.lists.steps import Imported

app = new_app()

_TAGS_MAX = 10
"""Tags that lead nowhere, told one by one."""


@app.command(
    "import",
    epilog=examples(
        "digest subscriber import harbour-week readers.csv",
        "digest subscriber import harbour-week mailchimp.zip --tag 'Green news=climate' --dry-run",
        "digest subscriber import harbour-week people.csv --column 'E-mail=email' --topic climate",
    )
    + "\n\n\b\nA list of your own names its columns in the first line:\n"
    "  email,name,topics,language,timezone,cadence,max_items,send_at,text_only,"
    "state,since,paused_until,tags,attribute.city\n"
    "  ada@example.org,Ada Fenwick,climate;space,en,Europe/London,monthly,10,saturday 08:00,,,,,,York",
)
def import_(
    newsletter: Slug,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="CSV in UTF-8, with commas, semicolons or tabs; or the zip another program made: Mailchimp, "
            "listmonk, Ghost, Substack, beehiiv.",
        ),
    ],
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG=TOPIC", help="What a tag of the list is here; 'TAG=' leaves it out. Repeat it."
        ),
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="A topic all of them follow. Repeat it.")
    ] = None,
    tags_from: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A further column (listmonk: attribute) of tags. Repeat it."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="THEIRS=OURS", help="What a column of another name holds. Repeat it."),
    ] = None,
    program: Annotated[
        str, typer.Option("--from", metavar="PROGRAM", help="Who wrote it, where that is not found out.")
    ] = "",
    skip_wrong: Annotated[
        bool, typer.Option("--skip-wrong", help="Import the rest when lines are wrong, not nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each line; change nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write what became of each line there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add the subscribers of a list, here or from another program. Wrong lines refuse all of it.

    Nobody comes back by an import: who unsubscribed stays so, there or here, and suppressed addresses stay
    suppressed. An import mails nobody. Stopped in between, the same import goes on.
    """
    from digest.intake.lists.files import files_at, layout_named
    from digest.intake.lists.people import Terms
    from digest.intake.lists.reading import List
    from digest.intake.lists.steps import Manner, import_list

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        terms = Terms.of(
            found,
            list_topics(session, found.id),
            tags=pairs(tag, "--tag"),
            everybody=topic or (),
            tags_from=tags_from or (),
            columns=pairs(column, "--column"),
        )
    people = List(files_at(files), terms, layout_named(program) if program else None)
    with _reporting(report) as tell, counting() as bar:
        manner = Manner(skip_wrong, dry_run, tell, bar.begin, bar.step)
        done = import_list(
            runtime.engine,
            found,
            people,
            by=getpass.getuser(),
            now=runtime.clock(),
            marked=runtime.erasure_keys,
            manner=manner,
        )
    if as_json:
        show_json({**done.as_dict, "dry_run": dry_run})
        return
    _show(done, is_trial=dry_run, welcomes=found.welcome)


@app.command(
    epilog=examples(
        "digest subscriber export harbour-week --out readers.csv",
        "digest subscriber export harbour-week --state active | wc -l",
    )
)
def export(
    newsletter: Slug,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write it there, not to standard output.")
    ] = None,
    state: Annotated[
        SubscriptionState | None,
        typer.Option(metavar="STATE", help=f"Only those: one of {', '.join(SubscriptionState)}."),
    ] = None,
    segment: InSegment = "",
) -> None:
    """Write a newsletter's subscribers as CSV, as 'import' reads it and a spreadsheet opens safely."""
    from digest.intake.lists.export import export_list
    from digest.pipeline.managing import segments

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        fits = segments.fits(session, runtime, found, segment) if segment else None
    if out is None:
        export_list(runtime.engine, found.id, sys.stdout, state=state, fits=fits)
        return
    with _new_file(out, "--out") as stream:
        count = export_list(runtime.engine, found.id, stream, state=state, fits=fits)
    say(f"{out}: {counted(count, 'subscriber')}")


@contextmanager
def _reporting(report: Path | None) -> Iterator[Callable[[LineTold], object]]:
    """Give what writes a line of the report, or nothing where none is wanted."""
    if report is None:
        yield lambda _told: None
        return
    with _new_file(report, "--report") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("file", "line", "email", "outcome", "why"))
        yield lambda told: writer.writerow(_row(told))


def _row(told: LineTold) -> tuple[str, ...]:
    fields = (told.file, str(told.line), told.email, told.outcome.value, told.said)
    return tuple(guarded(field.encode("utf-8", "replace").decode()) for field in fields)


@contextmanager
def _new_file(path: Path, option: str) -> Iterator[TextIO]:
    """Give a new file that only its owner may read: it holds addresses. It goes when the command fails."""
    try:
        stream = path.open("x", encoding="utf-8", newline="")
    except OSError as exc:
        raise InvalidInput(f"{option}: {path} cannot be written: {exc.strerror or exc}") from exc
    try:
        with stream:
            path.chmod(0o600)
            yield stream
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _show(done: Imported, *, is_trial: bool, welcomes: bool) -> None:
    from digest.intake.lists.outcomes import QUIET

    for note in done.notes:
        say(note)
    if not done.counts.keys() <= QUIET:
        show_table(
            ("lines", "what would become of them" if is_trial else "what became of them"),
            [(f"{count:,}", outcome.in_words) for outcome, count in done.counts.items()],
            empty="",
        )
    if done.unknown_tags:
        _show_tags(Counter(done.unknown_tags))
    if done.without_topic:
        new = counted(done.without_topic, "new subscriber")
        say(
            f"{new} would follow no topic and get no mail: --tag leads tags to topics, --topic names some."
            if is_trial
            else f"{new} without a topic get no mail: import once more, with --tag or --topic."
        )
    unwelcomed = " Nobody is welcomed: an import mails nothing." if done.added and welcomes else ""
    say(
        f"Would add {counted(done.added, 'subscriber')}, update {done.updated:,}. Nothing was changed."
        if is_trial
        else f"Added {counted(done.added, 'subscriber')}, updated {done.updated:,}.{unwelcomed}"
    )


def _show_tags(tags: Counter[str]) -> None:
    show_table(
        ("tag", "lines"),
        [(tag, f"{count:,}") for tag, count in tags.most_common(_TAGS_MAX)],
        empty="",
        title="Tags that lead to no topic here:",
    )
    more = len(tags) - _TAGS_MAX
    rest = f"and {counted(more, 'more tag')}; " if more > 0 else ""
    first = tags.most_common(1)[0][0]
    say(f"{rest}--tag '{first}=TOPIC' leads one to a topic, --tag '{first}=' leaves it out.")
