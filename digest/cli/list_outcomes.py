"""What became of a list of readers: told on the terminal, and in a file of a line for each."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from digest.cli.output import say, show_table
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.intake.tables import guarded

if TYPE_CHECKING:
    from digest.intake.lists.outcomes import LineTold
    from digest.intake.lists.steps import Imported

_TAGS_MAX = 10
"""Tags that lead nowhere, told one by one."""


@contextmanager
def reporting(report: Path | None) -> Iterator[Callable[[LineTold], object]]:
    """Give what writes a line of the report, or nothing where none is wanted. Raises `InvalidInput`."""
    if report is None:
        yield lambda _told: None
        return
    with new_file(report, "--report") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("file", "line", "email", "outcome", "why"))
        yield lambda told: writer.writerow(_row(told))


def _row(told: LineTold) -> tuple[str, ...]:
    fields = (told.file, str(told.line), told.email, told.outcome.value, told.said)
    return tuple(guarded(field.encode("utf-8", "replace").decode()) for field in fields)


@contextmanager
def new_file(path: Path, option: str) -> Iterator[TextIO]:
    """Give a new file that only its owner may read: it holds addresses. It goes when the command fails.

    Raises `InvalidInput`, which names the option, for one that is there or cannot be.
    """
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


def show_imported(done: Imported, *, is_trial: bool, welcomes: bool) -> None:
    """Say what became of a list, or in a trial would. Who is new is not welcomed, where others are."""
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
