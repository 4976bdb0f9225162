"""What refusals do to readers: who is suppressed, and who is paused after three issues in a row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Row, Text, exists, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.bounces import SOFT_ISSUES_MAX, Meaning, meaning_of_outcome
from digest.domain.deliveries import Claim, DeliveryId, DeliveryState, Outcome
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.domain.suppressions import SuppressionReason
from digest.store.base import Base, BigId, storable
from digest.store.database import insert_or_ignore
from digest.store.deliveries import DeliveryRow, cancel_for_subscriber
from digest.store.issues import IssueRow
from digest.store.subscribers import SubscriptionRow, set_subscription_state
from digest.store.suppressions import suppress

_ISSUES_BACK = 50
"""How many of a reader's last issues are looked at for a run: a report comes back within days."""

_NOT_GONE_OUT = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.CANCELLED})


class SoftBounceRow(Base):
    """A delivery that did not arrive, though the next may. However many reports say so, it counts once."""

    __tablename__ = "soft_bounces"

    delivery_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


def record_refusals(session: Session, settled: Sequence[tuple[Claim, Outcome]], *, now: datetime) -> None:
    """Suppress the addresses that servers said are not there, and count issues that did not arrive.

    For results that are settled in this transaction already.
    """
    meanings = [(meaning_of_outcome(outcome), claim, outcome) for claim, outcome in settled]
    gone = [(claim, outcome) for meaning, claim, outcome in meanings if meaning is Meaning.GONE]
    # In one order everywhere: two workers that each wait for the other's address would wait for ever.
    for claim, outcome in sorted(gone, key=lambda one: email_key(one[0].email)):
        suppress_bounced(session, claim.email, outcome.text, delivery_id=claim.id, now=now)
    for meaning, claim, outcome in meanings:
        if meaning is Meaning.SOFT:
            # Not waiting for whoever changes the subscription: they may wait for what is settled here.
            count_soft_bounce(session, claim.id, detail=outcome.text, now=now, skip_locked=True)


def suppress_bounced(
    session: Session,
    email: str,
    detail: str,
    *,
    now: datetime,
    delivery_id: DeliveryId | None = None,
    reason: SuppressionReason = SuppressionReason.HARD_BOUNCE,
) -> bool:
    """Never mail an address again, because of what was said of a delivery; return whether that is new.

    Not where its reader was erased meanwhile: nothing of them is stored again.
    """
    delivery = session.execute(
        select(DeliveryRow.issue_id, DeliveryRow.email).where(DeliveryRow.id == (delivery_id or 0))
    ).one_or_none()
    if delivery is not None and not delivery.email:
        return False
    issue_id = None if delivery is None else delivery.issue_id
    return suppress(session, email, reason=reason, detail=detail, now=now, issue_id=issue_id)


def count_soft_bounce(
    session: Session, delivery_id: DeliveryId, *, detail: str, now: datetime, skip_locked: bool = False
) -> bool | None:
    """Count an issue that did not arrive; return whether it was the one that paused the subscription.

    None when it was counted before, never went out, or its reader was erased. `skip_locked` leaves the
    pausing to the next one when somebody is changing the subscription at this moment.
    """
    delivery = _find_delivery(session, delivery_id)
    if delivery is None or delivery.state in _NOT_GONE_OUT:
        return None
    row = {"delivery_id": delivery_id, "detail": storable(detail), "at": now}
    added = insert_or_ignore(session, SoftBounceRow, [row]).returning(SoftBounceRow.delivery_id)
    if session.scalar(added) is None:
        return None
    newsletter_id = NewsletterId(delivery.newsletter_id)
    subscriber_id = SubscriberId(delivery.subscriber_id)
    since = _active_since(session, newsletter_id, subscriber_id, skip_locked=skip_locked)
    if since is None or _run_of(session, delivery, since=since) < SOFT_ISSUES_MAX:
        return False
    active = (SubscriptionState.ACTIVE,)
    set_subscription_state(
        session, newsletter_id, subscriber_id, SubscriptionState.PAUSED, only_from=active, now=now
    )
    cancel_for_subscriber(session, newsletter_id, subscriber_id)
    return True


def soft_bounces_in_a_row(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> int:
    """Return how many of a reader's last issues, up to the newest, did not arrive."""
    run = 0
    for _, is_soft in _went_out(session, newsletter_id, subscriber_id, since=None):
        if not is_soft:
            break
        run += 1
    return run


def _find_delivery(session: Session, delivery_id: DeliveryId) -> Row[int, str, int, int] | None:
    return session.execute(
        select(DeliveryRow.id, DeliveryRow.state, DeliveryRow.subscriber_id, IssueRow.newsletter_id)
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.email != "")
    ).one_or_none()


def _active_since(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, skip_locked: bool
) -> datetime | None:
    """Return since when a subscription is active, None when it is not. Locked until the end.

    So of two reports at the same moment the second counts the first.
    """
    return session.scalar(
        select(SubscriptionRow.changed_at)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id,
            SubscriptionRow.subscriber_id == subscriber_id,
            SubscriptionRow.state == SubscriptionState.ACTIVE,
        )
        .with_for_update(skip_locked=skip_locked)
    )


def _run_of(session: Session, delivery: Row[int, str, int, int], *, since: datetime) -> int:
    """Return how many issues in a row, this one among them, did not arrive.

    Reports come days later and in any order, so the run need not end with the newest issue. One that arrived
    in between ends it, and so does a return of the reader: what was before it is forgotten.
    """
    run, has_it = 0, False
    went_out = _went_out(
        session, NewsletterId(delivery.newsletter_id), SubscriberId(delivery.subscriber_id), since=since
    )
    for number, is_soft in went_out:
        if is_soft:
            run, has_it = run + 1, has_it or number == delivery.id
        elif has_it:
            break
        else:
            run = 0
    return run if has_it else 0


def _went_out(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, since: datetime | None
) -> list[tuple[int, bool]]:
    """Return a reader's last deliveries that a server took or that came back soft, newest first.

    One that failed for another reason, as for ours, says nothing about the mailbox: it is left out.
    """
    is_soft = exists().where(SoftBounceRow.delivery_id == DeliveryRow.id)
    taken = (DeliveryState.ACCEPTED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
    query = (
        select(DeliveryRow.id, is_soft)
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(
            DeliveryRow.subscriber_id == subscriber_id,
            IssueRow.newsletter_id == newsletter_id,
            or_(DeliveryRow.state.in_(taken), is_soft),
        )
        .order_by(DeliveryRow.id.desc())
        .limit(_ISSUES_BACK)
    )
    if since is not None:
        query = query.where(DeliveryRow.created_at >= since)
    return [(number, bool(soft)) for number, soft in session.execute(query)]
