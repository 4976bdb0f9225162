"""Uploaded lists without somebody who is erased: looked through first, then written as they were found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from digest.store.list_lines import without_lines
from digest.store.mentions import Mentions
from digest.store.reader_lists import ReaderListRow


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left of a file, None for nothing; a file that loses nothing is not held."""

    has_changed: bool
    octets: bytes | None = None

    @classmethod
    def of(cls, packed: bytes | None, file: str, mentions: Mentions) -> _Rest:
        left = without_lines(packed, file, mentions.are_in) if packed else packed
        return cls(False) if left == packed else cls(True, left)

    def instead_of(self, packed: bytes | None) -> bytes | None:
        return self.octets if self.has_changed else packed


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """What a list and its report come to without somebody, and a mark of what they were then."""

    mark: bytes
    content: _Rest
    report: _Rest


Looked = Mapping[int, LookedThrough]


def look_through(session: Session, mentions: Mentions) -> Looked:
    """Return what every list comes to without an address, by number.

    They are read one at a time, up to 64 MB each: half a second for one that does not name them, some seconds
    for one that does. So do it before anybody waits for the transaction.
    """
    columns = ReaderListRow.content, ReaderListRow.report, ReaderListRow.file
    looked: dict[int, LookedThrough] = {}
    for number in _numbers(session):
        row = session.execute(select(*columns).where(ReaderListRow.id == number)).one_or_none()
        if row is not None:
            looked[number] = _look(*row, mentions)
    return looked


def take_out_of_lists(session: Session, mentions: Mentions, looked: Looked | None = None) -> int:
    """Take the lines that name an address out of lists and reports; return of how many lists.

    Those that were not `looked` through, or have changed since, are looked through now. One that a worker is
    at begins anew without them: what that worker read of it before is not kept. What nobody can look into
    goes whole, as it may hold the address, too.
    """
    found = looked or {}
    return sum(_take_out_of(session, number, mentions, found.get(number)) for number in _numbers(session))


def _take_out_of(session: Session, number: int, mentions: Mentions, looked: LookedThrough | None) -> bool:
    row = session.scalar(select(ReaderListRow).where(ReaderListRow.id == number).with_for_update())
    if row is None:
        return False
    if looked is None or looked.mark != _mark(row.content, row.report):
        looked = _look(row.content, row.report, row.file, mentions)
    if looked.content.has_changed:
        _without_readers(row, looked.content.octets)
    stem, dot, suffix = row.file.rpartition(".")
    file = mentions.without(stem) + dot + suffix
    # Each line of a report begins with the file: where its name names them, the report goes.
    row.report = looked.report.instead_of(row.report) if file == row.file else None
    for text in (ReaderListRow.terms, ReaderListRow.told, ReaderListRow.problem):
        setattr(row, text.key, mentions.without(getattr(row, text.key).replace(row.file, file)))
    row.file = file
    session.flush()
    # The next one is as large.
    session.expunge(row)
    return looked.content.has_changed


def _look(content: bytes | None, report: bytes | None, file: str, mentions: Mentions) -> LookedThrough:
    return LookedThrough(
        _mark(content, report), _Rest.of(content, file, mentions), _Rest.of(report, "", mentions)
    )


def _mark(content: bytes | None, report: bytes | None) -> bytes:
    return b"".join(hashlib.sha256(packed or b"").digest() for packed in (content, report))


def _numbers(session: Session) -> list[int]:
    return list(session.scalars(select(ReaderListRow.id).order_by(ReaderListRow.id)))


def _without_readers(row: ReaderListRow, content: bytes | None) -> None:
    row.content, row.is_kept = content, content is not None
    if row.ended_at is not None:
        return
    row.began_at = row.lease_until = row.total = None
    row.done = row.attempts = 0
    if content is None:
        row.ended_at = row.asked_at
        row.problem = "it cannot be looked into, so it was removed when somebody was erased: upload it again"
