"""Uploaded lists without somebody who is erased: each looked through, then written as it was found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from digest.domain.reader_lists import ReaderListId
from digest.store.list_lines import without_lines
from digest.store.mentions import Mentions
from digest.store.reader_lists import ReaderListRow

_TEXTS = ("file", "terms", "told", "problem")


@dataclass(frozen=True, slots=True)
class Whole:
    """A list with its file and report, packed, and what was said of it."""

    content: bytes | None
    report: bytes | None
    file: str
    terms: str
    told: str
    problem: str

    @property
    def mark(self) -> bytes:
        """What tells whether a list has changed since."""
        told = [self.content or b"", self.report or b"", *(getattr(self, text).encode() for text in _TEXTS)]
        return b"".join(hashlib.sha256(part).digest() for part in told)

    def without(self, who: Sequence[Mentions], columns: Collection[str]) -> Rest | None:
        """Return what a list comes to without the lines that name one of these; None for one that does not.

        `columns` are those that lists are likely to have, in small letters. Half a second for a long list
        that names nobody of them, some seconds for one that does. Raises `Unavailable` where there is no room
        to unpack it.
        """

        def names(text: str) -> bool:
            return any(mentions.are_in(text) for mentions in who)

        # As who brings the list in reads it: its own terms name columns, too.
        likely = {*columns, *(name.lower() for name in json.loads(self.terms)["columns"])}
        stem, dot, suffix = self.file.rpartition(".")
        file = _without(stem, who) + dot + suffix
        told = [_without(getattr(self, text).replace(self.file, file), who) for text in _TEXTS[1:]]
        content = self.content and without_lines(self.content, self.file, names, likely)
        # Each line of a report begins with the file: where its name names them, the report goes.
        report = self.report and (
            None if file != self.file else without_lines(self.report, "", names, columns)
        )
        rest = Whole(content, report, file, *told)
        changed = {name: getattr(rest, name) for name in Whole.__slots__}
        changed = {name: value for name, value in changed.items() if value != getattr(self, name)}
        return Rest(self.mark, changed) if changed else None


@dataclass(frozen=True, slots=True)
class Rest:
    """What a list comes to where that is something else, and the mark of what it was."""

    mark: bytes
    changed: Mapping[str, bytes | str | None]


def list_numbers(session: Session) -> tuple[ReaderListId, ...]:
    """Return all lists there are, those uploaded first before others."""
    return tuple(map(ReaderListId, session.scalars(select(ReaderListRow.id).order_by(ReaderListRow.id))))


def find_whole(session: Session, number: ReaderListId) -> Whole | None:
    """Return a list with all that it holds, up to 64 MB; None for one that went."""
    columns = (getattr(ReaderListRow, name) for name in Whole.__slots__)
    row = session.execute(select(*columns).where(ReaderListRow.id == number)).one_or_none()
    return None if row is None else Whole(*row)


def put_rest(session: Session, number: ReaderListId, rest: Rest) -> bool:
    """Write what a list comes to; False for one that went, or is not as it was looked through.

    One that a worker is at begins anew without them, also where its name or terms alone named them: what that
    worker read of it before is not kept. What nobody can look into goes whole, as it may hold the address.
    """
    row = session.scalar(select(ReaderListRow).where(ReaderListRow.id == number).with_for_update())
    if row is None or Whole(*(getattr(row, name) for name in Whole.__slots__)).mark != rest.mark:
        return False
    for name, value in rest.changed.items():
        setattr(row, name, value)
    if row.ended_at is None or "content" in rest.changed:
        _begin_anew(row)
    session.flush()
    session.expunge(row)
    return True


def _begin_anew(row: ReaderListRow) -> None:
    row.is_kept = row.content is not None
    if row.ended_at is not None:
        return
    row.began_at = row.lease_until = row.total = None
    row.done = row.attempts = 0
    if row.content is None:
        row.ended_at = row.asked_at
        row.problem = "it cannot be looked into, so it was removed when somebody was erased: upload it again"


def _without(text: str, who: Sequence[Mentions]) -> str:
    for mentions in who:
        text = mentions.without(text)
    return text
