"""What is kept for a term, and how it goes when that is over: a page in each transaction, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, delete, exists, func, inspect, or_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from digest.domain.erasing import ErasureKeys
from digest.domain.issues import IssueState
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.base import Base
from digest.store.bounces import SoftBounceRow
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import NO_ADDRESS, blank_mails, forget_reports_of
from digest.store.erasures import remember_erased
from digest.store.issues import IssueRow
from digest.store.newsletters import TopicRow
from digest.store.preview_links import PreviewLinkRow
from digest.store.purges import PurgedIssueRow, note_purged_issue
from digest.store.returned import ReturnedRow
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow

_PEOPLE_AT_ONCE = 50
"""Each of them is in a dozen tables: a page of these takes as long as one of mails."""

_OVER = (IssueState.SENT.value, IssueState.CANCELLED.value)


class Page(NamedTuple):
    """How much went, and where the next page begins after; None: nothing is left."""

    removed: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Old:
    """Rows of a table that are older than their term, by a moment of theirs and what else is asked.

    `ended` is who else goes, whatever the term.
    """

    table: type[Base]
    moment: InstrumentedAttribute[datetime]
    which: Sequence[ColumnElement[bool]] = ()
    ended: ColumnElement[bool] | None = None

    def count(self, session: Session, before: datetime) -> int:
        """Return how many there are."""
        return session.scalar(select(func.count()).where(*self._older(before))) or 0

    def remove(self, session: Session, before: datetime, most: int) -> Page:
        """Remove a page of them."""
        key = inspect(self.table).primary_key
        rows = session.execute(
            select(*key)
            .where(*self._older(before))
            .order_by(*key)
            .limit(most)
            .with_for_update(skip_locked=True)
        ).all()
        gone = delete(self.table).where(tuple_(*key).in_([tuple(row) for row in rows]))
        session.execute(gone.execution_options(synchronize_session=False))
        return Page(len(rows), 0 if len(rows) == most else None)

    def _older(self, before: datetime) -> list[ColumnElement[bool]]:
        is_older: ColumnElement[bool] = self.moment < before
        return [is_older if self.ended is None else or_(is_older, self.ended), *self.which]


def count_addressed(session: Session, before: datetime) -> int:
    """Return how many mails of issues that ended before then hold an address."""
    old = _unpurged(before).with_only_columns(IssueRow.id)
    return (
        session.scalar(select(func.count()).where(DeliveryRow.issue_id.in_(old), DeliveryRow.email != ""))
        or 0
    )


def forget_addresses(session: Session, before: datetime, after: int, most: int, *, now: datetime) -> Page:
    """Take address and servers' words out of a page of mails, of the oldest issue that has any.

    They stay as numbers: of whom, in which state, when.
    """
    issue_id = session.scalar(_unpurged(before).limit(1))
    if issue_id is None:
        return Page(0, None)
    of_it = DeliveryRow.issue_id == issue_id
    page = session.scalars(
        select(DeliveryRow.subscriber_id)
        .where(of_it, DeliveryRow.subscriber_id > after)
        .order_by(DeliveryRow.subscriber_id)
        .limit(most)
    ).all()
    removed = 0
    if page:
        between = DeliveryRow.subscriber_id.between(page[0], page[-1])
        blanked = update(DeliveryRow).where(of_it, between, DeliveryRow.email != "").values(NO_ADDRESS)
        removed = session.connection().execute(blanked).rowcount
        _forget_soft_words(session, issue_id, page[0], page[-1])
    if len(page) == most:
        return Page(removed, page[-1])
    note_purged_issue(session, issue_id, now=now)
    return Page(removed, 0)


def _forget_soft_words(session: Session, issue_id: int, first: int, last: int) -> None:
    mails = select(DeliveryRow.id).where(
        DeliveryRow.issue_id == issue_id, DeliveryRow.subscriber_id.between(first, last)
    )
    session.execute(
        update(SoftBounceRow)
        .where(SoftBounceRow.delivery_id.in_(mails), SoftBounceRow.detail != "")
        .values(detail="")
        .execution_options(synchronize_session=False)
    )


def _unpurged(before: datetime) -> Select[int]:
    is_purged = exists().where(PurgedIssueRow.issue_id == IssueRow.id)
    return (
        select(IssueRow.id)
        .where(IssueRow.state.in_(_OVER), IssueRow.ended_at < before, ~is_purged)
        .order_by(IssueRow.id)
    )


def count_reports(session: Session, before: datetime) -> int:
    """Return how many reports from before then still say whose mail came back, and with what words."""
    return session.scalar(select(func.count()).where(ReturnedRow.received_at < before, _says_whose())) or 0


def forget_reports(session: Session, before: datetime, after: int, most: int) -> Page:
    """Take reader and words out of a page of reports; they still count."""
    page = session.scalars(
        select(ReturnedRow.id)
        .where(ReturnedRow.received_at < before, _says_whose(), ReturnedRow.id > after)
        .order_by(ReturnedRow.id)
        .limit(most)
    ).all()
    forget_reports_of(session, ReturnedRow.id.in_(page))
    return Page(len(page), page[-1] if len(page) == most else None)


def _says_whose() -> ColumnElement[bool]:
    return or_(ReturnedRow.email_key != "", ReturnedRow.detail != "")


def count_unconfirmed(session: Session, before: datetime) -> int:
    """Return how many subscriptions wait since before then to be confirmed."""
    return session.scalar(select(func.count()).where(*_unconfirmed(before))) or 0


def forget_unconfirmed(session: Session, before: datetime, most: int) -> Page:
    """Remove a page of sign-ups that nobody confirmed; and who has no other subscription, whole.

    They never read anything, so nothing is remembered of them.
    """
    most = min(most, _PEOPLE_AT_ONCE)
    # The person first, as whoever confirms or leaves has it. Who does something at this moment is let be, and
    # who subscribes to another newsletter was here before the look below.
    people = session.scalars(
        select(SubscriberRow.id)
        .where(
            SubscriberRow.id.in_(select(SubscriptionRow.subscriber_id).where(*_unconfirmed(before))),
        )
        .order_by(SubscriberRow.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    page = session.execute(
        select(SubscriptionRow.newsletter_id, SubscriptionRow.subscriber_id)
        .where(*_unconfirmed(before), SubscriptionRow.subscriber_id.in_(people))
        .order_by(SubscriptionRow.subscriber_id, SubscriptionRow.newsletter_id)
        .with_for_update()
    ).all()
    for newsletter_id, subscriber_id in page:
        topics = select(TopicRow.id).where(TopicRow.newsletter_id == newsletter_id)
        session.execute(
            delete(FollowRow)
            .where(FollowRow.subscriber_id == subscriber_id, FollowRow.topic_id.in_(topics))
            .execution_options(synchronize_session=False)
        )
        this = SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == subscriber_id
        session.execute(delete(SubscriptionRow).where(*this))
        other = exists().where(SubscriptionRow.subscriber_id == SubscriberRow.id)
        whole = delete(SubscriberRow).where(SubscriberRow.id == subscriber_id, ~other)
        session.execute(whole.execution_options(synchronize_session=False))
    return Page(len(page), 0 if len(people) == most else None)


def _unconfirmed(before: datetime) -> list[ColumnElement[bool]]:
    return [SubscriptionRow.state == SubscriptionState.PENDING.value, SubscriptionRow.changed_at < before]


def count_left(session: Session, before: datetime) -> int:
    """Return how many people have unsubscribed from everything before then."""
    return session.scalar(select(func.count()).select_from(_left(before).subquery())) or 0


def forget_left(
    session: Session, before: datetime, after: int, most: int, *, keys: ErasureKeys, now: datetime
) -> Page:
    """Remove a page of people who left everything, and keep their marks, so that no list brings them back.

    What people wrote about them has a term of its own; suppressions stay.
    """
    most = min(most, _PEOPLE_AT_ONCE)
    page = session.execute(_left(before).where(SubscriberRow.id > after).limit(most)).all()
    for subscriber_id, email in _still_gone(session, before, [row.id for row in page]):
        mails = select(DeliveryRow.id).where(DeliveryRow.subscriber_id == subscriber_id)
        session.execute(
            update(SoftBounceRow)
            .where(SoftBounceRow.delivery_id.in_(mails))
            .values(detail="")
            .execution_options(synchronize_session=False)
        )
        forget_reports_of(session, ReturnedRow.delivery_id.in_(mails))
        blank_mails(session, SubscriberId(subscriber_id))
        session.execute(delete(PreviewLinkRow).where(PreviewLinkRow.subscriber_id == subscriber_id))
        session.execute(delete(SubscriberRow).where(SubscriberRow.id == subscriber_id))
        remember_erased(session, keys, email, now=now)
    return Page(len(page), page[-1].id if len(page) == most else None)


def _still_gone(session: Session, before: datetime, page: Sequence[int]) -> Sequence[tuple[int, str]]:
    """Return those of a page who did not come back since it was read: from now on none can.

    In the order of who is erased: the person, then what they subscribe to.
    """
    of_page = SubscriberRow.id.in_(page)
    session.execute(select(SubscriberRow.id).where(of_page).order_by(SubscriberRow.id).with_for_update())
    session.execute(
        select(SubscriptionRow.newsletter_id)
        .where(SubscriptionRow.subscriber_id.in_(page))
        .order_by(SubscriptionRow.subscriber_id, SubscriptionRow.newsletter_id)
        .with_for_update()
    )
    return [(row.id, row.email) for row in session.execute(_left(before).where(of_page))]


def _left(before: datetime) -> Select[int, str]:
    is_here = exists().where(
        SubscriptionRow.subscriber_id == SubscriberRow.id,
        or_(
            SubscriptionRow.state != SubscriptionState.UNSUBSCRIBED.value,
            SubscriptionRow.changed_at >= before,
        ),
    )
    return (
        select(SubscriberRow.id, SubscriberRow.email)
        .where(SubscriberRow.created_at < before, ~is_here)
        .order_by(SubscriberRow.id)
    )
