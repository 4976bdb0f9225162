"""A newsletter with readers, an issue going out and a draft, made by the stages' own functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from digest.address.steps import address_issue
from digest.compose.steps import compose
from digest.domain.articles import Article, Block, BlockKind, Condensed, Origin, Takeaway
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId, Item
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.sources import SourceId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.times import Window
from digest.domain.topics import Topic, TopicMatch, TopicSlug
from digest.pipeline.run import approve_issue
from digest.runtime import Runtime
from digest.store.articles import content_hash
from digest.store.condensed import record_condensed, uncondensed_articles
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.newsletters import add_newsletter, add_topic, topic_ids
from digest.store.recording import record_article
from digest.store.sources import NewSource, add_sources, list_sources
from digest.store.subscribers import find_subscription, set_subscription_state, subscribe
from digest.store.suppressions import suppress
from digest.store.tables import metadata
from tests.samples import CITIES, CLIMATE, FOOD, ITEMS, SPACE

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
THIS_WEEK = Window(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
NEXT_WEEK = Window(THIS_WEEK.end, THIS_WEEK.end + timedelta(days=7))

NEWSLETTER = Newsletter(
    id=NewsletterId(0),
    slug="saturday",
    name="The Saturday Reader",
    sender_name="Reader & Sons Press",
    sender_email="reader@news.example.org",
    postal_address="12 Quay Street\nHarbourtown HT1 2AB",
)

OCEANS = TopicSlug("oceans")

TOPICS = (
    Topic(CLIMATE, "Climate & energy", "Heat, power and weather, and what is done about them"),
    Topic(SPACE, "Space", "Moons, comets, telescopes and those who build them"),
    Topic(CITIES, "Cities", "Streets, bridges, trams and who gets the space"),
    Topic(FOOD, "Food", "From the field to the plate"),
    Topic(OCEANS, "Oceans"),
)

ADA, BEN, CLEO, DAN, EVE, FAY = (
    f"{name}@example.org" for name in ("ada", "ben", "cleo", "dan", "eve", "fay")
)

FOLLOWS: Mapping[str, tuple[TopicSlug, ...]] = {
    ADA: (CLIMATE, FOOD),
    BEN: (SPACE,),
    CLEO: (OCEANS,),
    DAN: (),
    EVE: (CLIMATE, SPACE, CITIES, FOOD),
    FAY: (FOOD,),
}
"""Nothing was written about what Cleo follows. Dan follows nothing, Eve is paused, Fay is suppressed."""

SENDING, DRAFT = IssueId(1), IssueId(2)
"""The issues that `populate` makes."""


def populate(runtime: Runtime) -> None:
    """Fill an empty database: this week's issue is going out, next week's is a draft."""
    newsletter = add_sample_newsletter(runtime.engine)
    add_articles(runtime.engine, newsletter, ITEMS)
    add_articles(runtime.engine, newsletter, map(a_week_later, ITEMS[2:5]))
    add_readers(runtime.engine, newsletter)
    send_to_all(runtime, newsletter, THIS_WEEK)
    compose(runtime.engine, newsletter, NEXT_WEEK, now=NOW)


def populate_mailed(runtime: Runtime) -> None:
    """As `populate`; Ada and Ben have their mail."""
    populate(runtime)
    for email in (ADA, BEN):
        settle(runtime.engine, email, DeliveryState.ACCEPTED)


def add_sample_newsletter(engine: Engine, topics: Sequence[Topic] = TOPICS, **overrides: Any) -> Newsletter:
    with writing(engine) as session:
        newsletter = add_newsletter(session, replace(NEWSLETTER, **overrides), now=NOW)
        for topic in topics:
            add_topic(session, newsletter.id, topic)
    return newsletter


def a_week_later(item: Item) -> Item:
    return replace(item, url=f"{item.url}-again", published_on=item.published_on + timedelta(days=7))


def add_articles(engine: Engine, newsletter: Newsletter, items: Iterable[Item]) -> None:
    """Store what gather and condense would have left of these items."""
    for item in items:
        with writing(engine) as session:
            source = _ensure_source(session, newsletter, item.source)
            record_article(session, newsletter.id, source, _article(item), now=NOW)
            (stored,) = uncondensed_articles(session, newsletter.id)
            record_condensed(
                session,
                stored.id,
                Condensed(tuple(Takeaway(text, Origin.PUBLISHER, ()) for text in item.takeaways)),
                [TopicMatch(slug, 0.9 - rank / 10, "told so") for rank, slug in enumerate(item.topics)],
                topic_ids=topic_ids(session, newsletter.id),
                of=content_hash(stored.article),
                now=NOW,
            )


def _article(item: Item) -> Article:
    return Article(
        url=item.url,
        title=item.title,
        blocks=tuple(
            Block(BlockKind.PARAGRAPH, f"{text} " * 20) for text in (*item.takeaways, f"{item.published_on}")
        ),
        language=item.language,
        published_at=datetime.combine(item.published_on, time(9), tzinfo=UTC),
        image=item.image,
    )


def _ensure_source(session: Session, newsletter: Newsletter, name: str) -> SourceId:
    known = {source.name: source.id for source in list_sources(session, newsletter.id)}
    if name not in known:
        feed = f"https://feeds.example.org/{len(known)}.xml"
        add_sources(session, newsletter.id, [NewSource(name, feed)], now=NOW)
        return _ensure_source(session, newsletter, name)
    return known[name]


def add_readers(engine: Engine, newsletter: Newsletter) -> None:
    with writing(engine) as session:
        for email, follows in FOLLOWS.items():
            subscribe(session, newsletter.id, email=email, follows=follows, now=NOW)
        suppress(session, FAY, reason="complaint", detail="", now=NOW)
    set_state(engine, EVE, SubscriptionState.PAUSED)


def send_to_all(runtime: Runtime, newsletter: Newsletter, window: Window) -> IssueId:
    """Compose, approve and address an issue; its deliveries are pending."""
    issue = compose(runtime.engine, newsletter, window, now=NOW).issue
    assert issue
    # A test of hostile names writes template code into them, which the checks rightly call an error.
    approve_issue(runtime, issue.id, by="Edith", despite_errors=True)
    address_issue(runtime.engine, issue.id, now=NOW)
    return issue.id


def settle(engine: Engine, email: str, state: DeliveryState) -> None:
    """Let a reader's mail of the issue that is going out have come to this."""
    with writing(engine) as session:
        of_theirs = DeliveryRow.issue_id == SENDING, DeliveryRow.email == email
        session.execute(update(DeliveryRow).where(*of_theirs).values(state=state))


def set_state(engine: Engine, email: str, state: SubscriptionState) -> None:
    with writing(engine) as session:
        set_subscription_state(session, NewsletterId(1), reader_id(engine, email), state, now=NOW)


def state_of(engine: Engine, email: str) -> SubscriptionState:
    with reading(engine) as session:
        found = find_subscription(session, NewsletterId(1), email)
    assert found
    return found.state


def follows_of(engine: Engine, email: str) -> frozenset[TopicSlug]:
    with reading(engine) as session:
        found = find_subscription(session, NewsletterId(1), email)
    assert found
    return found.follows


def reader_id(engine: Engine, email: str) -> SubscriberId:
    with reading(engine) as session:
        found = find_subscription(session, NewsletterId(1), email)
    assert found
    return found.subscriber.id


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table: equal before and after means that nothing was changed."""
    with reading(engine) as session:
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
