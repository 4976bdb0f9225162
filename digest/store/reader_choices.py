"""What a reader chooses on their own page: stored whole, as a form has all of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from digest.domain.cadences import Cadence
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, Subscription
from digest.domain.topics import TopicSlug
from digest.domain.wished import WHENEVER, WishedHour
from digest.store.contents import IssueTopicRow
from digest.store.issues import IssueRow
from digest.store.subscribers import SubscriberRow, SubscriptionRow, set_follows

LATELY = 10
"""Issues that say how often a topic appears."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All a reader chooses. `most` is None for all articles; '' is the newsletter's zone or language."""

    follows: frozenset[TopicSlug]
    cadence: Cadence = Cadence.EVERY
    wished: WishedHour = WHENEVER
    timezone: str = ""
    most: int | None = None
    language: str = ""
    text_only: bool = False

    @classmethod
    def of(cls, subscription: Subscription) -> Choices:
        """Return what a reader has chosen so far."""
        who = subscription.subscriber
        return cls(
            subscription.follows,
            subscription.cadence,
            subscription.wished,
            who.timezone,
            subscription.max_items,
            who.language,
            subscription.text_only,
        )


def store_choices(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, choices: Choices
) -> None:
    """Let a reader have exactly these. Raises `NotFound` for a topic that the newsletter does not have.

    Zone and language are the person's, so their other newsletters have them, too.
    """
    # The reader first: a form that is sent twice waits here, and finds what the first one stored.
    session.execute(
        update(SubscriberRow)
        .where(SubscriberRow.id == subscriber_id)
        .values(timezone=choices.timezone, language=choices.language)
    )
    set_follows(session, newsletter_id, subscriber_id, choices.follows)
    session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == subscriber_id)
        .values(
            cadence=choices.cadence.value,
            max_items=choices.most,
            send_at=str(choices.wished),
            text_only=choices.text_only,
        )
    )


def topics_lately(session: Session, newsletter_id: NewsletterId) -> tuple[int, dict[TopicSlug, int]]:
    """Return how many issues went out lately, at most `LATELY`, and in how many of them each topic was."""
    latest = (
        select(IssueRow.id)
        .where(IssueRow.newsletter_id == newsletter_id, IssueRow.sending_at.is_not(None))
        .order_by(IssueRow.id.desc())
        .limit(LATELY)
    )
    ids = session.scalars(latest).all()
    rows = session.execute(
        select(IssueTopicRow.slug, func.count())
        .where(IssueTopicRow.issue_id.in_(ids))
        .group_by(IssueTopicRow.slug)
    )
    return len(ids), {TopicSlug(slug): count for slug, count in rows}
