"""Less of something: muting a topic for a while, and fewer articles like one that was sent.

A mail links here with its reader's own link to their preferences; the path says which topic or article. As
mail scanners open every link, GET and HEAD only ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.compose.phrases import Phrases
from digest.domain.errors import NotFound
from digest.domain.less import MUTED_FOR, source_key
from digest.pipeline import muting
from digest.pipeline.reader_pauses import zone_of_reader
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.less import less_of, muted_until
from digest.track import less
from digest.track.tokens import SubscriptionLink
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.links import PreferencesLink
from digest.web.readers import reader_view
from digest.web.sent_articles import SentArticle, sent_article
from digest.web.templating import Pages
from digest.web.views import TopicView

router = APIRouter(tags=[FOR_READERS])

MUTE = "/preferences/{token}/mute/{topic}"
FEWER = "/preferences/{token}/fewer/{issue_id}/{position}"
LESS = "/preferences/{token}/less"

# Larger numbers do not fit the column, and PostgreSQL would call them an error.
IssueNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
Position = Annotated[int, Path(ge=0, le=10_000)]
Act = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class LessLine:
    """Something a reader wants less of. `kind` is single or source; `key` names it in the form."""

    kind: str
    key: str
    name: str


def muted_days(runtime: Runtime, link: SubscriptionLink, spoken: Phrases) -> dict[str, str]:
    """Return until which day each muted topic is, by its short name."""
    who, now = (link.newsletter_id, link.subscriber_id), runtime.clock()
    tz = zone_of_reader(runtime.engine, *who)
    with reading(runtime.engine) as session:
        until = muted_until(session, *who, now=now)
    return {str(topic): _day(end, tz, spoken) for topic, end in until.items()}


def less_lines(runtime: Runtime, link: SubscriptionLink) -> tuple[LessLine, ...]:
    """Return what a reader wants less of, but for mutes, for the page on which they end it."""
    reader = reader_view(runtime, link)
    with reading(runtime.engine) as session:
        wants = less_of(session, link.newsletter_id, link.subscriber_id, after=runtime.clock())
    lines = [LessLine("single", one.slug, one.name) for one in reader.topics if one.slug in wants.single]
    lines += [LessLine("source", name, name) for name in sorted(wants.sources)]
    return tuple(lines)


@router.api_route(MUTE, methods=READ)
def show_mute(
    runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str, topic: str
) -> HTMLResponse:
    """Ask whether to mute a topic for a month, or show until when it is."""
    return _mute_page(runtime, pages, link, token, topic, "")


@router.post(MUTE)
def mute(
    runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str, topic: str, act: Act
) -> HTMLResponse:
    """Mute a topic, or end that."""
    who = link.newsletter_id, link.subscriber_id
    if act == "end":
        less.unmute(runtime.engine, *who, topic)
    elif act == "mute":
        muting.mute(runtime, *who, topic)
    return _mute_page(runtime, pages, link, token, topic, act)


@router.api_route(FEWER, methods=READ)
def show_fewer(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    issue_id: IssueNumber,
    position: Position,
) -> HTMLResponse:
    """Ask of what there is to be less: of the topic of an article that was sent, or of its source."""
    return _fewer_page(runtime, pages, link, token, sent_article(runtime, link, issue_id, position))


@router.post(FEWER)
def fewer(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    issue_id: IssueNumber,
    position: Position,
    act: Act,
) -> HTMLResponse:
    """Want less of the topic or of the source of an article, or all of it again."""
    article = sent_article(runtime, link, issue_id, position)
    who, now = (link.newsletter_id, link.subscriber_id), runtime.clock()
    if act in ("single", "every"):
        less.want_single(runtime.engine, *who, article.topic, is_single=act == "single", now=now)
    elif act in ("nothing", "again"):
        less.want_nothing_of(runtime.engine, *who, article.source, is_unwanted=act == "nothing", now=now)
    return _fewer_page(runtime, pages, link, token, article)


@router.post(LESS)
def end_less(runtime: TheRuntime, link: PreferencesLink, token: str, end: Act) -> RedirectResponse:
    """End one of the things that the page of preferences lists, and show that page."""
    kind, _, key = end.partition(":")
    who, now = (link.newsletter_id, link.subscriber_id), runtime.clock()
    if kind == "mute":
        less.unmute(runtime.engine, *who, key)
    elif kind == "single":
        less.want_single(runtime.engine, *who, key, is_single=False, now=now)
    elif kind == "source":
        less.want_nothing_of(runtime.engine, *who, key, is_unwanted=False, now=now)
    return RedirectResponse(f"{runtime.link('preferences', token)}#less", status_code=303)


def _mute_page(
    runtime: Runtime, pages: Pages, link: SubscriptionLink, token: str, slug: str, act: str
) -> HTMLResponse:
    reader = reader_view(runtime, link)
    topic = next((one for one in reader.topics if one.slug == slug), None)
    if topic is None:
        raise NotFound(f"newsletter {link.newsletter_id} has no topic '{slug}'")
    spoken = pages.phrases(*reader.languages)
    now = runtime.clock()
    muted = muted_days(runtime, link, spoken).get(topic.slug, "")
    would_end = muting.mute_end(runtime, link.newsletter_id, link.subscriber_id)
    tz = zone_of_reader(runtime.engine, link.newsletter_id, link.subscriber_id)
    return pages.reader(
        "mute.html",
        spoken,
        reader=reader,
        token=token,
        topic=topic,
        muted=muted,
        would_end=_day(would_end, tz, spoken),
        is_longer=would_end > now + MUTED_FOR,
        has_ended=act == "end",
    )


def _fewer_page(
    runtime: Runtime, pages: Pages, link: SubscriptionLink, token: str, article: SentArticle
) -> HTMLResponse:
    reader = reader_view(runtime, link)
    with reading(runtime.engine) as session:
        wants = less_of(session, link.newsletter_id, link.subscriber_id, after=runtime.clock())
    topic: TopicView | None = next((one for one in reader.topics if one.slug == article.topic), None)
    return pages.reader(
        "fewer.html",
        pages.phrases(*reader.languages),
        reader=reader,
        token=token,
        article=article,
        # None: the newsletter has it no more.
        topic=topic,
        is_single=article.topic in wants.single,
        is_unwanted=source_key(article.source) in wants.sources,
    )


def _day(moment: datetime, tz: ZoneInfo, spoken: Phrases) -> str:
    return spoken.day(moment.astimezone(tz).date())
