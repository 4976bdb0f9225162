"""A newsletter's readers as CSV that a spreadsheet opens safely and `import_list` reads again."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import TextIO

from sqlalchemy import ColumnElement, Engine

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.intake.lists.own import COLUMNS
from digest.intake.lists.said import ATTRIBUTE
from digest.intake.tables import guarded
from digest.store.attributes import Attributes, attribute_keys, attributes_among
from digest.store.database import reading
from digest.store.subscription_lists import changed_among
from digest.store.subscription_pages import list_subscriptions

_PAGE = 1_000
_EXPORTED = tuple(column for column in COLUMNS if column != "tags")


def export_list(
    engine: Engine,
    newsletter_id: NewsletterId,
    stream: TextIO,
    *,
    state: SubscriptionState | None = None,
    fits: ColumnElement[bool] | None = None,
) -> int:
    """Write everybody of a newsletter in the order they came in; return how many.

    Nobody is left out or stands there twice whose address is changed meanwhile.

    With `state` those in it alone, and with `fits` those whom that condition fits. What a spreadsheet would
    take for a formula has an apostrophe before it.
    """
    writer = csv.writer(stream, lineterminator="\n")
    with reading(engine) as session:
        keys = attribute_keys(session, newsletter_id)
    writer.writerow((*_EXPORTED, *(f"{ATTRIBUTE}{key}" for key in keys)))
    count = 0
    for one, since, attributes in _everybody(engine, newsletter_id, state, fits):
        fields = (*_fields(one, since), *(attributes.get(key, "") for key in keys))
        writer.writerow([guarded(" ".join(field.split())) for field in fields])
        count += 1
    return count


def _everybody(
    engine: Engine,
    newsletter_id: NewsletterId,
    state: SubscriptionState | None,
    fits: ColumnElement[bool] | None,
) -> Iterator[tuple[Subscription, datetime, Attributes]]:
    """Yield a page at a time, each in a transaction of its own: a slow disk must not hold up the others."""
    last = 0
    while True:
        with reading(engine) as session:
            page = list_subscriptions(session, newsletter_id, limit=_PAGE, after=last, state=state, fits=fits)
            ids = [one.subscriber.id for one in page]
            changed = changed_among(session, newsletter_id, ids)
            attributes = attributes_among(session, newsletter_id, ids)
        if not page:
            return
        for one in page:
            who = one.subscriber.id
            yield one, changed[who], attributes.get(who, {})
        last = page[-1].subscriber.id


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
        one.send_at,
        "yes" if one.text_only else "",
        one.state,
        since.isoformat(),
        one.paused_until.isoformat() if one.paused_until else "",
    )
