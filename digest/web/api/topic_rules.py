"""Topics put in order, and rules tried on the articles of the last days before they are saved."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field, StrictInt

from digest.domain.accounts import Right
from digest.domain.topics import Topic as TopicOf
from digest.domain.topics import TopicRule, TopicSlug
from digest.pipeline import topic_trial
from digest.pipeline.managing import topics
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.newsletters import Topic
from digest.web.api.shapes import Given, Line, Listed, NewsletterName, Prose, Slug, Told, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Topics"])

SHOWN = 200
DAYS_MAX = 90


class Order(Given):
    """The order that a newsletter's topics are to stand in."""

    order: list[Slug] = Field(max_length=500, description="All of them, each once.", examples=[["climate"]])
    was: list[Slug] | None = Field(
        None, max_length=500, description="The order you looked at: refused when it is another; null: any."
    )


class RuleTried(Given):
    """A rule to be tried. What is left out or null is as it stands; a new topic has nothing yet."""

    topic: Slug = Field(description="A topic's short name, also of one that is not there yet.")
    phrases: list[Line] | None = Field(None, max_length=500)
    categories: list[Line] | None = Field(None, max_length=500)
    sources: list[Line] | None = Field(None, max_length=500)
    query: Prose | None = None
    days: StrictInt = Field(7, ge=1, le=DAYS_MAX, description="How far back articles are looked at.")
    text: Prose = Field("", description="An article's address or a text to be tried, too.")


class Matched(Told):
    """An article that a rule puts into the topic."""

    title: str
    url: str
    score: float
    reason: str

    @classmethod
    def of(cls, one: topic_trial.Matched) -> Matched:
        """Return a match as the API tells it."""
        return cls(title=one.title, url=one.url, score=one.score, reason=one.reason)


class TextTried(Told):
    """What a rule makes of one article or text."""

    title: str
    is_matched: bool
    score: float | None
    reason: str


class RuleTrial(Told):
    """What a rule does, beside the one that stands. At most 200 articles of each kind are named."""

    looked_at: int = Field(description="Articles that were looked at.")
    matched: list[Matched] = Field(description="The best first.")
    gained: list[Matched]
    lost: list[Matched]
    into: list[str] = Field(description="Titles that the coming issue would hold besides.")
    out_of: list[str] = Field(description="Titles that it would not hold any more.")
    text: TextTried | None


@router.put("/newsletters/{newsletter}/topics", **asks(Right.SHAPE))
def order_topics(
    runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, given: Order
) -> Listed[Topic]:
    """Let a newsletter's topics stand in this order, as the sections of its mail do."""
    was = given.was if given.was is not None else [topic.slug for topic in _listed(runtime, newsletter)]
    topics.move(runtime, newsletter, given.order, was, by=caller.name)
    return whole(_listed(runtime, newsletter), Topic.of)


@router.post("/newsletters/{newsletter}/topics/try", **asks(Right.SHAPE))
def try_rule(runtime: TheRuntime, newsletter: NewsletterName, tried: RuleTried) -> RuleTrial:
    """Say what a rule would match, and what that changes of the coming issue. Nothing is saved."""
    given = tried.model_dump(exclude_none=True, include={"phrases", "categories", "sources", "query"})

    def propose(stands: TopicRule) -> TopicRule:
        return topics.rule_of(given, stands)

    slug = TopicSlug(tried.topic)
    found = topic_trial.try_topic(runtime, newsletter, slug, propose, days=tried.days)
    text = None
    if tried.text.strip():
        one = topic_trial.try_text(runtime, newsletter, slug, propose, tried.text.strip())
        text = TextTried(
            title=one.title,
            is_matched=one.match is not None,
            score=one.match.score if one.match else None,
            reason=one.match.reason if one.match else "",
        )
    return RuleTrial(
        looked_at=found.looked_at,
        matched=[Matched.of(one) for one in found.matched[:SHOWN]],
        gained=[Matched.of(one) for one in found.gained[:SHOWN]],
        lost=[Matched.of(one) for one in found.lost[:SHOWN]],
        into=list(found.into),
        out_of=list(found.out_of),
        text=text,
    )


def _listed(runtime: Runtime, newsletter: str) -> tuple[TopicOf, ...]:
    with reading(runtime.engine) as session:
        return list_topics(session, get_newsletter(session, newsletter).id)
