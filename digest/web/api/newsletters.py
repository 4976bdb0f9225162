"""Newsletters, and what they are made of: topics and sources."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from digest.domain import newsletters as domain
from digest.domain import sources, topics
from digest.domain.accounts import Right
from digest.domain.articles import Style
from digest.domain.clicks import Clicks
from digest.domain.measuring import Measuring
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, get_topic, list_newsletters, list_topics
from digest.store.sources import list_sources, source_by_id
from digest.web.api.access import Call, asks
from digest.web.api.shapes import Listed, NewsletterName, Number, Slug, Told, whole
from digest.web.api.versions import etag_of
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Newsletters"])


class Newsletter(Told):
    """A publication: who sends it, how much an issue holds, and who lets it go."""

    id: int
    slug: str = Field(
        description="Its short name, which addresses of this API hold.", examples=["harbour-week"]
    )
    name: str = Field(examples=["Harbour Week"])
    sender_name: str
    sender_email: str = Field(examples=["week@news.example.org"])
    reply_to: str = Field(description="Where answers of readers go; '' for the sender's address.")
    postal_address: str
    language: str = Field(examples=["en"])
    timezone: str = Field(examples=["Europe/Paris"])
    window_days: int = Field(description="Whole local days that an issue covers.")
    max_items: int = Field(description="Articles in an issue at most.")
    takeaways: int = Field(description="Takeaways of each article at most.")
    takeaway_words: int
    takeaway_style: Style
    llm: bool = Field(description="Whether a language model writes takeaways.")
    approval: domain.Approval
    second_eyes: bool = Field(description="Whether somebody else than its editor has to approve an issue.")
    cadences: list[str] = Field(description="How often readers may want it, the most frequent first.")
    quiet_hours: str = Field(description="Hours in its zone in which nothing leaves; '' for none.")
    archive: bool = Field(description="Whether everybody may read what was sent.")
    welcome: bool
    goodbye: bool
    local_time: bool
    clicks: Clicks = Field(description="Whether it is counted how often links of its mail are followed.")
    measuring: Measuring = Field(
        description="Whether readers are asked to let it be measured what they open and follow."
    )
    sign_up: bool = Field(description="Whether everybody may ask for it on a page of its own.")
    sign_up_origins: list[str] = Field(
        description="Sites whose scripts may sign readers up; * for every one."
    )

    @classmethod
    def of(cls, one: domain.Newsletter) -> Newsletter:
        """Return a newsletter as the API tells it."""
        return cls(
            id=one.id,
            slug=one.slug,
            name=one.name,
            sender_name=one.sender_name,
            sender_email=one.sender_email,
            reply_to=one.reply_to,
            postal_address=one.postal_address,
            language=one.language,
            timezone=one.timezone,
            window_days=one.window_days,
            max_items=one.max_items,
            takeaways=one.takeaways,
            takeaway_words=one.takeaway_words,
            takeaway_style=one.takeaway_style,
            llm=one.llm,
            approval=one.approval,
            second_eyes=one.second_eyes,
            cadences=list(one.cadences),
            quiet_hours=str(one.quiet_hours or ""),
            archive=one.archive,
            welcome=one.welcome,
            goodbye=one.goodbye,
            local_time=one.local_time,
            clicks=one.clicks,
            measuring=one.measuring,
            sign_up=one.sign_up,
            sign_up_origins=list(one.sign_up_origins),
        )


class Rule(Told):
    """What puts an article into a topic."""

    phrases: list[str] = Field(default_factory=list, description="Words to be found as they stand.")
    categories: list[str] = Field(default_factory=list, description="Labels of feed and page.")
    sources: list[str] = Field(default_factory=list, description="Names of sources that belong here whole.")
    query: str = Field("", description="What else, in the query language of topics.")


class Topic(Told):
    """Something that subscribers follow."""

    slug: str = Field(examples=["climate"])
    name: str = Field(examples=["Climate & energy"])
    description: str
    parent: str | None = Field(description="The topic it is part of.")
    rule: Rule

    @classmethod
    def of(cls, one: topics.Topic) -> Topic:
        """Return a topic as the API tells it."""
        rule = Rule(
            phrases=list(one.rule.phrases),
            categories=list(one.rule.categories),
            sources=list(one.rule.sources),
            query=one.rule.query,
        )
        return cls(slug=one.slug, name=one.name, description=one.description, parent=one.parent, rule=rule)


class Source(Told):
    """A feed, sitemap or page that is polled, and how its polls have gone."""

    unversioned = frozenset(
        {
            "polled_at",
            "succeeded_at",
            "new_at",
            "next_poll_at",
            "failing_since",
            "failures",
            "last_error",
        }
    )

    id: int
    name: str
    url: str
    kind: sources.SourceKind
    state: sources.SourceState
    topics: list[str] = Field(description="Topics that all its articles belong to.")
    link_pattern: str = Field(description="Of a page: which links are articles; '' where that is learnt.")
    language: str = Field(description="Its articles' language where they do not say; '' for none.")
    weight: float = Field(description="How much more than others its articles count; 1: as much.")
    excerpt: sources.Excerpt
    polled_at: datetime | None
    succeeded_at: datetime | None
    new_at: datetime | None = Field(description="When it last had a new article.")
    next_poll_at: datetime | None
    failing_since: datetime | None
    failures: int = Field(description="Polls in a row that failed.")
    last_error: str = Field(description="What was wrong at the last poll; '' while all is well.")

    @classmethod
    def of(cls, one: sources.Source) -> Source:
        """Return a source as the API tells it."""
        standing = one.standing
        return cls(
            id=one.id,
            name=one.name,
            url=one.url,
            kind=one.kind,
            state=one.state,
            topics=list(one.topics),
            link_pattern=one.link_pattern,
            language=one.language or "",
            weight=one.weight,
            excerpt=one.excerpt,
            polled_at=standing.polled_at,
            succeeded_at=standing.succeeded_at,
            new_at=standing.new_at,
            next_poll_at=standing.next_poll_at,
            failing_since=standing.failing_since,
            failures=standing.failures,
            last_error=standing.last_error,
        )


@router.get("/newsletters", **asks(Right.LOOK))
def list_all_newsletters(runtime: TheRuntime) -> Listed[Newsletter]:
    """Return every newsletter, by name."""
    with reading(runtime.engine) as session:
        return whole(list_newsletters(session), Newsletter.of)


@router.get("/newsletters/{newsletter}", **asks(Right.LOOK))
def show_newsletter(runtime: TheRuntime, response: Response, newsletter: NewsletterName) -> Newsletter:
    """Return a newsletter."""
    with reading(runtime.engine) as session:
        told = Newsletter.of(get_newsletter(session, newsletter))
    response.headers["ETag"] = etag_of(told)
    return told


@router.get("/newsletters/{newsletter}/topics", tags=["Topics"], **asks(Right.LOOK))
def list_newsletter_topics(runtime: TheRuntime, newsletter: NewsletterName) -> Listed[Topic]:
    """Return a newsletter's topics in its own order."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        return whole(list_topics(session, found.id), Topic.of)


@router.get("/newsletters/{newsletter}/topics/{topic}", tags=["Topics"], **asks(Right.LOOK))
def show_topic(runtime: TheRuntime, response: Response, newsletter: NewsletterName, topic: Slug) -> Topic:
    """Return a topic."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        told = Topic.of(get_topic(session, found.id, topic))
    response.headers["ETag"] = etag_of(told)
    return told


@router.get("/newsletters/{newsletter}/sources", tags=["Sources"], **asks(Right.LOOK))
def list_newsletter_sources(runtime: TheRuntime, newsletter: NewsletterName) -> Listed[Source]:
    """Return a newsletter's sources, by name."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        return whole(list_sources(session, found.id), Source.of)


@router.get("/sources/{source_id}", tags=["Sources"], **asks(Right.LOOK))
def show_source(runtime: TheRuntime, response: Response, source_id: Number) -> Source:
    """Return a source. Its ETag stays while it is polled: it is another when somebody changes it."""
    with reading(runtime.engine) as session:
        told = Source.of(source_by_id(session, source_id))
    response.headers["ETag"] = etag_of(told)
    return told
