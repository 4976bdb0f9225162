"""Subscribers from a CSV file: every line is checked before the first is stored."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from digest.domain.cadences import Cadence, parse_cadence
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import MOST_ITEMS, SubscriptionState
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.intake.addresses import parse_address
from digest.intake.tables import open_table, refuse_lines
from digest.store.database import reading, writing
from digest.store.newsletters import newsletter_by_id, topic_ids
from digest.store.subscription_lists import WantedSubscription, subscribe_all

COLUMNS = ("email", "name", "topics", "language", "timezone", "cadence", "max_items")


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
    text: str,
    *,
    name: str,
    topics: Collection[TopicSlug],
    cadences: Collection[Cadence] = (Cadence.EVERY,),
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Return the rows of a CSV file, one for each mailbox, and notes about how it was read.

    The first line names the columns: `email`, and if wanted `name`, `topics` (slugs with `;` or `,` between),
    `language`, `timezone`, `cadence` (one of `cadences`), `max_items` (0: all). It also decides whether
    commas, semicolons or tabs separate fields; a note tells when it is not commas, another of each line that
    was merged with an earlier one. Raises `InvalidInput` with every wrong line of the file `name`, up to ten.
    """
    problems: list[str] = []
    rows: dict[str, Row] = {}
    # Not splitlines, which also takes a vertical tab or U+2028 inside a name for the end of the line.
    table = open_table(io.StringIO(text, newline=""), name=name, columns=COLUMNS)
    notes = list(table.notes)
    for line, fields in table.lines:
        try:
            row = Row(line, _wanted(table.fields(fields), topics, cadences))
        except InvalidInput as exc:
            problems.append(f"{name} line {line}: {exc}")
            continue
        known = rows.setdefault(row.wanted.key, row)
        if known is not row:
            rows[row.wanted.key] = Row(known.line, _merged(known.wanted, row.wanted))
            told = f"{row.wanted.email} is the mailbox of line {known.line}; taken as one"
            notes.append(f"{name} line {line}: {told}")
    refuse_lines(problems)
    if not rows:
        raise InvalidInput(f"{name}: holds no subscriber; nothing was imported")
    return tuple(rows.values()), tuple(notes)


def _wanted(
    fields: Mapping[str, str], topics: Collection[TopicSlug], cadences: Collection[Cadence]
) -> WantedSubscription:
    if fields.get("timezone"):
        zone(fields["timezone"])
    return WantedSubscription(
        email=parse_address(fields["email"]),
        follows=_follows(fields["topics"], topics) if "topics" in fields else None,
        name=fields.get("name", "")[:200],
        language=fields.get("language", "")[:16],
        timezone=fields.get("timezone", ""),
        cadence=parse_cadence(fields["cadence"], cadences) if fields.get("cadence") else None,
        max_items=_max_items(fields.get("max_items", "")),
    )


def _max_items(field: str) -> int | None:
    if not field:
        return None
    if not re.fullmatch("[0-9]{1,3}", field) or int(field) > MOST_ITEMS:
        raise InvalidInput(f"max_items '{field}' is no number from 1 to {MOST_ITEMS}, nor 0 for all articles")
    return int(field)


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
        cadence=first.cadence or second.cadence,
        max_items=second.max_items if first.max_items is None else first.max_items,
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
        cadences = newsletter_by_id(session, newsletter_id).cadences
    rows, merged = read_subscribers(text, name=name, topics=topics, cadences=cadences)
    with writing(engine) as session:
        before = subscribe_all(session, newsletter_id, [row.wanted for row in rows], now=now)
    gone = [row for row in rows if before[row.wanted.key] is SubscriptionState.UNSUBSCRIBED]
    added = sum(state is None for state in before.values())
    notes = (f"{name} line {row.line}: {row.wanted.email} unsubscribed and stays so" for row in gone)
    return Imported(added, len(rows) - added - len(gone), (*merged, *notes))
