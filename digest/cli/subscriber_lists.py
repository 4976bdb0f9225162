"""`digest subscriber import` and `export`: whole lists of readers, from other programs and to them."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.arguments import InSegment, Slug, pairs
from digest.cli.lazy import examples, new_app
from digest.cli.list_outcomes import new_file, reporting, show_imported
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json
from digest.cli.progress import counting
from digest.domain.counting import counted
from digest.domain.reader_lists import ListTerms
from digest.domain.subscribers import SubscriptionState
from digest.store.database import reading
from digest.store.newsletters import get_newsletter

app = new_app()


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
    from digest.intake.lists.files import files_at
    from digest.intake.lists.steps import Manner
    from digest.pipeline.bringing_in import bring_in

    terms = ListTerms(
        program=program,
        tags=pairs(tag, "--tag"),
        topics=tuple(topic or ()),
        columns=pairs(column, "--column"),
        skips_wrong=skip_wrong,
    )
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
    with reporting(report) as tell, counting() as bar:
        done = bring_in(
            runtime,
            found,
            files_at(files),
            terms,
            by=getpass.getuser(),
            manner=Manner(skip_wrong, dry_run, tell, bar.begin, bar.step),
            tags_from=tags_from or (),
        )
    if as_json:
        show_json({**done.as_dict, "dry_run": dry_run})
        return
    show_imported(done, is_trial=dry_run, welcomes=found.welcome)


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
    with new_file(out, "--out") as stream:
        count = export_list(runtime.engine, found.id, stream, state=state, fits=fits)
    say(f"{out}: {counted(count, 'subscriber')}")
