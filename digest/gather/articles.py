"""The articles that a source lists: which pages are worth opening, what they say, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session

from digest.domain.articles import Article, DateOrigin, TextOrigin
from digest.domain.errors import DigestError, Gone
from digest.domain.sources import Source
from digest.gather.feeds.entries import Entry
from digest.gather.fetching.fetch import Fetcher
from digest.gather.lists import Mention, Parse
from digest.gather.page_queue import PageQueue
from digest.gather.pages.extract import read_entry, read_fetched
from digest.gather.polled import Polled
from digest.gather.urls import comparison_key
from digest.store.articles import Known, known_articles
from digest.store.links import PassedLink, forget_passed, passed_links, record_backlog, record_passed
from digest.store.polls import record_first_list
from digest.store.recording import Recorded, record_article, record_sightings

log = structlog.get_logger(__name__)

T = TypeVar("T")

PAGES_AT_ONCE = 2
"""Pages of one source under way side by side: one is fetched while the other is read."""
TRIES = 5
FIRST_RETRY = timedelta(hours=1)
"""A page that cannot be read is tried this often, each pause twice the one before: about a day in all."""
LOOK_AGAIN_AFTER = timedelta(hours=6)
"""A feed may tell something new of an article at each poll; its page is opened again no more often."""
UNDATED_AT_FIRST = 10
"""Of a source's first list, so many at its top may come in without any date: the others may be years old."""
REDATED = timedelta(days=2)
"""When a feed dates an article so much later than its page does, the feed has only republished it."""


class Store(Protocol):
    """Does work in a transaction of its own, when it is its turn."""

    async def __call__(self, work: Callable[[Session], T]) -> T:
        """Return what `work` returns, or raise what it raises."""
        ...


class ListedArticles:
    """The articles of a source's list. What becomes of them is counted in `polled`.

    Afterwards `is_to_retry` tells whether one of them wants another look at a later poll.
    """

    def __init__(
        self,
        source: Source,
        *,
        since: datetime,
        fetcher: Fetcher,
        parse: Parse,
        store: Store,
        now: datetime,
        reservation: str,
        polled: Polled,
    ) -> None:
        self._source = source
        self._since = since
        self._pages = PageQueue(fetcher)
        self._parse = parse
        self._store = store
        self._now = now
        self._reservation = reservation
        self._polled = polled
        self.is_to_retry = False

    async def take_in(self, mentions: tuple[Mention, ...]) -> None:
        """Open the pages worth it and store what they say. When cut off, `polled.later` were not reached."""
        self._polled.listed = len(mentions)
        known, passed = await self._store(lambda session: self._look_up(session, mentions))
        wanted = [
            mention
            for mention in mentions
            if self._is_wanted(mention, known.get(mention.key), passed.get(mention.key))
        ]
        self._count(mentions, wanted, known, passed)
        places = asyncio.Semaphore(PAGES_AT_ONCE)

        async def read(mention: Mention) -> None:
            async with places:
                await self._read(mention, known.get(mention.key), passed.get(mention.key))
            self._polled.later -= 1

        try:
            async with asyncio.TaskGroup() as readers:
                for mention in wanted:
                    readers.create_task(read(mention))
        except ExceptionGroup as group:
            # None of the others reads on: whoever asked has gone by then. The first tells what is wrong.
            raise group.exceptions[0] from group

    def _count(
        self,
        mentions: Collection[Mention],
        wanted: Collection[Mention],
        known: Collection[str],
        passed: Mapping[str, PassedLink],
    ) -> None:
        """Count what is not opened now, and why; what is wanted counts as later until it is read."""
        polled, waiting = self._polled, {one.key for one in mentions} - {one.key for one in wanted}
        polled.later = len(wanted)
        polled.known = sum(one.key in known for one in mentions) - sum(one.key in known for one in wanted)
        polled.failed = sum(link.tries > 0 for key, link in passed.items() if key in waiting - set(known))
        polled.outside = polled.listed - polled.known - polled.later - polled.failed

    def _look_up(
        self, session: Session, mentions: tuple[Mention, ...]
    ) -> tuple[Mapping[str, Known], Mapping[str, PassedLink]]:
        """Return what is known of the listed articles by key, and note that this source lists them."""
        source, keys = self._source, [mention.key for mention in mentions]
        known = known_articles(session, source.newsletter_id, source.id, keys)
        unseen = {
            known[mention.key].id: mention.mark
            for mention in mentions
            if mention.key in known and known[mention.key].mark is None
        }
        record_sightings(session, source.id, unseen, now=self._now)
        if mentions and source.standing.listed_at is None:
            self._set_backlog_apart(session, mentions, known)
        return known, passed_links(session, source.id, keys, now=self._now)

    def _set_backlog_apart(
        self, session: Session, mentions: tuple[Mention, ...], known: Collection[str]
    ) -> None:
        """Mark what the source's first list holds without a date, but for a few at its top.

        All at once and before any page is opened: however many polls the first list takes, and whichever of
        them is cut off, the others are known for what was there before.
        """
        undated = [
            mention.key
            for mention in mentions[UNDATED_AT_FIRST:]
            if mention.key not in known and _may_be_undated(mention.entry, self._since)
        ]
        record_backlog(session, self._source.id, undated, now=self._now)
        record_first_list(session, self._source, now=self._now)

    def _is_wanted(self, mention: Mention, known: Known | None, passed: PassedLink | None) -> bool:
        """Whether an article's page is worth opening."""
        if known is not None:
            return known.counted_at >= self._since and self._tells_more(mention, known, passed)
        if passed is not None:
            return self._is_due(passed) or (
                passed.published_at is not None and passed.published_at >= self._since
            )
        return not self._is_outside(_listed_at(mention.entry))

    def _tells_more(self, mention: Mention, known: Known, passed: PassedLink | None) -> bool:
        """Whether a known article's page may say something else now, and has not failed just before."""
        if passed is not None and passed.next_try_at is not None:
            return self._is_due(passed)
        is_given_up = passed is not None and passed.tries > 0
        if is_given_up and known.text_origin is TextOrigin.PAGE:
            return False
        is_news = known.mark is not None and known.mark != mention.mark
        is_time = self._now - known.read_at >= LOOK_AGAIN_AFTER
        self.is_to_retry |= is_news and not is_time
        return is_news and is_time

    def _is_due(self, passed: PassedLink) -> bool:
        """Whether to try a page by now. One whose time is to come wants the list read again."""
        if passed.next_try_at is None:
            return False
        self.is_to_retry |= passed.next_try_at > self._now
        return passed.next_try_at <= self._now

    def _is_outside(self, moment: datetime | None) -> bool:
        return moment is not None and moment < self._since

    async def _read(self, mention: Mention, known: Known | None, passed: PassedLink | None) -> None:
        """Open an article's page and store what it says, or remember why not."""
        link = passed or PassedLink(mention.key, "")
        try:
            article, urls = await self._article(mention)
        except DigestError as exc:
            await self._pass_over(self._retry(link, str(exc), is_final=isinstance(exc, Gone)))
            return
        except Exception as exc:
            log.exception("article.crashed", source=self._source.name, url=mention.url)
            await self._pass_over(self._retry(link, why_crashed(mention.url, exc), is_final=True))
            return
        reason = None if known else self._why_not(article, link)
        # While nobody has seen its page, that may still tell a date, or more of its text.
        wants_page = article.note and not (reason and article.published_at)
        retry = self._retry(link, article.note) if wants_page else None
        if reason:
            settled = PassedLink(mention.key, reason, article.published_at, is_backlog=link.is_backlog)
            await self._pass_over(retry or settled)
            return
        recorded = await self._store(lambda session: self._record(session, mention, article, urls, retry))
        self._polled.new += recorded is Recorded.NEW
        self._polled.updated += recorded is Recorded.UPDATED
        self._polled.known += recorded is Recorded.KNOWN

    def _retry(self, link: PassedLink, reason: str, *, is_final: bool = False) -> PassedLink:
        """Return when to look at a page again that could not be read; the last time is never."""
        self._polled.problems.append(reason)
        tries = link.tries + 1
        is_final |= tries >= TRIES
        self.is_to_retry |= not is_final
        pause = max(FIRST_RETRY * 2 ** (tries - 1), self._pages.wanted_quiet or timedelta())
        next_try_at = None if is_final else self._now + pause
        return replace(link, reason=reason, tries=tries, next_try_at=next_try_at)

    async def _pass_over(self, link: PassedLink) -> None:
        self._polled.failed += link.tries > 0
        self._polled.outside += link.tries == 0
        await self._store(lambda session: record_passed(session, self._source.id, link, now=self._now))

    def _why_not(self, article: Article, link: PassedLink) -> str | None:
        """Say why a page that could be read is not wanted."""
        if self._is_outside(article.published_at):
            return "it was published before the days the next issue covers"
        if article.published_at is None and link.is_backlog:
            return "it has no date and was there before the source was first polled"
        return None

    async def _article(self, mention: Mention) -> tuple[Article, frozenset[str]]:
        """Return the article as its page tells it or, when that cannot be read, as the feed does.

        With it come the addresses it was met under.
        """
        try:
            fetched = await self._pages.fetch(mention.url)
            page = await self._parse(read_fetched, fetched, now=self._now)
        except DigestError as exc:
            return await self._from_feed(mention, exc), frozenset({mention.url})
        article = page if mention.entry is None else _with_entry(page, mention.entry)
        article = self._of_source(article, fetched.reservation)
        return article, frozenset({mention.url, fetched.url, article.url})

    async def _from_feed(self, mention: Mention, exc: DigestError) -> Article:
        """Return the article in the feed's own words, or raise `exc` when it says too little."""
        if mention.entry is None:
            raise exc
        told = await self._parse(read_entry, mention.entry, feed_language=mention.language)
        if not told.blocks:
            raise exc
        article = replace(told, url=mention.url, note=f"{exc}; the feed's own text is used")
        return self._of_source(article, "")

    def _of_source(self, article: Article, reservation: str) -> Article:
        """Return the article with what its source and its server say of it."""
        return replace(
            article,
            language=article.language or self._source.language,
            reservation=article.reservation or reservation or self._reservation,
        )

    def _record(
        self,
        session: Session,
        mention: Mention,
        article: Article,
        urls: frozenset[str],
        retry: PassedLink | None,
    ) -> Recorded:
        source = self._source
        if retry:
            record_passed(session, source.id, retry, now=self._now)
        else:
            forget_passed(session, source.id, mention.key)
        return record_article(
            session,
            source.newsletter_id,
            source.id,
            article,
            now=self._now,
            keys=frozenset(map(comparison_key, urls)),
            mark=mention.mark,
        )


def _listed_at(entry: Entry | None) -> datetime | None:
    """Return the latest day an article can be of, as its list tells: published, or last changed."""
    return (entry.published_at or entry.updated_at) if entry else None


def _may_be_undated(entry: Entry | None, since: datetime) -> bool:
    """Whether only its page may tell when an article was published: its list dates no more than a change."""
    if entry is None:
        return True
    return entry.published_at is None and (entry.updated_at is None or entry.updated_at >= since)


def why_crashed(url: str, exc: Exception) -> str:
    """Say that a document of a stranger met a fault of ours."""
    return f"{url} could not be read: it brought down our reader ({type(exc).__name__}); see the log"


def _with_entry(page: Article, entry: Entry) -> Article:
    """Return the page's article with what its feed knows better: the day, the plain title, the labels."""
    labels = dict.fromkeys((*entry.categories, *page.categories))
    by_feed = _believes_feed(page, entry)
    return replace(
        page,
        title=entry.title or page.title,
        byline=page.byline or entry.author,
        published_at=entry.published_at if by_feed else page.published_at,
        published_by=DateOrigin.FEED if by_feed else page.published_by,
        image=page.image or entry.image,
        categories=tuple(labels),
    )


def _believes_feed(page: Article, entry: Entry) -> bool:
    if entry.published_at is None:
        return False
    return page.published_at is None or entry.published_at - page.published_at <= REDATED
