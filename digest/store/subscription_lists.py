"""Many subscriptions at once, in set operations: one by one, ten thousand take over a minute."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine, bindparam, delete, select, update
from sqlalchemy.orm import Session

from digest.domain.cadences import Cadence
from digest.domain.erasing import ErasureKeys
from digest.domain.errors import NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.domain.topics import TopicSlug
from digest.domain.wished import WishedHour
from digest.store.attributes import put_attributes
from digest.store.base import Base
from digest.store.bulk import analyse
from digest.store.consents import ConsentRow
from digest.store.database import insert_or_ignore, plan_by_values
from digest.store.departures import DepartureRow
from digest.store.erasures import erased_among
from digest.store.leaving import record_departures
from digest.store.newsletters import topic_ids
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow
from digest.store.suppressions import SuppressionRow

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class WantedSubscription:
    """A subscription as a list asks for it: what is None or '' stays as it is known.

    `max_items` of 0 lets a mail hold all articles. Who is new gets the `state`, as of `since`; who is new and
    paused comes back at `paused_until`. With `only_fills` what is known of somebody stays, and so do their
    topics where they follow some. What is not named of `attributes` stays.
    """

    email: str
    follows: frozenset[TopicSlug] | None = None
    name: str = ""
    language: str = ""
    timezone: str = ""
    cadence: Cadence | None = None
    max_items: int | None = None
    send_at: WishedHour | None = None
    text_only: bool | None = None
    paused_until: datetime | None = None
    state: SubscriptionState = SubscriptionState.ACTIVE
    since: datetime | None = None
    only_fills: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What the spellings of its mailbox share."""
        return email_key(self.email)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a mailbox: how it stands with the newsletter since when, None if it never did.

    `is_erased`: its owner had themselves erased, and was not here since.
    """

    state: SubscriptionState | None = None
    since: datetime | None = None
    is_suppressed: bool = False
    is_erased: bool = False


def analyse_readers(engine: Engine) -> None:
    """Have the database plan for as many readers as there are now, in the middle of a long list."""
    analyse(engine, SubscriberRow, SubscriptionRow, FollowRow, ConsentRow, DepartureRow)


def known_among(
    session: Session,
    newsletter_id: NewsletterId,
    keys: Collection[str],
    *,
    marked: ErasureKeys,
) -> dict[str, Known]:
    """Return what is known of each mailbox among `keys`, up to a page of them; of others there is nothing.

    `marked` tells who was erased.
    """
    found = {
        key: Known(SubscriptionState(state), since)
        for key, state, since in session.execute(
            select(SubscriberRow.email_key, SubscriptionRow.state, SubscriptionRow.changed_at)
            .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
            .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriberRow.email_key.in_(keys))
        )
    }
    suppressed = session.scalars(select(SuppressionRow.email_key).where(SuppressionRow.email_key.in_(keys)))
    for key in suppressed:
        found[key] = replace(found.get(key, Known()), is_suppressed=True)
    for key in erased_among(session, marked, keys):
        found[key] = replace(found.get(key, Known()), is_erased=True)
    return found


def changed_among(
    session: Session, newsletter_id: NewsletterId, ids: Collection[SubscriberId]
) -> dict[SubscriberId, datetime]:
    """Return since when each subscription of a page of subscribers is as it is."""
    rows = session.execute(
        select(SubscriptionRow.subscriber_id, SubscriptionRow.changed_at).where(
            SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id.in_(ids)
        )
    )
    return {SubscriberId(subscriber_id): since for subscriber_id, since in rows}


def unsubscribe_all(
    session: Session, newsletter_id: NewsletterId, keys: Collection[str], *, now: datetime
) -> None:
    """Unsubscribe a page of mailboxes. What they followed stays known, so that a return is one step."""
    who = select(SubscriberRow.id).where(SubscriberRow.email_key.in_(keys))
    record_departures(session, newsletter_id, who, now=now)
    session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id.in_(who))
        .values(state=SubscriptionState.UNSUBSCRIBED.value, changed_at=now, paused_until=None)
        .execution_options(synchronize_session=False)
    )


def subscribe_all(
    session: Session, newsletter_id: NewsletterId, wanted: Sequence[WantedSubscription], *, now: datetime
) -> dict[str, SubscriptionState | None]:
    """Add who is new, and update who is known; return each mailbox's state before, None if new.

    Nobody's state changes: who paused stays paused, and who unsubscribed is left alone altogether. Each
    mailbox may be in `wanted` once. Raises `NotFound` for a topic the newsletter does not have.
    """
    plan_by_values(session)
    topics = topic_ids(session, newsletter_id)
    unknown = {slug for one in wanted for slug in one.follows or ()} - topics.keys()
    if unknown:
        raise NotFound(f"no topic '{min(unknown)}'; there is: {', '.join(topics) or 'none yet'}")
    before: dict[str, SubscriptionState | None] = {}
    for first in range(0, len(wanted), _PAGE):
        before |= _subscribe_page(session, newsletter_id, wanted[first : first + _PAGE], topics, now)
    return before


def _subscribe_page(
    session: Session,
    newsletter_id: NewsletterId,
    page: Sequence[WantedSubscription],
    topics: Mapping[TopicSlug, int],
    now: datetime,
) -> dict[str, SubscriptionState | None]:
    known = _subscriber_ids(session, page, hold=True)
    _add_people(session, [one for one in page if one.key not in known], now)
    ids = _subscriber_ids(session, page)
    states = _states(session, newsletter_id, list(ids.values()))
    before = {one.key: states.get(ids[one.key]) for one in page}
    _insert(
        session,
        SubscriptionRow,
        (
            {
                "newsletter_id": newsletter_id,
                "subscriber_id": ids[one.key],
                "state": one.state.value,
                "changed_at": one.since or now,
                "joined_at": one.since or now,
                "cadence": Cadence.EVERY.value,
                "paused_until": one.paused_until if one.state is SubscriptionState.PAUSED else None,
            }
            for one in page
            if before[one.key] is None
        ),
    )
    staying = [one for one in page if before[one.key] is not SubscriptionState.UNSUBSCRIBED]
    _describe(session, [one for one in staying if one.key in known], ids)
    _pace(session, newsletter_id, [one for one in staying if _decides(one, before)], ids)
    for only_fills in (False, True):
        told = {
            SubscriberId(ids[one.key]): one.attributes
            for one in staying
            if one.attributes and one.only_fills is only_fills
        }
        put_attributes(session, newsletter_id, told, only_fills=only_fills)
    _follow(session, _followers(session, staying, ids, topics, before), ids, topics)
    return before


def _decides(one: WantedSubscription, before: Mapping[str, SubscriptionState | None]) -> bool:
    """Whether a list decides what somebody wants: those who are here have decided it themselves."""
    return not one.only_fills or before[one.key] is None


def _followers(
    session: Session,
    page: Sequence[WantedSubscription],
    ids: Mapping[str, int],
    topics: Mapping[TopicSlug, int],
    before: Mapping[str, SubscriptionState | None],
) -> list[WantedSubscription]:
    """Return those whose topics the list decides."""
    told = [one for one in page if one.follows is not None]
    asked = [ids[one.key] for one in told if not _decides(one, before)]
    following = (
        set(
            session.scalars(
                select(FollowRow.subscriber_id).where(
                    FollowRow.subscriber_id.in_(asked), FollowRow.topic_id.in_(list(topics.values()))
                )
            )
        )
        if asked
        else set()
    )
    return [one for one in told if _decides(one, before) or ids[one.key] not in following]


def _subscriber_ids(
    session: Session, page: Sequence[WantedSubscription], *, hold: bool = False
) -> dict[str, int]:
    """Return who is known, by their keys. With `hold` none of them is erased before the transaction ends."""
    query = select(SubscriberRow.email_key, SubscriberRow.id).where(
        SubscriberRow.email_key.in_([one.key for one in page])
    )
    if hold:
        # First of all and in one order, as `hold_readers` does.
        query = query.order_by(SubscriberRow.id).with_for_update(read=True, key_share=True)
    return dict(session.execute(query).all())


def _states(
    session: Session, newsletter_id: NewsletterId, ids: Sequence[int]
) -> dict[int, SubscriptionState]:
    rows = session.execute(
        select(SubscriptionRow.subscriber_id, SubscriptionRow.state).where(
            SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id.in_(ids)
        )
    )
    return {row_id: SubscriptionState(state) for row_id, state in rows}


def _add_people(session: Session, new: Sequence[WantedSubscription], now: datetime) -> None:
    _insert(
        session,
        SubscriberRow,
        (
            {
                "email": one.email,
                "email_key": one.key,
                "name": one.name,
                "language": one.language,
                "timezone": one.timezone,
                "created_at": now,
            }
            for one in new
        ),
    )


def _describe(session: Session, page: Sequence[WantedSubscription], ids: Mapping[str, int]) -> None:
    for column in (SubscriberRow.name, SubscriberRow.language, SubscriberRow.timezone):
        for only_fills in (False, True):
            told = [
                {"b_id": ids[one.key], column.key: value}
                for one in page
                if one.only_fills is only_fills and (value := getattr(one, column.key))
            ]
            statement = update(SubscriberRow).where(SubscriberRow.id == bindparam("b_id"))
            if only_fills:
                statement = statement.where(column == "")
            if told:
                session.connection().execute(statement.values({column: bindparam(column.key)}), told)


def _pace(
    session: Session,
    newsletter_id: NewsletterId,
    page: Sequence[WantedSubscription],
    ids: Mapping[str, int],
) -> None:
    """Set how often, how much, when and in which form it is wanted, where the list says so."""
    told: dict[str, list[dict[str, object]]] = {
        "cadence": [{"b_id": ids[one.key], "cadence": one.cadence.value} for one in page if one.cadence],
        "max_items": [
            {"b_id": ids[one.key], "max_items": one.max_items or None}
            for one in page
            if one.max_items is not None
        ],
        "send_at": [
            {"b_id": ids[one.key], "send_at": str(one.send_at)} for one in page if one.send_at is not None
        ],
        "text_only": [
            {"b_id": ids[one.key], "text_only": one.text_only} for one in page if one.text_only is not None
        ],
    }
    for column, rows in told.items():
        statement = update(SubscriptionRow).where(
            SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == bindparam("b_id")
        )
        if rows:
            session.connection().execute(statement.values({column: bindparam(column)}), rows)


def _follow(
    session: Session,
    page: Sequence[WantedSubscription],
    ids: Mapping[str, int],
    topics: Mapping[TopicSlug, int],
) -> None:
    who = [ids[one.key] for one in page]
    session.connection().execute(
        delete(FollowRow).where(
            FollowRow.subscriber_id.in_(who), FollowRow.topic_id.in_(list(topics.values()))
        )
    )
    _insert(
        session,
        FollowRow,
        (
            {"subscriber_id": ids[one.key], "topic_id": topics[slug]}
            for one in page
            for slug in one.follows or ()
        ),
    )


def _insert(session: Session, table: type[Base], rows: Iterator[dict[str, object]]) -> None:
    """Insert rows; what somebody else put there a moment before stays as it is."""
    if values := list(rows):
        session.connection().execute(insert_or_ignore(session, table), values)
