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
from digest.gather.extract import read_entry, read_page
from digest.gather.feeds import Entry, Feed, read_feed
from digest.gather.fetch import ACCEPT_ANY, ACCEPT_FEED, Fetched, Fetcher
from digest.gather.listing import article_links
from digest.gather.stories import find_stories
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
        self._lists_later = False

    async def run(self) -> Polled:
        try:
            fetched = await self._fetch_list()
            if fetched.status == 304:
                self._polled.unchanged = True
                await asyncio.to_thread(self._stay, fetched)
                return self._polled
            leads = await asyncio.to_thread(self._leads, fetched)
        except (Unavailable, Refused, InvalidInput) as exc:
            return await asyncio.to_thread(self._fail, str(exc))
        except Exception as exc:
            # A stranger's document met a fault of a parser: that is no reason to lose the other sources.
            log.exception("source.crashed", source=self._source.name)
            return await asyncio.to_thread(self._fail, _crash(self._source.url, exc))
        await self._take_in(leads)
        await asyncio.to_thread(self._succeed, fetched)
        return self._polled

    async def _fetch_list(self) -> Fetched:
        """Ask for the list, or only whether it changed when everything it listed for the window is stored."""
        source, since = self._source, self._source.complete_since
        is_complete = since is not None and since <= self._window.start
        return await self._fetcher.fetch(
            source.url,
            etag=source.etag if is_complete else None,
            last_modified=source.last_modified if is_complete else None,
            accept=ACCEPT_FEED if source.kind is SourceKind.FEED else ACCEPT_ANY,
        )

    def _leads(self, fetched: Fetched) -> list[_Lead]:
        """Return the source's articles once each, in its order."""
        if self._source.kind is SourceKind.PAGE:
            links = article_links(fetched.body, url=fetched.url, pattern=self._source.link_pattern or None)
            return [_Lead(link, None, None) for link in links]
        feed: Feed = read_feed(
            fetched.body,
            url=fetched.url,
            content_type=fetched.content_type,
            encoding=fetched.encoding,
            now=self._now,
        )
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
        known = await asyncio.to_thread(self._see, [lead.url for lead in leads])
        self._polled.known = len(known)
        wanted = [lead for lead in leads if lead.url not in known and self._may_be_inside(lead)]
        self._polled.outside = len(leads) - len(known) - len(wanted)
        places = asyncio.Semaphore(_PAGES_AT_ONCE)

        async def read(lead: _Lead) -> None:
            async with places:
                await self._read(lead)

        await asyncio.gather(*map(read, wanted))

    def _see(self, urls: list[str]) -> frozenset[str]:
        """Record that the source lists these, and return those that are stored already."""
        with writing(self._engine) as session:
            known = known_urls(session, self._newsletter_id, urls)
            # In one order, so that two sources that list the same articles never wait for each other.
            for url in sorted(known):
                record_sighting(session, self._newsletter_id, self._source.id, url, now=self._now)
        return known

    def _may_be_inside(self, lead: _Lead) -> bool:
        """Whether the article may belong to the window: one that tells no date has to be opened."""
        return not self._is_outside(lead.entry.published_at if lead.entry else None)

    def _is_outside(self, published_at: datetime | None) -> bool:
        if published_at is None or published_at in self._window:
            return False
        self._lists_later |= published_at >= self._window.end
        return True

    async def _read(self, lead: _Lead) -> None:
        try:
            article = await self._article(lead)
        except DigestError as exc:
            self._polled.problems.append(str(exc))
            return
        except Exception as exc:
            log.exception("article.crashed", source=self._source.name, url=lead.url)
            self._polled.problems.append(_crash(lead.url, exc))
            return
        if self._is_outside(article.published_at):
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
                read_page, fetched.body, url=fetched.url, encoding=fetched.encoding, now=self._now
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

    def _stay(self, fetched: Fetched) -> None:
        """Record that nothing changed. A 304 need not repeat its validators (RFC 9110 §15.4.5)."""
        self._record_success(
            fetched.etag or self._source.etag,
            fetched.last_modified or self._source.last_modified,
            self._source.complete_since,
        )

    def _succeed(self, fetched: Fetched) -> None:
        """Record that the list was read.

        With an article missing, or one that only the next window will want, the next poll has to see the
        whole list again and not a 304.
        """
        if self._polled.problems or self._lists_later:
            self._record_success(None, None, None)
        else:
            self._record_success(fetched.etag, fetched.last_modified, self._window.start)

    def _record_success(
        self, etag: str | None, last_modified: str | None, complete_since: datetime | None
    ) -> None:
        with writing(self._engine) as session:
            record_success(
                session,
                self._source.id,
                etag=etag,
                last_modified=last_modified,
                complete_since=complete_since,
                now=self._now,
            )

    def _fail(self, error: str) -> Polled:
        self._polled.error = error
        with writing(self._engine) as session:
            record_failure(session, self._source.id, error, now=self._now)
        log.warning("source.failed", source=self._source.name, reason=error)
        return self._polled


def _crash(url: str, exc: Exception) -> str:
    return f"{url} could not be read: it brought down our reader ({type(exc).__name__}); see the log"


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
    # The window before counts too: what was told last week is no news when another source tells it today.
    both = Window(window.start - (window.end - window.start), window.end)
    with reading(engine) as session:
        stored = articles_in(session, newsletter_id, both)
    stories = find_stories([entry.article for entry in stored])
    with writing(engine) as session:
        record_stories(session, [[stored[index].id for index in story.members] for story in stories])
