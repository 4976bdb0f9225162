"""An article that an editor adds by hand: wanted in the coming issue, whenever it was published."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.articles import Article
from digest.domain.issues import IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.gather.pages.extract import NoArticle, read_fetched
from digest.gather.urls import comparison_key, given_url
from digest.pipeline.run import current_window
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import find_issue
from digest.store.newsletters import get_newsletter, get_topic
from digest.store.recording import AddedByHand, Recorded, record_article

_CHANGEABLE = frozenset({IssueState.DRAFT})


@dataclass(frozen=True, slots=True)
class Added:
    """An article added by hand, what recording it came to, and the window whose issue it is wanted in."""

    article: Article
    recorded: Recorded
    window: Window


def add_article(
    runtime: Runtime,
    slug: str,
    url: str,
    *,
    topics: Collection[str],
    by: str,
    window: Window | None = None,
) -> Added:
    """Fetch the article at `url` and have an issue of a newsletter consider it: of `window`, or the next.

    `topics` are given to it beside those the rules find. Raises `InvalidInput` for what is no address,
    `NoArticle` for what holds no article, and `Refused` or `Unavailable` when it cannot be fetched.
    """
    url = given_url(url)
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        given = tuple(get_topic(session, newsletter.id, topic).slug for topic in topics)
    article, met_at = asyncio.run(_read(runtime, url, now))
    window = window or _coming(runtime, newsletter, now)
    wish = AddedByHand(by, given, _counted_at(article.published_at, window, now))
    keys = {comparison_key(address) for address in (url, met_at, article.url)}
    with writing(runtime.engine) as session:
        recorded = record_article(session, newsletter.id, None, article, now=now, keys=keys, by_hand=wish)
    return Added(article, recorded, window)


async def _read(runtime: Runtime, url: str, now: datetime) -> tuple[Article, str]:
    """Return the article at `url`, and where redirects led."""
    async with runtime.fetcher(runtime.engine) as fetcher, runtime.parsers() as parsers:
        fetched = await fetcher.fetch(url)
        article = await parsers.call(read_fetched, fetched, now=now)
    if not article.blocks:
        raise NoArticle(f"{url} holds no text that reads like an article: nothing was added")
    return article, fetched.url


def _coming(runtime: Runtime, newsletter: Newsletter, now: datetime) -> Window:
    """Return the window of the next issue that can still take an article in."""
    window = current_window(newsletter, now)
    with reading(runtime.engine) as session:
        issue = find_issue(session, newsletter.id, window)
    if issue is None or issue.state in _CHANGEABLE:
        return window
    return Window(window.end, window.end + (window.end - window.start))


def _counted_at(published_at: datetime | None, window: Window, now: datetime) -> datetime:
    """Return the moment nearest to its publication that lies in the window."""
    last = window.end - timedelta(seconds=1)
    return min(max(published_at or now, window.start), last)
