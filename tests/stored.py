"""A newsletter with readers, articles and issues in a database, each part as far as a test needs it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert, select

from digest.domain.articles import Article, Block, BlockKind, Condensed, DateOrigin, Origin, Span, Takeaway
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueId, IssueState, Outline
from digest.domain.mail import Fragment, RenderedIssue
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.sources import Source
from digest.domain.subscribers import SubscriberId, email_key
from digest.domain.times import Window
from digest.domain.topics import Topic, TopicMatch, TopicSlug
from digest.gather.urls import comparison_key
from digest.store.articles import ArticleId, ArticleRow, content_hash
from digest.store.condensed import record_condensed
from digest.store.database import reading, writing
from digest.store.deliveries import count_deliveries
from digest.store.issues import change_issue, ensure_issue
from digest.store.newsletters import add_newsletter, add_topic, topic_ids
from digest.store.recording import record_article
from digest.store.revisions import freeze
from digest.store.sources import NewSource, add_sources, get_source
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow, subscribe

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
"""A Monday morning."""

WINDOW = Window.of_days(date(2026, 11, 16), date(2026, 11, 22), ZoneInfo("UTC"))
"""The week before `NOW`."""

CLIMATE, SPACE, CITIES, FOOD = map(TopicSlug, ("climate", "space", "cities", "food"))
TOPICS = tuple(Topic(slug, slug.title()) for slug in (CLIMATE, SPACE, CITIES, FOOD))

WEEKLY = Newsletter(
    id=NewsletterId(0),
    slug="weekly",
    name="The Weekly",
    sender_name="The Weekly",
    sender_email="desk@news.example.org",
    postal_address="12 Quay Street, Harbourtown",
)


def stored_newsletter(engine: Engine, *, topics: Sequence[Topic] = TOPICS, **overrides: object) -> Newsletter:
    """Store a newsletter of four topics."""
    with writing(engine) as session:
        newsletter = add_newsletter(session, replace(WEEKLY, **overrides), now=NOW)  # type: ignore[arg-type]
        for topic in topics:
            add_topic(session, newsletter.id, topic)
    return newsletter


def stored_source(engine: Engine, newsletter: Newsletter, name: str, **overrides: object) -> Source:
    """Store a source, by default a feed."""
    new = replace(NewSource(name, f"https://{name.lower()}.example.org/feed"), **overrides)  # type: ignore[arg-type]
    with writing(engine) as session:
        add_sources(session, newsletter.id, [new], now=NOW)
        return get_source(session, newsletter.id, name)


def stored_reader(engine: Engine, newsletter: Newsletter, email: str, *follows: TopicSlug) -> SubscriberId:
    """Store an active subscriber."""
    with writing(engine) as session:
        return subscribe(session, newsletter.id, email=email, follows=follows, now=NOW).subscriber.id


def stored_crowd(
    engine: Engine,
    newsletter: Newsletter,
    emails: Sequence[str],
    *follows: TopicSlug,
    language: Callable[[int], str] = lambda _: "",
) -> list[SubscriberId]:
    """Store active subscribers none of whom is known yet, at a tenth of what it takes one by one."""
    people = [
        {"email": email, "email_key": email_key(email), "name": "", "language": language(n), "timezone": ""}
        for n, email in enumerate(emails)
    ]
    with writing(engine) as session:
        topics = topic_ids(session, newsletter.id)
        made = insert(SubscriberRow).returning(SubscriberRow.id, sort_by_parameter_order=True)
        ids = list(session.scalars(made, [{**person, "created_at": NOW} for person in people]))
        tie = {"newsletter_id": newsletter.id, "state": "active", "changed_at": NOW, "joined_at": NOW}
        session.execute(insert(SubscriptionRow), [{**tie, "subscriber_id": who} for who in ids])
        followed = [{"subscriber_id": who, "topic_id": topics[topic]} for who in ids for topic in follows]
        if followed:
            session.execute(insert(FollowRow), followed)
    return list(map(SubscriberId, ids))


def sample_article(path: str, **overrides: object) -> Article:
    """Return an article of the week, with text of its own."""
    article = Article(
        url=f"https://meridian.example.org/{path}",
        title=path.replace("-", " ").capitalize(),
        blocks=(Block(BlockKind.PARAGRAPH, f"What happened about {path} is told here in one sentence."),),
        language="en",
        published_at=datetime(2026, 11, 18, 12, tzinfo=UTC),
        published_by=DateOrigin.FEED,
    )
    return replace(article, **overrides)  # type: ignore[arg-type]


def stored_article(
    engine: Engine,
    newsletter: Newsletter,
    source: Source,
    article: Article,
    topics: Mapping[TopicSlug, float] | None = None,
    *,
    origin: Origin | None = Origin.EXTRACTIVE,
) -> ArticleId:
    """Store an article that was condensed: one takeaway of `origin` (None: none), and `topics` by score."""
    matches = [TopicMatch(slug, score, "said so") for slug, score in (topics or {CLIMATE: 0.8}).items()]
    support = (Span(0, len(article.text)),)
    takeaways = (Takeaway(article.text or article.title, origin, support),) if origin else ()
    condensed = Condensed(takeaways, None if takeaways else "the article has no text")
    with writing(engine) as session:
        keys = [comparison_key(article.url)]
        record_article(session, newsletter.id, source.id, article, now=NOW, keys=keys)
        article_id = ArticleId(
            session.scalars(select(ArticleRow.id).where(ArticleRow.url == article.url)).one()
        )
        ids = topic_ids(session, newsletter.id)
        record_condensed(
            session, article_id, condensed, matches, topic_ids=ids, of=content_hash(article), now=NOW
        )
    return article_id


def rendered(*titles: str) -> RenderedIssue:
    """Return the pieces of an issue that says next to nothing: each item stands under every topic."""
    topics = (CLIMATE, SPACE, CITIES, FOOD)
    return RenderedIssue(
        newsletter=WEEKLY.name,
        language="en",
        subject="",
        preheader="",
        opening=Fragment("<html><body>\n", "Hello\n"),
        sections={topic: Fragment(f"<h2>{topic}</h2>\n", f"{topic}\n") for topic in topics},
        items={
            f"{position}:{topic}": Fragment(f"<p>{title}</p>\n", f"{title}\n")
            for position, title in enumerate(titles)
            for topic in topics
        },
        closing=Fragment("</body></html>\n", "Bye\n"),
        titles=titles,
    )


def approved_issue(
    engine: Engine, newsletter: Newsletter, *items: tuple[TopicSlug, ...], window: Window = WINDOW
) -> Issue:
    """Store an approved issue whose items belong to these topics; by default one item about the climate."""
    items = items or ((CLIMATE,),)
    outline = Outline((CLIMATE, SPACE, CITIES, FOOD), items)
    pieces = rendered(*(f"Article {position}" for position in range(len(items))))
    with writing(engine) as session:
        draft = ensure_issue(session, newsletter.id, window, now=NOW)
        return freeze(session, draft, pieces, outline, by="ed", now=NOW)


def change(engine: Engine, issue: Issue | IssueId, to: IssueState) -> Issue:
    """Move an issue to another state, as an editor would."""
    with writing(engine) as session:
        return change_issue(session, issue if isinstance(issue, int) else issue.id, to, now=NOW)


def states(engine: Engine, issue: Issue) -> dict[DeliveryState, int]:
    """Return how many deliveries are in each state, without those where there is none."""
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue.id).items() if count}
