"""A segment's question as a condition of SQL, in which what is asked is always a bound parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from digest.domain.deliveries import DeliveryState
from digest.domain.newsletters import Newsletter
from digest.domain.query import Both, Either, Neither, Node
from digest.domain.segments import (
    Amount,
    Field,
    Joined,
    Lately,
    Words,
    asks_beside_who_reads,
    asks_who_reads,
    condition_of,
    stored_question,
)
from digest.domain.times import local_midnight, zone
from digest.domain.topics import TopicSlug
from digest.store.attributes import AttributeRow
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow
from digest.store.newsletters import topic_ids
from digest.store.segment_activity import NOBODY, did_lately, did_not_lately
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow

Is = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that its answer depends on: whose readers, which topics there are, and when."""

    question: Node
    newsletter: Newsletter
    topics: Mapping[TopicSlug, int]
    now: datetime

    @classmethod
    def of(cls, session: Session, newsletter: Newsletter, query: str, *, now: datetime) -> Asked:
        """Return a question about a newsletter's readers. Raises `QueryError` for one that cannot be read.

        A topic that was removed since is one that nobody follows.
        """
        return cls(stored_question(query), newsletter, topic_ids(session, newsletter.id), now)

    @property
    def asks_who_reads(self) -> bool:
        """Whether it asks what readers opened or followed, so that it names nobody."""
        return asks_who_reads(self.question)

    @property
    def fits(self) -> Is:
        """The condition, on a query that holds a subscriber and their subscription to this newsletter.

        A question of who reads that asks something else, too, fits nobody.
        """
        return NOBODY if asks_beside_who_reads(self.question) else self._of(self.question)

    def _of(self, node: Node, *, denied: bool = False) -> Is:
        """Return the condition of a part, or of its opposite.

        A NOT goes down to what it is about: of some questions neither they nor their opposites are so.
        """
        match node:
            case Either():
                parts = [self._of(part, denied=denied) for part in node.parts]
                return and_(*parts) if denied else or_(*parts)
            case Both():
                parts = [self._of(part, denied=denied) for part in node.parts]
                return or_(*parts) if denied else and_(*parts)
            case Neither():
                return self._of(node.part, denied=not denied)
        condition = condition_of(node)
        if isinstance(condition, Lately):
            return (did_not_lately if denied else did_lately)(self.newsletter, condition, now=self.now)
        return not_(self._asks(condition)) if denied else self._asks(condition)

    def _asks(self, condition: Words | Joined | Amount) -> Is:
        match condition:
            case Joined():
                return self._joined(condition)
            case Amount():
                return self._days(condition) if condition.field is Field.DAYS else self._mails(condition)
        return _WORDS[condition.field](self, condition)

    def _joined(self, asked: Joined) -> Is:
        tz = zone(self.newsletter.timezone)
        bounds: list[Is] = []
        if asked.first:
            bounds.append(_since() >= local_midnight(asked.first, tz))
        if asked.end:
            bounds.append(_since() < local_midnight(asked.end, tz))
        return and_(true(), *bounds)

    def _days(self, asked: Amount) -> Is:
        bounds: list[Is] = []
        if asked.least:
            bounds.append(_since() <= self.now - timedelta(days=asked.least))
        if asked.most is not None:
            bounds.append(_since() > self.now - timedelta(days=asked.most + 1))
        return and_(true(), *bounds)

    def _mails(self, asked: Amount) -> Is:
        """Compare how many issues arrived; whether there was one needs no counting of all."""
        arrived = DeliveryRow.state == DeliveryState.ACCEPTED.value
        mine = DeliveryRow.subscriber_id == SubscriberRow.id
        issues = select(IssueRow.id).where(IssueRow.newsletter_id == self.newsletter.id)
        mails = select(DeliveryRow.id).where(mine, arrived, DeliveryRow.issue_id.in_(issues))
        if (asked.least, asked.most) in ((1, None), (None, 0), (0, 0)):
            return exists(mails) if asked.least == 1 else ~exists(mails)
        count = mails.with_only_columns(func.count()).scalar_subquery()
        least = count >= asked.least if asked.least else true()
        return and_(least, count <= asked.most if asked.most is not None else true())


def _since() -> ColumnElement[datetime]:
    """Return since when somebody subscribes."""
    moment = SubscriptionRow.changed_at.type
    return func.coalesce(SubscriptionRow.joined_at, SubscriptionRow.changed_at, type_=moment)


def _language(asked: Asked, words: Words) -> Is:
    """Who reads German reads a German of whatever country, too."""
    spoken = _or_own(SubscriberRow.language, asked.newsletter.language)
    whole = spoken == words.text
    if words.is_prefix:
        return spoken.startswith(words.text, autoescape=True)
    return whole | spoken.startswith(f"{words.text}-", autoescape=True)


def _zone(asked: Asked, words: Words) -> Is:
    return _said(_or_own(SubscriberRow.timezone, asked.newsletter.timezone), words)


def _or_own(column: InstrumentedAttribute[str], own: str) -> ColumnElement[str]:
    """Return what a reader set in small letters, or what their newsletter has where they set nothing."""
    return func.lower(case((column == "", literal(own)), else_=column), type_=column.type)


def _topic(asked: Asked, words: Words) -> Is:
    wanted = [
        topic_id
        for slug, topic_id in asked.topics.items()
        if (slug.startswith(words.text) if words.is_prefix else slug == words.text)
    ]
    return exists().where(FollowRow.subscriber_id == SubscriberRow.id, FollowRow.topic_id.in_(wanted))


def _domain(_asked: Asked, words: Words) -> Is:
    at = f"@{words.text}"
    if words.is_prefix:
        return SubscriberRow.email_key.contains(at, autoescape=True)
    return SubscriberRow.email_key.endswith(at, autoescape=True)


def _attribute(asked: Asked, words: Words) -> Is:
    return exists().where(
        AttributeRow.subscriber_id == SubscriberRow.id,
        AttributeRow.newsletter_id == asked.newsletter.id,
        AttributeRow.key == words.key,
        _said(AttributeRow.folded, words),
    )


def _said(column: ColumnElement[str] | InstrumentedAttribute[str], words: Words) -> Is:
    return column.startswith(words.text, autoescape=True) if words.is_prefix else column == words.text


_WORDS: Mapping[Field, Callable[[Asked, Words], Is]] = {
    Field.LANGUAGE: _language,
    Field.ZONE: _zone,
    Field.CADENCE: lambda _asked, words: SubscriptionRow.cadence == words.text,
    Field.STATE: lambda _asked, words: SubscriptionRow.state == words.text,
    Field.TOPIC: _topic,
    Field.DOMAIN: _domain,
    Field.ATTRIBUTE: _attribute,
}


def of_readers(newsletter: Newsletter) -> tuple[Is, Is]:
    """Return what ties subscribers to their subscriptions of a newsletter, in any state."""
    return (
        SubscriptionRow.subscriber_id == SubscriberRow.id,
        SubscriptionRow.newsletter_id == newsletter.id,
    )
