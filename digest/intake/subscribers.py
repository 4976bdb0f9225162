"""Subscribers from a CSV file: every line is checked before the first is stored."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.intake.addresses import parse_address
from digest.store.database import reading, writing
from digest.store.newsletters import topic_ids
from digest.store.subscription_lists import WantedSubscription, subscribe_all

COLUMNS = ("email", "name", "topics", "language", "timezone")
_MANY = 10
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What may separate fields, the usual first: spreadsheets of half the world write semicolons."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: a checked subscription."""

    line: int
    wanted: WantedSubscription


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `notes` are sentences about single lines that were not simply added."""

    added: int
    updated: int
    notes: tuple[str, ...]


def read_subscribers(
    text: str, *, name: str, topics: Collection[TopicSlug]
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Return the rows of a CSV file, one for each mailbox, and notes about how it was read.

    The first line names the columns: `email`, and if wanted `name`, `topics` (slugs with `;` or `,` between),
    `language`, `timezone`. It also decides whether commas, semicolons or tabs separate fields; a note tells
    when it is not commas, another of each line that was merged with an earlier one. Raises `InvalidInput`
    with every wrong line of the file `name`, up to ten.
    """
    problems: list[str] = []
    rows: dict[str, Row] = {}
    delimiter = _delimiter_of(text)
    notes = [] if delimiter == "," else [f"{name}: read with {_DELIMITERS[delimiter]} between its fields"]
    header, lines = _table(text, name, delimiter)
    for line, fields in lines:
        try:
            row = Row(line, _wanted(header, fields, topics))
        except InvalidInput as exc:
            problems.append(f"{name} line {line}: {exc}")
            continue
        known = rows.setdefault(row.wanted.key, row)
        if known is not row:
            rows[row.wanted.key] = Row(known.line, _merged(known.wanted, row.wanted))
            told = f"{row.wanted.email} is the mailbox of line {known.line}; taken as one"
            notes.append(f"{name} line {line}: {told}")
    if problems:
        rest = len(problems) - _MANY
        more = f"\n… and {counted(rest, 'more line')}" if rest > 0 else ""
        raise InvalidInput("\n".join(problems[:_MANY]) + more + "\nNothing was imported.")
    if not rows:
        raise InvalidInput(f"{name}: holds no subscriber; nothing was imported")
    return tuple(rows.values()), tuple(notes)


def _delimiter_of(text: str) -> str:
    """Return what separates the fields of the first line: what makes most of our columns out of it, or most
    fields. Further lines are no witness: they may hold all three.
    """
    first = text.removeprefix("\ufeff").lstrip("\r\n").partition("\n")[0]

    def likeness(delimiter: str) -> tuple[int, int]:
        fields = [field.strip(' \t\r"').lower() for field in first.split(delimiter)]
        return sum(field in COLUMNS for field in fields), len(fields)

    return max(_DELIMITERS, key=likeness)


def _table(text: str, name: str, delimiter: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the column names, and the lines that hold something with their numbers."""
    # Not splitlines, which also takes a vertical tab or U+2028 inside a name for the end of the line.
    stream = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)

    def lines() -> Iterator[tuple[int, list[str]]]:
        try:
            for fields in reader:
                yield reader.line_num, [" ".join(field.split()) for field in fields]
        except csv.Error as exc:
            raise InvalidInput(
                f"{name} line {reader.line_num}: not CSV ({exc}); nothing was imported"
            ) from exc

    rows = ((line, fields) for line, fields in lines() if any(fields))
    line, names = next(rows, (1, []))
    header = [column.lower() for column in names]
    _check_header(header, f"{name} line {line}")
    return header, rows


def _check_header(header: list[str], place: str) -> None:
    """Raise `InvalidInput` with what the first line looks like, and what it has to be."""
    if "email" in header and set(header) <= set(COLUMNS) and len(set(header)) == len(header):
        return
    others = ", ".join(repr(column) for column in COLUMNS[1:])
    raise InvalidInput(
        f"{place}: {_looks_like(header)}. The first line must name 'email' and may name {others}, as in "
        "'email,name,topics'; nothing was imported"
    )


def _looks_like(header: list[str]) -> str:
    if not header:
        return "the file is empty"
    found = ", ".join(f"'{column}'" for column in header)
    if any("@" in field for field in header):
        return f"{found} looks like a subscriber, and a line with the columns' names has to stand before them"
    other = next((mark for mark in "|:^" if len(header) == 1 and mark in header[0]), "")
    if other:
        return f"{found} looks like columns with '{other}' between; put commas, semicolons or tabs there"
    return f"names the columns {found}"


def _wanted(header: list[str], values: list[str], topics: Collection[TopicSlug]) -> WantedSubscription:
    if len(values) != len(header):
        found, columns = counted(len(values), "field"), counted(len(header), "column")
        hint = "; put a field that holds the separator in quotes" if len(values) > len(header) else ""
        raise InvalidInput(f"{found} where the first line names {columns}{hint}")
    if any("\0" in value for value in values):
        raise InvalidInput("holds a NUL character, which no text has")
    fields = dict(zip(header, values, strict=True))
    if fields.get("timezone"):
        zone(fields["timezone"])
    return WantedSubscription(
        email=parse_address(fields["email"]),
        follows=_follows(fields["topics"], topics) if "topics" in fields else None,
        name=fields.get("name", "")[:200],
        language=fields.get("language", "")[:16],
        timezone=fields.get("timezone", ""),
    )


def _follows(field: str, topics: Collection[TopicSlug]) -> frozenset[TopicSlug]:
    slugs = [slug.strip() for slug in field.replace(",", ";").split(";") if slug.strip()]
    for slug in slugs:
        if slug not in topics:
            raise InvalidInput(f"no topic '{slug}'; there is: {', '.join(topics) or 'none yet'}")
    return frozenset(map(TopicSlug, slugs))


def _merged(first: WantedSubscription, second: WantedSubscription) -> WantedSubscription:
    """Return one subscription to the topics of both, described as the first line does where it does."""
    return replace(
        first,
        follows=None if first.follows is None else first.follows | (second.follows or frozenset()),
        name=first.name or second.name,
        language=first.language or second.language,
        timezone=first.timezone or second.timezone,
    )


def import_subscribers(
    engine: Engine, newsletter_id: NewsletterId, text: str, *, name: str, now: datetime
) -> Imported:
    """Store the subscribers of a CSV file, all or none.

    A column that the file does not have leaves what is known as it is. An import changes nobody's state:
    who unsubscribed stays unsubscribed, who paused stays paused.
    """
    with reading(engine) as session:
        topics = tuple(topic_ids(session, newsletter_id))
    rows, merged = read_subscribers(text, name=name, topics=topics)
    with writing(engine) as session:
        before = subscribe_all(session, newsletter_id, [row.wanted for row in rows], now=now)
    gone = [row for row in rows if before[row.wanted.key] is SubscriptionState.UNSUBSCRIBED]
    added = sum(state is None for state in before.values())
    notes = (f"{name} line {row.line}: {row.wanted.email} unsubscribed and stays so" for row in gone)
    return Imported(added, len(rows) - added - len(gone), (*merged, *notes))
