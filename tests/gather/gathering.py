"""A newsletter whose sources are polled through a fake fetcher, and the feeds and pages that it gives."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Engine

from digest.domain.articles import Article
from digest.domain.errors import Refused
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source
from digest.domain.times import Window
from digest.gather.fetching.fetch import ACCEPT_ANY, Fetched
from digest.gather.polled import Polled
from digest.gather.steps import DEFAULT_PATIENCE, Patience, gather, tie_stories
from digest.store.articles import StoredArticle, articles_in
from digest.store.database import reading
from digest.store.sources import get_source, list_sources
from tests.stored import NOW, WINDOW, stored_newsletter, stored_source

FEED, OTHER_FEED = "https://meridian.example.org/feed", "https://northlight.example.org/feed"
URL = "https://meridian.example.org/tides"
DAY = datetime(2026, 11, 18, 9, tzinfo=UTC)
T = TypeVar("T")

ALWAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Asked:
    url: str
    etag: str | None
    last_modified: str | None
    accept: str


class FakeFetcher:
    """Answers with what it was given, or raises it; keeps what it was asked. Unknown URLs are refused.

    `delays` holds back the answer for a URL, so that others overtake it.
    """

    def __init__(self, answers: Mapping[str, Fetched | Exception]) -> None:
        self.answers = dict(answers)
        self.asked: list[Asked] = []
        self.delays: dict[str, float] = {}

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        self.asked.append(Asked(url, etag, last_modified, accept))
        await asyncio.sleep(self.delays.get(url, 0))
        answer = self.answers.get(url, Refused(f"{url} answers 404 Not Found"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def urls(self) -> list[str]:
        return [asked.url for asked in self.asked]


def answer(url: str, body: str = "", **overrides: object) -> Fetched:
    fetched = Fetched(url, 200, "text/html", "utf-8", body.encode())
    return replace(fetched, **overrides)  # type: ignore[arg-type]


def feed(url: str, *entries: str, **overrides: object) -> Fetched:
    body = f'<rss version="2.0"><channel><title>F</title>{"".join(entries)}</channel></rss>'
    return answer(url, body, **{"content_type": "application/rss+xml"} | overrides)


def entry(
    url: str, *, title: str = "", day: datetime | None = DAY, text: str = "", categories: tuple[str, ...] = ()
) -> str:
    date = f"<pubDate>{day:%a, %d %b %Y %H:%M:%S} +0000</pubDate>" if day else ""
    labels = "".join(f"<category>{label}</category>" for label in categories)
    description = f"<description><![CDATA[{text}]]></description>" if text else ""
    return f"<item><title>{title or url}</title><link>{url}</link>{date}{labels}{description}</item>"


def prose(subject: str) -> str:
    return "".join(
        f"<p>What was found about {subject} in the {nth} part of the study is told here, at some length, so "
        f"that it reads as a paragraph of an article about {subject} and not as a caption.</p>"
        for nth in ("first", "second", "third")
    )


def page(url: str, subject: str = "tides", *, head: str = "") -> Fetched:
    title = f"<title>All about {subject}</title>"
    return answer(
        url,
        f"<html lang=en><head>{title}{head}</head><body><article>{prose(subject)}</article></body></html>",
    )


async def parse_here(function: Callable[..., T], /, *args: object, **kwargs: object) -> T:
    """Read a document in this process."""
    return await asyncio.to_thread(function, *args, **kwargs)


class Gathering:
    """A newsletter with sources, gathered through a fake fetcher."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)

    def source(self, name: str = "Meridian", **overrides: object) -> Source:
        return stored_source(self.engine, self.newsletter, name, **overrides)

    def run(
        self,
        fetcher: FakeFetcher,
        since: datetime = WINDOW.start,
        *,
        now: datetime = NOW,
        patience: Patience = DEFAULT_PATIENCE,
        on_polled: Callable[[Polled], None] = lambda _: None,
    ) -> dict[str, Polled]:
        with reading(self.engine) as session:
            sources = list_sources(session, self.newsletter.id)
        polls = asyncio.run(
            gather(
                self.engine,
                sources,
                since={self.newsletter.id: since},
                fetcher=fetcher,
                parse=parse_here,
                now=now,
                patience=patience,
                on_polled=on_polled,
            )
        )
        tie_stories(self.engine, self.newsletter.id, since, now)
        return {polled.source: polled for polled in polls}

    def run_one(
        self,
        fetcher: FakeFetcher,
        since: datetime = WINDOW.start,
        *,
        now: datetime = NOW,
        patience: Patience = DEFAULT_PATIENCE,
    ) -> Polled:
        (polled,) = self.run(fetcher, since, now=now, patience=patience).values()
        return polled

    @property
    def stored(self) -> list[StoredArticle]:
        with reading(self.engine) as session:
            return sorted(
                articles_in(session, self.newsletter.id, ALWAYS), key=lambda stored: stored.article.url
            )

    @property
    def articles(self) -> list[Article]:
        return [stored.article for stored in self.stored]

    def now_stored(self, source: Source) -> Source:
        with reading(self.engine) as session:
            return get_source(session, self.newsletter.id, source.name)


def front(*links: str) -> Fetched:
    home = "https://meridian.example.org/"
    return answer(home, "".join(f'<p><a href="{link}">An article about tides</a></p>' for link in links))


def dated(url: str, day: str) -> Fetched:
    return page(url, head=f'<meta property="article:published_time" content="{day}">')
