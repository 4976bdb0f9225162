"""Newsletters, topics and sources made, changed and removed, by the rules of the pages and the command."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool, StrictFloat, StrictInt

from digest.domain import newsletters as domain
from digest.domain import sources as domain_sources
from digest.domain import topics as domain_topics
from digest.domain.accounts import Right
from digest.domain.articles import Style
from digest.domain.cadences import Cadence
from digest.domain.clicks import Clicks
from digest.domain.measuring import Measuring
from digest.pipeline.managing import newsletters, sources, topics
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, get_topic, newsletter_by_id
from digest.store.sources import get_source, source_by_id
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.newsletters import Newsletter, Source, Topic
from digest.web.api.shapes import PATH, Address, Given, Language, Line, NewsletterName, Number, Prose, Slug
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call)


class NewsletterChange(Given):
    """What changes of a newsletter. What is left out or null stays."""

    name: Line | None = Field(None, examples=["Harbour Week"])
    sender_name: Line | None = Field(None, description="Without it, its name.")
    sender_email: Address | None = Field(None, examples=["week@news.example.org"])
    reply_to: Line | None = Field(
        None, examples=["editors@example.org"], description="Where answers of readers go; '' for the sender."
    )
    postal_address: Prose | None = Field(None, description="It stands in every mail, as laws want it.")
    language: Language | None = None
    timezone: Line | None = Field(None, examples=["Europe/Paris"])
    window_days: StrictInt | None = Field(None, ge=1, description="Whole local days that an issue covers.")
    max_items: StrictInt | None = Field(None, ge=1)
    takeaways: StrictInt | None = Field(None, ge=0)
    takeaway_words: StrictInt | None = Field(None, ge=1)
    takeaway_style: Style | None = None
    llm: StrictBool | None = Field(None, description="Whether a language model writes takeaways.")
    approval: domain.Approval | None = None
    second_eyes: StrictBool | None = Field(None, description="Whether somebody else has to approve an issue.")
    welcome: StrictBool | None = None
    goodbye: StrictBool | None = None
    archive: StrictBool | None = None
    local_time: StrictBool | None = None
    cadences: list[Cadence] | None = Field(None, min_length=1)
    quiet_hours: Line | None = Field(None, examples=["22:00-07:00"], description="'' for none.")
    clicks: Clicks | None = Field(
        None, description="Whether it is counted how often links of its mail are followed."
    )
    measuring: Measuring | None = Field(
        None, description="Whether readers are asked to let it be measured what they open and follow."
    )
    sign_up: StrictBool | None = Field(
        None, description="Whether everybody may ask for it on a page of its own."
    )
    sign_up_origins: list[Line] | None = Field(
        None,
        max_length=100,
        examples=[["https://www.example.org"]],
        description="Sites whose scripts may sign readers up; * for every one.",
    )


class NewNewsletter(NewsletterChange):
    """A newsletter to be added. What is left out is as it is for most."""

    slug: Slug = Field(description="Its short name, which stays.", examples=["harbour-week"])
    name: Line = Field(min_length=1, examples=["Harbour Week"])
    sender_email: Address = Field(examples=["week@news.example.org"])
    postal_address: Prose = Field(min_length=1, description="It stands in every mail, as laws want it.")


class TopicChange(Given):
    """What changes of a topic. What is left out or null stays."""

    name: Line | None = Field(None, examples=["Climate & energy"])
    description: Line | None = None
    parent: Slug | None = Field(None, description="The topic it is part of.")
    phrases: list[Line] | None = Field(None, max_length=500, description="Words to be found as they stand.")
    categories: list[Line] | None = Field(None, max_length=500, description="Labels of feed and page.")
    sources: list[Line] | None = Field(None, max_length=500, description="Sources that belong here whole.")
    query: Prose | None = Field(None, description="What else, in the query language of topics.")


class NewTopic(TopicChange):
    """A topic to be added."""

    slug: Slug = Field(examples=["climate"])


class SourceChange(Given):
    """What changes of a source. What is left out or null stays."""

    name: Line | None = None
    url: Line | None = Field(None, examples=["https://example.org/feed.xml"])
    kind: domain_sources.SourceKind | None = None
    topics: list[Slug] | None = Field(None, max_length=60, description="Topics of all its articles.")
    link_pattern: Line | None = Field(None, description="Of a page: which links are articles.")
    language: Language | None = None
    weight: StrictFloat | StrictInt | None = Field(None, ge=0.1, le=10)
    excerpt: domain_sources.Excerpt | None = None


class NewSource(SourceChange):
    """A source to be added; without a name it gets its host's."""

    url: Line = Field(min_length=1, examples=["https://example.org/feed.xml"])


@router.post("/newsletters", tags=["Newsletters"], status_code=201, **asks(Right.ADMINISTER))
def add_newsletter(
    runtime: TheRuntime, caller: TheCaller, response: Response, new: NewNewsletter
) -> Newsletter:
    """Add a newsletter."""
    made = newsletters.add(runtime, _given(new), by=caller.name)
    response.headers["Location"] = f"{PATH}/newsletters/{made.slug}"
    return Newsletter.of(made)


@router.patch("/newsletters/{newsletter}", tags=["Newsletters"], **asks(Right.ADMINISTER))
def change_newsletter(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    newsletter: NewsletterName,
    change: NewsletterChange,
    if_match: IfMatch = None,
) -> Newsletter:
    """Change a newsletter. What was approved keeps what it had."""

    def propose(stands: domain.Newsletter) -> Mapping[str, object]:
        require_unchanged(if_match, Newsletter.of(stands))
        return _given(change)

    told = Newsletter.of(newsletters.change(runtime, newsletter, propose, by=caller.name).newsletter)
    response.headers["ETag"] = etag_of(told)
    return told


@router.delete("/newsletters/{newsletter}", tags=["Newsletters"], status_code=204, **asks(Right.ADMINISTER))
def remove_newsletter(runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName) -> None:
    """Remove a newsletter with its sources, topics, schedules and issues. Not while an issue goes out."""
    newsletters.remove(runtime, newsletter, by=caller.name)


@router.post("/newsletters/{newsletter}/topics", tags=["Topics"], status_code=201, **asks(Right.SHAPE))
def add_topic(
    runtime: TheRuntime, caller: TheCaller, response: Response, newsletter: NewsletterName, new: NewTopic
) -> Topic:
    """Add a topic, after the newsletter's others."""
    made, _ = topics.add(runtime, newsletter, _given(new), by=caller.name)
    response.headers["Location"] = f"{PATH}/newsletters/{newsletter}/topics/{made.slug}"
    return Topic.of(made)


@router.patch("/newsletters/{newsletter}/topics/{topic}", tags=["Topics"], **asks(Right.SHAPE))
def change_topic(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    newsletter: NewsletterName,
    topic: Slug,
    change: TopicChange,
    if_match: IfMatch = None,
) -> Topic:
    """Change a topic. Who follows it goes on doing so; this week's articles are matched anew."""

    def propose(stands: domain_topics.Topic) -> Mapping[str, object]:
        require_unchanged(if_match, Topic.of(stands))
        return _given(change)

    topics.change(runtime, newsletter, topic, propose, by=caller.name)
    with reading(runtime.engine) as session:
        told = Topic.of(get_topic(session, get_newsletter(session, newsletter).id, topic))
    response.headers["ETag"] = etag_of(told)
    return told


@router.delete(
    "/newsletters/{newsletter}/topics/{topic}", tags=["Topics"], status_code=204, **asks(Right.SHAPE)
)
def remove_topic(runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, topic: Slug) -> None:
    """Remove a topic, and with it every follow of it."""
    topics.remove(runtime, newsletter, topic, by=caller.name)


@router.post("/newsletters/{newsletter}/sources", tags=["Sources"], status_code=201, **asks(Right.SHAPE))
def add_source(
    runtime: TheRuntime, caller: TheCaller, response: Response, newsletter: NewsletterName, new: NewSource
) -> Source:
    """Add a source. A worker polls it within a minute."""
    made = sources.add(runtime, newsletter, _given(new), by=caller.name)
    with reading(runtime.engine) as session:
        found = get_source(session, get_newsletter(session, newsletter).id, made.name)
    response.headers["Location"] = f"{PATH}/sources/{found.id}"
    return Source.of(found)


@router.patch("/sources/{source_id}", tags=["Sources"], **asks(Right.SHAPE))
def change_one_source(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    source_id: Number,
    change: SourceChange,
    if_match: IfMatch = None,
) -> Source:
    """Change a source. This week's articles are condensed anew."""
    slug, which = whose(runtime, source_id)

    def propose(stands: domain_sources.Source) -> Mapping[str, object]:
        require_unchanged(if_match, Source.of(stands))
        return _given(change)

    sources.change(runtime, slug, which, propose, by=caller.name)
    told = _source(runtime, source_id)
    response.headers["ETag"] = etag_of(told)
    return told


@router.post("/sources/{source_id}/pause", tags=["Sources"], **asks(Right.SHAPE))
def pause_source(runtime: TheRuntime, caller: TheCaller, source_id: Number) -> Source:
    """Poll a source no more for now."""
    slug, which = whose(runtime, source_id)
    sources.set_state(runtime, slug, which, domain_sources.SourceState.PAUSED, by=caller.name)
    return _source(runtime, source_id)


@router.post("/sources/{source_id}/resume", tags=["Sources"], **asks(Right.SHAPE))
def resume_source(runtime: TheRuntime, caller: TheCaller, source_id: Number) -> Source:
    """Poll a source again."""
    slug, which = whose(runtime, source_id)
    sources.set_state(runtime, slug, which, domain_sources.SourceState.ACTIVE, by=caller.name)
    return _source(runtime, source_id)


@router.delete("/sources/{source_id}", tags=["Sources"], status_code=204, **asks(Right.SHAPE))
def remove_one_source(runtime: TheRuntime, caller: TheCaller, source_id: Number) -> None:
    """Do without a source. Its articles stay, under its name and on its terms."""
    slug, which = whose(runtime, source_id)
    sources.remove(runtime, slug, which, by=caller.name)


def _given(shape: Given) -> Mapping[str, object]:
    return shape.model_dump(exclude_none=True)


def whose(runtime: Runtime, source_id: int) -> tuple[str, domain_sources.SourceId]:
    """Return the short name of a source's newsletter, and its number. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        found = source_by_id(session, source_id)
        return newsletter_by_id(session, found.newsletter_id).slug, found.id


def _source(runtime: Runtime, source_id: int) -> Source:
    with reading(runtime.engine) as session:
        return Source.of(source_by_id(session, source_id))
