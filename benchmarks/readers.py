"""A newsletter of any size, ready to be sent: the ground that delivery is measured and attacked on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.compose.render import compile_template, render_issue
from digest.domain.issues import IssueContent, IssueId, IssueTopic, Item
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.domain.times import Window
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.bulk import Values, as_stored, insert_rows
from digest.store.database import writing
from digest.store.issues import ensure_issue
from digest.store.newsletters import add_newsletter, add_topic, topic_ids
from digest.store.revisions import freeze
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow

TEMPLATE = Path(__file__).resolve().parents[1] / "templates" / "email" / "digest"
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
_PAGE = 10_000

Address = Callable[[int], str]
Wishes = Callable[[int], "Wish"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What one reader asked for: topics by their number, a zone of their own or '', and the most articles."""

    follows: Collection[int]
    timezone: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """How large an issue and its audience are; `follows` topics each."""

    readers: int
    topics: int = 20
    articles: int = 30
    follows: int = 5


def plain_address(number: int) -> str:
    """Return the address of reader `number`."""
    return f"reader{number}@example.org"


def content_of(size: Size) -> IssueContent:
    """Return an issue whose article *i* belongs to topic *i*, and every third to another one too."""
    topics = tuple(IssueTopic(slug(n), f"Topic number {n}") for n in range(size.topics))
    return IssueContent(
        newsletter="The Measured Week",
        language="en",
        first_day=date(2026, 11, 16),
        last_day=date(2026, 11, 22),
        sender_name="The Measured Week",
        postal_address="1 Loopback Lane, Testville",
        topics=topics,
        items=tuple(_item(n, size.topics) for n in range(size.articles)),
    )


def slug(number: int) -> TopicSlug:
    """Return the slug of topic `number`."""
    return TopicSlug(f"topic-{number}")


def _item(number: int, topics: int) -> Item:
    told = (
        f"In trial {number} the second design used {number + 11} percent less energy than the first, over a "
        "whole winter and in three towns.",
        "The towns paid for it from what they saved, which took four years instead of nine.",
        "Two neighbouring regions copy the contract, and a third one waits for the figures of summer.",
    )
    also = (slug((number + 7) % topics),) if number % 3 == 0 and topics > 1 else ()
    return Item(
        position=number,
        url=f"https://news.example.org/2026/11/the-trial-that-paid-for-itself-{number}",
        title=f"Trial {number}: how three small towns halved what heating costs them in a hard winter",
        source="The Example Gazette",
        takeaways=told,
        topics=tuple(dict.fromkeys((slug(number % topics), *also))),
        published_on=date(2026, 11, 16 + number % 7),
        reading_minutes=4,
    )


def evenly(size: Size) -> Wishes:
    """Let reader *n* follow the topics *n*, *n* + 1, *n* + 4 …: every mix occurs, none is rare."""
    return lambda number: Wish({(number + step * step) % size.topics for step in range(size.follows)})


def approved_issue(
    engine: Engine, size: Size, *, address: Address = plain_address, wishes: Wishes | None = None
) -> IssueId:
    """Store a newsletter with its readers and return its approved issue. Without `wishes`: `evenly`."""
    content = content_of(size)
    with writing(engine) as session:
        newsletter = add_newsletter(session, _NEWSLETTER, now=NOW)
        for topic in content.topics:
            rule = TopicRule(phrases=(topic.name,))
            add_topic(session, newsletter.id, Topic(topic.slug, topic.name, rule=rule))
        ids = list(topic_ids(session, newsletter.id).values())
    for start in range(0, size.readers, _PAGE):
        numbers = range(start, min(size.readers, start + _PAGE))
        _add_readers(engine, newsletter.id, ids, numbers, address, wishes or evenly(size))
    window = Window(NOW - timedelta(days=7), NOW)
    with writing(engine) as session:
        issue = ensure_issue(session, newsletter.id, window, now=NOW)
        rendered = render_issue(content, compile_template(TEMPLATE))
        return freeze(session, issue, rendered, content.outline, by="benchmark", now=NOW).id


def sending_issue(engine: Engine, size: Size, *, address: Address = plain_address) -> IssueId:
    """Store a newsletter with its readers and return its issue, addressed to all of them."""
    issue_id = approved_issue(engine, size, address=address)
    address_issue(engine, issue_id, now=datetime.now(UTC))
    return issue_id


_NEWSLETTER = Newsletter(
    id=NewsletterId(0),
    slug="measured",
    name="The Measured Week",
    sender_name="The Measured Week",
    sender_email="week@news.example.org",
    postal_address="1 Loopback Lane, Testville",
)


_PERSON = ("id", "email", "email_key", "name", "language", "timezone", "created_at")
_TIE = ("newsletter_id", "subscriber_id", "state", "changed_at", "cadence", "max_items")


def _add_readers(
    engine: Engine,
    newsletter_id: NewsletterId,
    topics: list[int],
    numbers: range,
    address: Address,
    wishes: Wishes,
) -> None:
    with writing(engine) as session:
        now = as_stored(session, NOW)
        people: list[Values] = []
        ties: list[Values] = []
        follows: list[Values] = []
        for number in numbers:
            wish, email, who = wishes(number), address(number), number + 1
            people.append((who, email, email.lower(), "", "", wish.timezone, now))
            ties.append((newsletter_id, who, SubscriptionState.ACTIVE.value, now, "every", wish.most))
            follows += [(who, topics[topic]) for topic in wish.follows]
        insert_rows(session, SubscriberRow, _PERSON, people)
        insert_rows(session, SubscriptionRow, _TIE, ties)
        insert_rows(session, FollowRow, ("subscriber_id", "topic_id"), follows)
