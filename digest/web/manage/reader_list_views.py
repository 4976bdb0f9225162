"""A list of readers in words: how far it is, what becomes of its lines, which words lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.domain.reader_lists import ListStage, ReaderList
from digest.intake.lists.outcomes import Outcome
from digest.web.manage.times import told
from digest.web.words import counted


@dataclass(frozen=True, slots=True)
class TagView:
    """A word of the list, how many lines have it, and the topic it leads to: '' nowhere, '-' left out."""

    name: str
    lines: str
    to: str


@dataclass(frozen=True, slots=True)
class ListView:
    """A list. While `is_open` its part of the page asks again; `percent` is how far it is, None: unknown.

    `counts` are lines by what would become of them, or what became. `can_go_on` says that it can be brought
    in now.
    """

    id: int
    file: str
    about: str
    is_trial: bool
    is_open: bool
    standing: str
    percent: int | None
    counts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    tags: tuple[TagView, ...]
    without_topic: str
    problem: tuple[str, ...]
    program: str
    topics: tuple[str, ...]
    columns: str
    skips_wrong: bool
    can_go_on: bool
    is_done: bool


def list_view(found: ReaderList, now: datetime) -> ListView:
    """Return a list as its page shows it."""
    is_open, is_trial = found.ended_at is None, found.stage is ListStage.TRIAL
    terms, came = found.terms, found.told
    unknown = came.unknown_tags if came else {}
    led = {tag: to or "-" for tag, to in terms.tags.items()}
    new = counted(came.without_topic, "new reader") if came else ""
    return ListView(
        id=found.id,
        file=found.file,
        about=f"Uploaded by {found.asked_by} {told(found.asked_at, now)}",
        is_trial=is_trial,
        is_open=is_open,
        standing=_standing(found),
        percent=min(100, 100 * found.done // found.total) if found.total else None,
        counts=tuple((f"{count:,}", Outcome(one).in_words) for one, count in came.counts.items())
        if came
        else (),
        notes=came.notes if came else (),
        tags=(
            *(TagView(tag, counted(lines, "line"), "") for tag, lines in unknown.items()),
            *(TagView(tag, "", to) for tag, to in led.items()),
        ),
        without_topic=f"{new} would follow no topic, and get no mail." if came and came.without_topic else "",
        problem=tuple(found.problem.splitlines()),
        program=terms.program,
        topics=terms.topics,
        columns="\n".join(f"{theirs} = {ours}" for theirs, ours in terms.columns.items()),
        skips_wrong=terms.skips_wrong,
        can_go_on=not is_open and found.has_file and came is not None,
        is_done=not is_open and not is_trial and came is not None,
    )


def _standing(found: ReaderList) -> str:
    what = "tried" if found.stage is ListStage.TRIAL else "brought in"
    if found.ended_at is not None:
        if found.problem:
            return f"It could not be {what}, and nobody was stored."
        return "This is what would become of it. Nobody is stored yet." if what == "tried" else "It is in."
    if found.began_at is None:
        return "It waits for a worker, which takes it up within seconds where one runs."
    far = f"{found.done:,} of {found.total:,} lines" if found.total else f"{found.done:,} lines read"
    return f"It is being {what}: {far}."
