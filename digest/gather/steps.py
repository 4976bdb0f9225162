"""Poll a newsletter's sources and keep what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.domain.articles import Article, DateOrigin
from digest.domain.errors import DigestError, InvalidInput, Refused, Unavailable
from digest.domain.newsletters import NewsletterId, Source, SourceKind
from digest.domain.times import Window
from digest.gather.duplicates import group_stories
from digest.gather.extract import read_entry, read_page
from digest.gather.feeds import Entry, Feed, read_feed
from digest.gather.fetch import Fetched, Fetcher
from digest.gather.listing import article_links
from digest.gather.urls import canonical_url
from digest.store.articles import articles_in, known_urls, record_article, record_sighting, record_stories
from digest.store.database import reading, writing
from digest.store.sources import list_sources, record_failure, record_success

log = structlog.get_logger(__name__)

_SOURCES_AT_ONCE = 20
_PAGES_AT_ONCE = 4
"""Pages of one source fetched side by side: a site's other visitors should not notice us."""


@dataclass(slots=True)
class Polled:
    """How one source's poll went. `error` is '' when the source itself could be read.

    `listed` counts its articles; they were `new`, `known` already or `outside` the window. `problems`
    are sentences about single articles.
    """

    source: str
    listed: int = 0
    new: int = 0
    known: int = 0
    outside: int = 0
    unchanged: bool = False
    problems: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Lead:
    """An article to look at: its address, and the feed's entry where a feed told of it."""

    url: str
    entry: Entry | None
    feed_language: str | None


async def gather(
    engine: Engine,
    newsletter_id: NewsletterId,
    window: Window,
    *,
    fetcher: Fetcher,
    now: datetime,
    on_polled: Callable[[Polled], None] = lambda _: None,
) -> tuple[Polled, ...]:
    """Poll every source of a newsletter, store what `window` holds and tie reports of one event together.

    A source that fails is reported and recorded with it; the others go on.
    """
    with reading(engine) as session:
        sources = list_sources(session, newsletter_id)
    places = asyncio.Semaphore(_SOURCES_AT_ONCE)

    async def poll(source: Source) -> Polled:
        async with places:
            polled = await _Poll(engine, newsletter_id, source, window, fetcher, now).run()
        on_polled(polled)
        return polled

    polls = await asyncio.gather(*map(poll, sources))
    await asyncio.to_thread(_tie_stories, engine, newsletter_id, window)
    return tuple(polls)


class _Poll:
    """One source's turn: list, fetch what is unknown, record."""

    def __init__(
        self,
        engine: Engine,
        newsletter_id: NewsletterId,
        source: Source,
        window: Window,
        fetcher: Fetcher,
        now: datetime,
    ) -> None:
        self._engine = engine
        self._newsletter_id = newsletter_id
        self._source = source
        self._window = window
        self._fetcher = fetcher
        self._now = now
        self._polled = Polled(source.name)

    async def run(self) -> Polled:
        try:
            fetched = await self._fetcher.fetch(
                self._source.url, etag=self._source.etag, last_modified=self._source.last_modified
            )
            if fetched.status == 304:
                self._polled.unchanged = True
                self._succeed(fetched)
                return self._polled
            leads = await asyncio.to_thread(self._leads, fetched)
        except (Unavailable, Refused, InvalidInput) as exc:
            return self._fail(exc)
        await self._take_in(leads)
        self._succeed(fetched)
        return self._polled

    def _leads(self, fetched: Fetched) -> list[_Lead]:
        """Return the source's articles once each, in its order."""
        if self._source.kind is SourceKind.PAGE:
            links = article_links(fetched.body, url=fetched.url, pattern=self._source.link_pattern or None)
            return [_Lead(link, None, None) for link in links]
        feed: Feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type)
        by_url: dict[str, _Lead] = {}
        for entry in feed.entries:
            try:
                url = canonical_url(entry.url)
            except InvalidInput as exc:
                self._polled.problems.append(f"'{entry.title}': {exc}")
                continue
            by_url.setdefault(url, _Lead(url, entry, feed.language))
        return list(by_url.values())

    async def _take_in(self, leads: list[_Lead]) -> None:
        self._polled.listed = len(leads)
        with reading(self._engine) as session:
            known = known_urls(session, self._newsletter_id, [lead.url for lead in leads])
        with writing(self._engine) as session:
            for url in known:
                record_sighting(session, self._newsletter_id, self._source.id, url, now=self._now)
        self._polled.known = len(known)
        wanted = [lead for lead in leads if lead.url not in known and self._may_be_inside(lead)]
        self._polled.outside = len(leads) - len(known) - len(wanted)
        places = asyncio.Semaphore(_PAGES_AT_ONCE)

        async def read(lead: _Lead) -> None:
            async with places:
                await self._read(lead)

        await asyncio.gather(*map(read, wanted))

    def _may_be_inside(self, lead: _Lead) -> bool:
        """Whether the article may belong to the window: one that tells no date has to be opened."""
        published_at = lead.entry.published_at if lead.entry else None
        return published_at is None or published_at in self._window

    async def _read(self, lead: _Lead) -> None:
        try:
            article = await self._article(lead)
        except DigestError as exc:
            self._polled.problems.append(str(exc))
            return
        if article.published_at is not None and article.published_at not in self._window:
            self._polled.outside += 1
            return
        is_new = await asyncio.to_thread(self._record, article)
        self._polled.new += is_new
        self._polled.known += not is_new

    async def _article(self, lead: _Lead) -> Article:
        """Return the article as its page tells it or, when that cannot be read, as the feed does."""
        try:
            fetched = await self._fetcher.fetch(lead.url)
            page = await asyncio.to_thread(
                read_page, fetched.body, url=fetched.url, encoding=fetched.encoding
            )
        except (Unavailable, Refused, InvalidInput) as exc:
            if lead.entry is None:
                raise
            from_feed = read_entry(lead.entry, feed_language=lead.feed_language)
            if not from_feed.blocks:
                raise
            self._polled.problems.append(f"{exc}; the feed's own text is used")
            return replace(from_feed, url=lead.url)
        return page if lead.entry is None else _with_entry(page, lead.entry)

    def _record(self, article: Article) -> bool:
        with writing(self._engine) as session:
            return record_article(session, self._newsletter_id, self._source.id, article, now=self._now)

    def _succeed(self, fetched: Fetched) -> None:
        # With an article missing, the next poll has to see the whole list again, not a 304.
        is_whole = not self._polled.problems
        with writing(self._engine) as session:
            record_success(
                session,
                self._source.id,
                etag=(fetched.etag or self._source.etag) if is_whole else None,
                last_modified=(fetched.last_modified or self._source.last_modified) if is_whole else None,
                now=self._now,
            )

    def _fail(self, exc: DigestError) -> Polled:
        self._polled.error = str(exc)
        with writing(self._engine) as session:
            record_failure(session, self._source.id, str(exc), now=self._now)
        log.warning("source.failed", source=self._source.name, reason=str(exc))
        return self._polled


def _with_entry(page: Article, entry: Entry) -> Article:
    """Return the page's article with what its feed knows better: the day, the plain title, the labels."""
    labels = dict.fromkeys((*entry.categories, *page.categories))
    published_at = entry.published_at or page.published_at
    return replace(
        page,
        title=entry.title or page.title,
        byline=page.byline or entry.author,
        published_at=published_at,
        published_by=DateOrigin.FEED if entry.published_at else page.published_by,
        categories=tuple(labels),
    )


def _tie_stories(engine: Engine, newsletter_id: NewsletterId, window: Window) -> None:
    with reading(engine) as session:
        stored = articles_in(session, newsletter_id, window)
    stories = group_stories([entry.article for entry in stored])
    with writing(engine) as session:
        record_stories(session, [[stored[index].id for index in story] for story in stories])
