"""A newsletter's readers as CSV that a spreadsheet opens safely and `import_list` reads again."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import TextIO

from sqlalchemy import Engine

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.intake.lists.own import COLUMNS
from digest.intake.tables import guarded
from digest.store.database import reading
from digest.store.subscribers import list_subscriptions
from digest.store.subscription_lists import changed_among

_PAGE = 1_000
_EXPORTED = tuple(column for column in COLUMNS if column != "tags")


def export_list(
    engine: Engine, newsletter_id: NewsletterId, stream: TextIO, *, state: SubscriptionState | None = None
) -> int:
    """Write everybody of a newsletter by address, those in `state` alone where it is given; return how many.

    What a spreadsheet would take for a formula has an apostrophe before it.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_EXPORTED)
    count = 0
    for one, since in _everybody(engine, newsletter_id, state):
        writer.writerow([guarded(" ".join(field.split())) for field in _fields(one, since)])
        count += 1
    return count


def _everybody(
    engine: Engine, newsletter_id: NewsletterId, state: SubscriptionState | None
) -> Iterator[tuple[Subscription, datetime]]:
    """Yield a page at a time, each in a transaction of its own: a slow disk must not hold up the others."""
    last = ""
    while True:
        with reading(engine) as session:
            page = list_subscriptions(session, newsletter_id, limit=_PAGE, after=last, state=state)
            changed = changed_among(session, newsletter_id, [one.subscriber.id for one in page])
        if not page:
            return
        yield from ((one, changed[one.subscriber.id]) for one in page)
        last = page[-1].subscriber.email


def _fields(one: Subscription, since: datetime) -> tuple[str, ...]:
    who = one.subscriber
    return (
        who.email,
        who.name,
        ";".join(sorted(one.follows)),
        who.language,
        who.timezone,
        one.cadence,
        str(one.max_items or ""),
        one.state,
        since.isoformat(),
    )
