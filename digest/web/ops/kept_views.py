"""What is kept of people and for how long, and what is stored of one, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.pipeline.kept import KINDS
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.purges import purged_since
from digest.store.reader_data import IN_ALL
from digest.web.words import counted, day

LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KindLine:
    """Something that is kept for a term: how long, by which setting, and what went in the last 30 days."""

    what: str
    kept: str
    setting: str
    went: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored of somebody: each part with its count, and their subscriptions in a sentence each."""

    email: str
    parts: tuple[tuple[str, str], ...]
    subscriptions: tuple[str, ...]


def kinds_view(runtime: Runtime) -> tuple[KindLine, ...]:
    """Return all that is kept for a term."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        went = purged_since(session, (now - LOOK_BACK).date())
    return tuple(
        KindLine(
            one.what[:1].upper() + one.what[1:],
            one.term_in_words(runtime),
            one.setting,
            _went(*went.get(one.name, (0, None))),
        )
        for one in KINDS
    )


def _went(removed: int, ended_at: datetime | None) -> str:
    how_much = f"{counted(removed)} went in 30 days." if removed else "None went in 30 days."
    if ended_at is None:
        return f"{how_much} A worker has not come to its end yet." if removed else "No worker has looked yet."
    return f"{how_much} Last looked at on {day(ended_at.date())}, {ended_at:%H:%M} UTC."


_PARTS = {
    "reader": "as a reader: address, name, language",
    "subscriptions": "subscriptions",
    "follows": "topics followed",
    "mails": "mails",
    "letters": "letters",
    "no_mail_of": "issues that held nothing for them",
    "came_back": "reports of what came back",
    "did_not_arrive": "mails that did not arrive",
    "never_mailed": "on the list of those never mailed",
    "mailed_again": "times taken off that list",
    "sign_ups": "sign-up forms nobody looked at yet",
    "put_off_sign_ups": "sign-up forms that wait for a cap",
    "shown_to_others": "previews shown as theirs",
    "departures": "times they unsubscribed",
    "muted_topics": "topics muted",
    "single_topics": "topics they want one article of",
    "unwanted_sources": "sources they want nothing of",
    "feedback": "articles they called useful or not",
    "record": "entries of the record",
}


def found_view(data: Mapping[str, object]) -> Found:
    """Return what `address_data` tells as the page shows it."""
    parts = {
        name: rows for name, rows in data.items() if isinstance(rows, Sequence) and not isinstance(rows, str)
    }
    ties = [row for row in parts.get("subscriptions", ()) if isinstance(row, Mapping)]
    return Found(
        str(data["address"]),
        tuple(
            (_PARTS.get(name, name.replace("_", " ")), counted(_in_all(data, name, rows)))
            for name, rows in parts.items()
        ),
        tuple(f"{tie['newsletter']}: {tie['state']}" for tie in ties),
    )


def _in_all(data: Mapping[str, object], name: str, rows: Sequence[object]) -> int:
    """Return how many rows there are of a part, of which some may not be told."""
    count = data.get(f"{name}{IN_ALL}")
    return count if isinstance(count, int) else len(rows)
