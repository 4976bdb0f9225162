"""An issue and its audience to deliveries, in the one transaction that starts the send."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.address.decide import ItemReason, followed, item_reasons, skip_reason
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Edition, Issue, IssueId, IssueState, Outline, edition_for
from digest.domain.subscribers import SkipReason, SubscriberId, Subscription, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.audiences import PAGE, Reader, add_edition, add_skips, audience, find_skip
from digest.store.database import reading, writing
from digest.store.deliveries import NewDelivery, add_deliveries, edition_key_of, find_delivery
from digest.store.issues import change_issue, get_issue
from digest.store.newsletters import list_topics, newsletter_by_id, topic_ids
from digest.store.remakes import already_reached
from digest.store.revisions import get_outline, get_rendered
from digest.store.subscribers import get_subscription, is_suppressed


@dataclass(slots=True)
class Addressed:
    """What addressing an issue came to: deliveries, different editions, and readers skipped by reason."""

    deliveries: int = 0
    editions: int = 0
    skipped: dict[SkipReason, int] = field(default_factory=dict)


def address_issue(engine: Engine, issue_id: IssueId, *, now: datetime) -> Addressed:
    """Start sending an approved issue: one delivery for each reader it has something for.

    All or nothing: the audience is the one of this moment, and a crash in the middle leaves the issue
    approved. Raises `Conflict` when the issue is in any other state, so of two who start it one does.
    """
    with writing(engine) as session:
        issue = change_issue(session, issue_id, IssueState.SENDING, now=now, only_from=(IssueState.APPROVED,))
        return _Addressing(session, issue, now).run()


class _Addressing:
    """One issue's addressing: reads the audience in pages and writes each page before the next."""

    def __init__(self, session: Session, issue: Issue, now: datetime) -> None:
        self._session = session
        self._issue = issue
        self._now = now
        self._outline = get_outline(session, issue)
        self._topics = topic_ids(session, issue.newsletter_id)
        sender = newsletter_by_id(session, issue.newsletter_id).sender_email
        # The nonce keeps two installations with one sender domain from writing the same Message-ID.
        self._message_id = f"<{issue.id}.{{}}.{secrets.token_hex(6)}@{sender.rpartition('@')[2]}>"
        # A million readers follow 160,000 mixes of topics but see 30,000 editions: kept is a number for each
        # mix, and a key for each edition.
        self._edition_of: dict[int, int | SkipReason] = {}
        self._edition_ids: dict[str, int] = {}
        self._result = Addressed()
        reached = already_reached(session, issue)
        self._reached = frozenset() if reached is None else frozenset(session.scalars(reached))

    def run(self) -> Addressed:
        page: list[Reader] = []
        for reader in audience(self._session, self._issue.newsletter_id, self._topics):
            page.append(reader)
            if len(page) == PAGE:
                self._write(page)
                page = []
        self._write(page)
        self._result.editions = len(self._edition_ids)
        return self._result

    def _write(self, page: Sequence[Reader]) -> None:
        deliveries: list[NewDelivery] = []
        skips: list[tuple[SubscriberId, SkipReason]] = []
        for reader in page:
            edition = self._edition_for(reader)
            if isinstance(edition, SkipReason):
                skips.append((reader.subscriber_id, edition))
                self._result.skipped[edition] = self._result.skipped.get(edition, 0) + 1
            else:
                deliveries.append(self._delivery(reader, edition))
        self._result.deliveries += len(deliveries)
        add_deliveries(self._session, self._issue.id, deliveries, now=self._now)
        add_skips(self._session, self._issue.id, skips)

    def _edition_for(self, reader: Reader) -> int | SkipReason:
        """Return the row id of a reader's edition, or why they get none."""
        if reader.is_suppressed:
            return SkipReason.SUPPRESSED
        if reader.is_paused:
            return SkipReason.PAUSED
        if reader.subscriber_id in self._reached:
            return SkipReason.ALREADY_SENT
        if reader.follows not in self._edition_of:
            self._edition_of[reader.follows] = self._edition_or_reason(reader.follows)
        return self._edition_of[reader.follows]

    def _edition_or_reason(self, mask: int) -> int | SkipReason:
        follows = followed(mask, self._topics)
        edition = edition_for(self._outline, follows)
        reason = skip_reason(follows, edition, is_paused=False, is_suppressed=False)
        if reason is not None:
            return reason
        if edition.key not in self._edition_ids:
            self._edition_ids[edition.key] = add_edition(self._session, self._issue.id, edition.key)
        return self._edition_ids[edition.key]

    def _delivery(self, reader: Reader, edition_id: int) -> NewDelivery:
        return NewDelivery(
            reader.subscriber_id,
            reader.email,
            reader.email_key,
            self._message_id.format(reader.subscriber_id),
            edition_id,
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a reader gets what they get of an issue.

    `verdict` is one sentence. `follows` are the short names of what they follow now, `follows_names` what
    readers see these topics called. `delivery` is the state of their delivery, None while there is none.
    """

    email: str
    issue_id: IssueId
    verdict: str
    follows: tuple[TopicSlug, ...]
    follows_names: tuple[str, ...]
    items: tuple[ItemReason, ...]
    delivery: DeliveryState | None
    issue_state: IssueState


@dataclass(frozen=True, slots=True)
class Told:
    """What an issue tells: which topics each of its items belongs to, and the items' titles."""

    outline: Outline
    titles: tuple[str, ...]


def explain(engine: Engine, issue_id: int, email: str, *, told: Told | None = None) -> Explanation:
    """Say why `email` gets, or does not get, each item of an issue.

    `told` is what a draft would tell; without it what the approval froze counts. Once the issue was
    addressed, what was decided then counts, not what they follow now. Raises `NotFound` for an unknown issue
    or reader, `Conflict` without `told` for an issue that was never approved.
    """
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
        subscription = get_subscription(session, issue.newsletter_id, email)
        told = told or Told(get_outline(session, issue), get_rendered(session, issue).titles)
        names = {topic.slug: topic.name for topic in list_topics(session, issue.newsletter_id)}
        delivery = find_delivery(session, issue.id, subscription.subscriber.id)
        if delivery is None:
            edition = edition_for(told.outline, subscription.follows)
            verdict, withheld = _without_delivery(session, issue, subscription, edition)
        else:
            edition = Edition.from_key(edition_key_of(session, delivery))
            verdict = _DELIVERY_WORDS[DeliveryState(delivery.state)]
            withheld = _NEVER_ARRIVED.get(DeliveryState(delivery.state), "")
        return Explanation(
            email=subscription.subscriber.email,
            issue_id=issue.id,
            verdict=verdict,
            follows=tuple(topic for topic in names if topic in subscription.follows),
            follows_names=tuple(name for topic, name in names.items() if topic in subscription.follows),
            items=item_reasons(told.outline, told.titles, edition, names, withheld=withheld),
            delivery=None if delivery is None else DeliveryState(delivery.state),
            issue_state=issue.state,
        )


_DELIVERY_WORDS = {
    DeliveryState.PENDING: "gets this issue: waiting to be sent",
    DeliveryState.CLAIMED: "gets this issue: being sent now",
    DeliveryState.SENDING: "gets this issue: being sent now",
    DeliveryState.ACCEPTED: "got this issue: the mail server accepted it",
    DeliveryState.FAILED: "did not get this issue: the mail server refused it",
    DeliveryState.UNKNOWN: "may have got this issue: the mail server never answered; reconcile it",
    DeliveryState.CANCELLED: "does not get this issue: cancelled before it was sent",
}


_NEVER_ARRIVED = {
    DeliveryState.FAILED: "the mail server refused the mail",
    DeliveryState.CANCELLED: "the mail was cancelled",
}


def _without_delivery(
    session: Session, issue: Issue, subscription: Subscription, edition: Edition
) -> tuple[str, str]:
    """Return the verdict on a reader without a delivery, and why they miss even what they follow."""
    skip = find_skip(session, issue.id, subscription.subscriber.id)
    if skip is not None:
        since = "only since the audience was fixed"
        then = since if skip in (SkipReason.NO_TOPICS, SkipReason.NOTHING_FOLLOWED) else skip.in_words
        return f"was sent nothing of this issue: {skip.in_words}", then
    if subscription.state not in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED):
        told = f"subscription is {subscription.state}"
        return f"gets nothing of this issue: {told}", told
    if issue.state is IssueState.CANCELLED and issue.sending_at is None:
        told = "it was cancelled before it was sent"
        return f"gets nothing of this issue: {told}", told
    if issue.sending_at is not None:
        told = "subscribed after its audience was fixed"
        return f"gets nothing of this issue: {told}", told
    reason = skip_reason(
        subscription.follows,
        edition,
        is_paused=subscription.state is SubscriptionState.PAUSED,
        is_suppressed=is_suppressed(session, subscription.subscriber.email),
    )
    will = "would" if issue.state is IssueState.DRAFT else "will"
    if reason is None:
        return f"{will} get this issue", ""
    return f"{will} get nothing of this issue: {reason.in_words}", reason.in_words
