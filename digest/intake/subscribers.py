"""Subscribers from a CSV file: every line is checked before the first is stored."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState, email_key
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.intake.addresses import parse_address
from digest.store.database import reading, writing
from digest.store.newsletters import topic_ids
from digest.store.subscribers import find_subscription, subscribe

COLUMNS = ("email", "name", "topics", "language", "timezone")
_MANY = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: a checked address and the topics wanted."""

    line: int
    email: str
    topics: frozenset[TopicSlug]
    name: str = ""
    language: str = ""
    timezone: str = ""


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
    for line, fields in _lines(text, name):
        try:
            row = _row(line, fields, topics)
        except InvalidInput as exc:
            problems.append(f"{name} line {line}: {exc}")
            continue
        known = rows.setdefault(email_key(row.email), row)
        if known is not row:
            rows[email_key(row.email)] = replace(known, topics=known.topics | row.topics)
            notes.append(f"{name} line {line}: {row.email} is the mailbox of line {known.line}; taken as one")
    if problems:
        more = f"\n… and {len(problems) - _MANY} more lines" if len(problems) > _MANY else ""
        raise InvalidInput("\n".join(problems[:_MANY]) + more + "\nNothing was imported.")
    if not rows:
        raise InvalidInput(f"{name}: holds no subscriber; nothing was imported")
    return tuple(rows.values()), tuple(notes)


def _lines(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        _check_header(header, name)
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(header):
                raise InvalidInput(
                    f"{name} line {reader.line_num}: {len(fields)} fields where the first line names "
                    f"{len(header)} columns; nothing was imported"
                )
            yield (
                reader.line_num,
                {column: field.strip() for column, field in zip(header, fields, strict=True)},
            )
    except csv.Error as exc:
        raise InvalidInput(f"{name} line {reader.line_num}: not CSV ({exc}); nothing was imported") from exc


def _check_header(header: list[str], name: str) -> None:
    unknown = [column for column in header if column not in COLUMNS]
    if "email" not in header or unknown or len(set(header)) != len(header):
        found = ", ".join(f"'{column}'" for column in header) or "nothing"
        raise InvalidInput(
            f"{name} line 1: names the columns {found}; it must name 'email' and may name "
            f"{', '.join(repr(column) for column in COLUMNS[1:])}; nothing was imported"
        )


def _row(line: int, fields: dict[str, str], topics: Collection[TopicSlug]) -> Row:
    wanted = [slug.strip() for slug in fields.get("topics", "").split(";") if slug.strip()]
    for slug in wanted:
        if slug not in topics:
            raise InvalidInput(f"no topic '{slug}'; there is: {', '.join(topics) or 'none yet'}")
    if fields.get("timezone"):
        zone(fields["timezone"])
    return Row(
        line=line,
        email=parse_address(fields["email"]),
        topics=frozenset(map(TopicSlug, wanted)),
        name=fields.get("name", "")[:200],
        language=fields.get("language", "")[:16],
        timezone=fields.get("timezone", ""),
    )


def import_subscribers(
    engine: Engine, newsletter_id: NewsletterId, text: str, *, name: str, now: datetime
) -> Imported:
    """Store the subscribers of a CSV file, all or none. Somebody who unsubscribed stays unsubscribed."""
    with reading(engine) as session:
        topics = tuple(topic_ids(session, newsletter_id))
    rows, merged = read_subscribers(text, name=name, topics=topics)
    notes, added, updated = list(merged), 0, 0
    with writing(engine) as session:
        for row in rows:
            known = find_subscription(session, newsletter_id, row.email)
            if known is not None and known.state is SubscriptionState.UNSUBSCRIBED:
                notes.append(f"{name} line {row.line}: {row.email} unsubscribed and stays so")
                continue
            subscribe(
                session,
                newsletter_id,
                email=row.email,
                follows=row.topics,
                name=row.name,
                language=row.language,
                timezone=row.timezone,
                now=now,
            )
            added += known is None
            updated += known is not None
    return Imported(added, updated, tuple(notes))
