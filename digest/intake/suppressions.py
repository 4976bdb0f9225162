"""The suppression list as a CSV file, in and out, however long it is: a line at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from sqlalchemy import Engine

from digest.domain.erasing import ErasureKeys
from digest.domain.errors import InvalidInput
from digest.domain.subscribers import email_key
from digest.domain.suppressions import Suppression, SuppressionReason
from digest.intake.addresses import parse_address
from digest.intake.lists.files import ListFile
from digest.intake.moments import parse_moment
from digest.intake.tables import guarded, open_table, refuse_lines, unguarded
from digest.store.database import reading, writing
from digest.store.erasures import erased_among
from digest.store.reader_locks import hold_marks
from digest.store.suppressions import PAGE, every_suppression, suppress_all

COLUMNS = ("email", "reason", "detail", "since", "by")

_DETAIL_MAX, _BY_MAX = 2_000, 200
_PROBLEMS_MAX = 1_000
"""So many wrong lines are counted; a file that is no list of addresses is not read to its end."""


@dataclass(frozen=True, slots=True)
class ImportedSuppressions:
    """What an import did: how many addresses are new on the list, and how many were there."""

    added: int
    known: int
    notes: tuple[str, ...]


def import_suppressions(
    engine: Engine, file: Path | ListFile, *, by: str, now: datetime, marked: ErasureKeys | None = None
) -> ImportedSuppressions:
    """Put the addresses of a CSV file on the list. What is there stays as it is, with its own reason.

    So do those who were erased, as `marked` tells: they are never mailed, and their address is not kept.

    Every line is checked before the first is stored; then they are stored a page at a time, so that no worker
    waits for all of them. Stopped in between, the same import goes on. Raises `InvalidInput` with every wrong
    line, up to ten.
    """
    notes = _check(file, by=by, now=now)
    added = total = 0
    with _opened(file) as stream:
        rows = (one for _, one in _rows(stream, file.name, by=by, now=now) if isinstance(one, Suppression))
        while page := tuple(islice(rows, PAGE)):
            # One mailbox may be there in two spellings, and one statement must not meet it twice.
            wanted = {one.email: one for one in reversed(page)}
            with writing(engine) as session:
                hold_marks(session)
                erased = erased_among(session, marked, list(wanted)) if marked else frozenset()
                added += suppress_all(session, [one for key, one in wanted.items() if key not in erased])
            total += len(page)
    return ImportedSuppressions(added, total - added, notes)


def export_suppressions(engine: Engine, stream: TextIO) -> int:
    """Write the whole list as CSV that `import_suppressions` reads; return how many addresses it holds.

    What a spreadsheet would take for a formula has an apostrophe before it.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    with reading(engine) as session:
        for one in every_suppression(session):
            fields = (one.email, one.reason, one.detail, one.since.isoformat(), one.by)
            writer.writerow([guarded(" ".join(field.split())) for field in fields])
            count += 1
    return count


def _check(file: Path | ListFile, *, by: str, now: datetime) -> tuple[str, ...]:
    problems: list[str] = []
    count = 0
    with _opened(file) as stream:
        notes = open_table(stream, name=file.name, columns=COLUMNS).notes
        stream.seek(0)
        for line, one in _rows(stream, file.name, by=by, now=now):
            count += 1
            if isinstance(one, InvalidInput):
                problems.append(f"{file.name} line {line}: {one}")
            if len(problems) >= _PROBLEMS_MAX:
                break
    refuse_lines(problems)
    if not count:
        raise InvalidInput(f"{file.name}: holds no address; nothing was imported")
    return notes


@contextmanager
def _opened(file: Path | ListFile) -> Iterator[TextIO]:
    if isinstance(file, ListFile):
        with file.open() as stream:
            yield stream
        return
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as exc:
        raise InvalidInput(f"{file} cannot be read: {exc.strerror or exc}. Nothing was changed.") from exc
    except UnicodeDecodeError as exc:
        raise InvalidInput(
            f"{file} holds the byte 0x{exc.object[exc.start]:02x} where UTF-8 has none; save it as UTF-8 "
            "and try again. Nothing was imported."
        ) from exc


def _rows(
    stream: TextIO, name: str, *, by: str, now: datetime
) -> Iterator[tuple[int, Suppression | InvalidInput]]:
    """Yield each line's number and what it asks for, or what is wrong with it."""
    table = open_table(stream, name=name, columns=COLUMNS)
    for line, values in table.lines:
        try:
            fields = table.fields([unguarded(value) for value in values])
            yield line, _wanted(fields, by=by, now=now)
        except InvalidInput as exc:
            yield line, exc


def _wanted(fields: Mapping[str, str], *, by: str, now: datetime) -> Suppression:
    return Suppression(
        email=email_key(parse_address(fields["email"])),
        reason=_reason(fields.get("reason", "")),
        detail=fields.get("detail", "")[:_DETAIL_MAX],
        since=parse_moment(fields["since"], now=now) if fields.get("since") else now,
        by=(fields.get("by", "") or by)[:_BY_MAX],
    )


def _reason(field: str) -> SuppressionReason:
    try:
        return SuppressionReason(field or SuppressionReason.IMPORTED)
    except ValueError:
        known = ", ".join(SuppressionReason)
        raise InvalidInput(f"'{field[:80]}' is no reason; there is: {known}, or leave it empty") from None
