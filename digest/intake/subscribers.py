"""Subscribers from a CSV file: every line is checked before the first is stored."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

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
    """Return the rows of a CSV file, one for each mailbox, and notes about lines that were merged.

    The first line names the columns: `email`, and if wanted `name`, `topics` (slugs with `;` between),
    `language`, `timezone`. Raises `InvalidInput` with every wrong line of the file `name`, up to ten.
    """
    problems: list[str] = []
    rows: dict[str, Row] = {}
    notes: list[str] = []
    header, lines = _table(text, name)
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
        more = f"\n… and {len(problems) - _MANY} more lines" if len(problems) > _MANY else ""
        raise InvalidInput("\n".join(problems[:_MANY]) + more + "\nNothing was imported.")
    if not rows:
        raise InvalidInput(f"{name}: holds no subscriber; nothing was imported")
    return tuple(rows.values()), tuple(notes)


def _table(text: str, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the column names, and the lines that hold something with their numbers."""
    # Not splitlines, which also takes a vertical tab or U+2028 inside a name for the end of the line.
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)

    def lines() -> Iterator[tuple[int, list[str]]]:
        try:
            for fields in reader:
                yield reader.line_num, [" ".join(field.split()) for field in fields]
        except csv.Error as exc:
            raise InvalidInput(
                f"{name} line {reader.line_num}: not CSV ({exc}); nothing was imported"
            ) from exc

    rows = lines()
    _, names = next(rows, (0, []))
    header = [column.lower() for column in names]
    _check_header(header, name)
    return header, ((line, fields) for line, fields in rows if any(fields))


def _check_header(header: list[str], name: str) -> None:
    unknown = [column for column in header if column not in COLUMNS]
    if "email" not in header or unknown or len(set(header)) != len(header):
        found = ", ".join(f"'{column}'" for column in header) or "nothing"
        raise InvalidInput(
            f"{name} line 1: names the columns {found}; it must name 'email' and may name "
            f"{', '.join(repr(column) for column in COLUMNS[1:])}; nothing was imported"
        )


def _wanted(header: list[str], values: list[str], topics: Collection[TopicSlug]) -> WantedSubscription:
    if len(values) != len(header):
        count = f"{len(values)} field{'' if len(values) == 1 else 's'}"
        raise InvalidInput(f"{count} where the first line names {len(header)} columns")
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
    slugs = [slug.strip() for slug in field.split(";") if slug.strip()]
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
