"""One source's turn: read its list, open what is new, store what the issue may want, remember how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.articles import Article, DateOrigin, TextOrigin
from digest.domain.errors import DigestError, Gone, InvalidInput, Refused, Unavailable
from digest.domain.sources import Source
from digest.gather.feeds.entries import Entry
from digest.gather.fetching.fetch import Fetched, Fetcher
from digest.gather.intervals import Asked, after_failure, after_list
from digest.gather.lists import Listing, Mention, Parse, fetch_list, read_list
from digest.gather.pages.extract import read_entry, read_fetched
from digest.gather.urls import comparison_key
from digest.store.articles import Known, known_articles
from digest.store.database import writing
from digest.store.links import (
    PassedLink,
    forget_old_links,
    forget_passed,
    passed_links,
    record_passed,
)
from digest.store.recording import Recorded, record_article, record_sightings
from digest.store.sources import record_move, record_standing, retire_source

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
"""How many articles without any date the first poll of a source takes: the others may be years old."""
REDATED = timedelta(days=2)
"""When a feed dates an article so much later than its page does, the feed has only republished it."""
UNANSWERED_AT_MOST = 2
"""After so many pages of a source that kept us waiting, and none that came, the others are left for later."""
HURRIED_SECONDS = 3.0
"""How long a page may take after another page of the source kept us waiting."""
FAILING_SECONDS = 10.0
"""How long the list of a source that failed last time may take: it need not hold up the others again."""


@dataclass(slots=True)
class Polled:
    """How one source's poll went. `error` is '' when the source itself could be read.

    `listed` counts its articles; they were `new`, `updated` (known, with other words now), `known`, `outside`
    the window or without a date and old, `failed`: their pages cannot be read, now or until they are tried
    again, or `later`: not reached in time, and left for the next poll.
    `problems` are sentences about single articles, `notice` one about the source. `waits_until` is set when
    it was not asked: it wants to be left alone until then or, with an `error`, failed not long ago.
    """

    source: str
    listed: int = 0
    new: int = 0
    updated: int = 0
    known: int = 0
    outside: int = 0
    failed: int = 0
    later: int = 0
    unchanged: bool = False
    problems: list[str] = field(default_factory=list)
    error: str = ""
    notice: str = ""
    waits_until: datetime | None = None


class Poll:
    """Polls one source. `store` runs what touches the database, in turn with the other sources.

    `retry` asks a source that failed before its next try is due.
    """

    def __init__(
        self,
        engine: Engine,
        source: Source,
        *,
        since: datetime,
        fetcher: Fetcher,
        parse: Parse,
        store: Callable[[Callable[[], object]], Awaitable[object]],
        now: datetime,
        seconds: float,
        retry: bool,
    ) -> None:
        self._engine = engine
        self._source = source
        self._since = since
        self._fetcher = fetcher
        self._parse = parse
        self._in_turn = store
        self._now = now
        self._seconds = seconds
        self._retries = retry
        self._polled = Polled(source.name)
        self._reservation = ""
        self._to_retry = False
        self._answered = self._unanswered = 0
        self._wanted_quiet: timedelta | None = None
        self._line = asyncio.Lock()
        self._whole = self._reading = asyncio.timeout(None)

    async def run(self) -> Polled:
        """Poll, and say how it went. Raises nothing that a server or its documents can cause."""
        if self._is_left_alone():
            return self._polled
        try:
            async with asyncio.timeout(self._seconds) as self._whole:
                await self._run()
        except TimeoutError:
            await self._fail(f"{self._source.url} did not answer within {self._seconds:g} s", None)
        except Gone as exc:
            await self._retire(exc)
        except (Unavailable, Refused, InvalidInput) as exc:
            await self._fail(str(exc), getattr(exc, "retry_after", None))
        except Exception as exc:
            # A stranger's document met a fault of ours: that is no reason to lose the other sources.
            log.exception("source.crashed", source=self._source.name)
            await self._fail(_crash(self._source.url, exc), None)
        return self._polled

    async def _parsed(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Have a document read. How long it waits for a reader of ours is not the source's fault."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await self._parse(function, *args, **kwargs)
        finally:
            for limit in (self._whole, self._reading):
                ends_at = limit.when()
                if ends_at is not None and not limit.expired():
                    limit.reschedule(ends_at + clock() - began)

    def _is_left_alone(self) -> bool:
        """Whether the server asked for quiet, or would only say again what it said."""
        standing = self._source.standing
        if standing.wait_until and self._now < standing.wait_until:
            self._polled.waits_until = standing.wait_until
            return True
        if standing.last_error and not self._retries and _is_later(standing.next_poll_at, self._now):
            self._polled.waits_until, self._polled.error = standing.next_poll_at, standing.last_error
            return True
        is_complete = standing.complete_since is not None and standing.complete_since <= self._since
        is_fresh = standing.fresh_until is not None and self._now < standing.fresh_until
        self._polled.unchanged = is_complete and is_fresh and not standing.last_error
        return self._polled.unchanged

    async def _run(self) -> None:
        async with asyncio.timeout(FAILING_SECONDS if self._source.standing.failures else None):
            fetched = await fetch_list(self._source, self._fetcher, since=self._since)
        self._reservation = fetched.reservation
        if fetched.status == 304:
            self._polled.unchanged = True
            await self._store(lambda session: self._stay(session, fetched))
            return
        listing = await read_list(
            self._source,
            fetched,
            fetcher=self._fetcher,
            parse=self._parsed,
            since=self._since,
            now=self._now,
        )
        self._polled.problems += listing.problems
        await self._take_in(listing)
        self._whole.reschedule(None)  # what is left to do is ours
        await self._store(lambda session: self._succeed(session, fetched, listing))

    async def _store(self, work: Callable[[Session], T]) -> T:
        """Do `work` in a transaction of its own, when it is this poll's turn."""

        def in_transaction() -> T:
            with writing(self._engine) as session:
                return work(session)

        return await self._in_turn(in_transaction)  # type: ignore[return-value]

    async def _take_in(self, listing: Listing) -> None:
        self._polled.listed = len(listing.mentions)
        known, passed = await self._store(lambda session: self._look_up(session, listing.mentions))
        wanted = [
            (rank, mention)
            for rank, mention in enumerate(listing.mentions)
            if self._is_wanted(mention, known.get(mention.key), passed.get(mention.key))
        ]
        self._polled.known = sum(mention.key in known for mention in listing.mentions)
        self._polled.known -= sum(mention.key in known for _, mention in wanted)
        settled = set(known) | {mention.key for _, mention in wanted}
        self._polled.failed = sum(link.tries > 0 for key, link in passed.items() if key not in settled)
        self._polled.outside = len(listing.mentions) - self._polled.known - len(wanted) - self._polled.failed
        self._polled.later = len(wanted)
        places = asyncio.Semaphore(PAGES_AT_ONCE)

        async def read(rank: int, mention: Mention) -> None:
            async with places:
                await self._read(mention, rank, known.get(mention.key), passed.get(mention.key))
            self._polled.later -= 1

        reads = [asyncio.create_task(read(rank, mention)) for rank, mention in wanted]
        try:
            # Ends before the source's whole time is up, so that how it went can still be recorded.
            ends_at = (self._whole.when() or 0.0) - 0.1 * self._seconds
            async with asyncio.timeout_at(ends_at) as self._reading:
                await asyncio.gather(*reads)
        except TimeoutError:
            late = f"{self._polled.later} articles were not reached within {self._seconds:g} s"
            self._polled.problems.append(f"{late}: the next poll goes on with them")

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
        return known, passed_links(session, source.id, keys, now=self._now)

    def _is_wanted(self, mention: Mention, known: Known | None, passed: PassedLink | None) -> bool:
        """Whether an article's page is worth opening."""
        if known is not None:
            return known.counted_at >= self._since and self._tells_more(mention, known, passed)
        if passed is not None:
            self._to_retry |= passed.next_try_at is not None and passed.next_try_at > self._now
            return self._is_due(passed) or (
                passed.published_at is not None and passed.published_at >= self._since
            )
        return not self._is_outside(_listed_at(mention.entry))

    def _tells_more(self, mention: Mention, known: Known, passed: PassedLink | None) -> bool:
        if known.text_origin is TextOrigin.FEED and passed is not None:
            self._to_retry |= passed.next_try_at is not None and passed.next_try_at > self._now
            if self._is_due(passed):
                return True
        is_news = known.mark is not None and known.mark != mention.mark
        is_time = self._now - known.read_at >= LOOK_AGAIN_AFTER
        self._to_retry |= is_news and not is_time
        return is_news and is_time

    def _is_due(self, passed: PassedLink) -> bool:
        return passed.next_try_at is not None and passed.next_try_at <= self._now

    def _is_outside(self, moment: datetime | None) -> bool:
        return moment is not None and moment < self._since

    async def _read(
        self, mention: Mention, rank: int, known: Known | None, passed: PassedLink | None
    ) -> None:
        """Open an article's page and store what it says, or remember why not."""
        tries = (passed.tries if passed else 0) + 1
        try:
            article, urls = await self._article(mention)
        except DigestError as exc:
            await self._pass_over(self._retry(mention, str(exc), tries, is_final=isinstance(exc, Gone)))
            return
        except Exception as exc:
            log.exception("article.crashed", source=self._source.name, url=mention.url)
            await self._pass_over(self._retry(mention, _crash(mention.url, exc), tries, is_final=True))
            return
        reason = None if known else self._why_not(article, rank)
        if reason:
            await self._pass_over(PassedLink(mention.key, reason, article.published_at))
            return
        retry = self._retry(mention, article.note, tries) if article.note else None
        recorded = await self._store(lambda session: self._record(session, mention, article, urls, retry))
        self._polled.new += recorded is Recorded.NEW
        self._polled.updated += recorded is Recorded.UPDATED
        self._polled.known += recorded is Recorded.KNOWN

    def _retry(self, mention: Mention, reason: str, tries: int, *, is_final: bool = False) -> PassedLink:
        """Return when to look at a page again that could not be read; the last time is never."""
        self._polled.problems.append(reason)
        is_final |= tries >= TRIES
        self._to_retry |= not is_final
        pause = max(FIRST_RETRY * 2 ** (tries - 1), self._wanted_quiet or timedelta())
        next_try_at = None if is_final else self._now + pause
        return PassedLink(mention.key, reason, tries=tries, next_try_at=next_try_at)

    async def _pass_over(self, link: PassedLink) -> None:
        self._polled.failed += link.tries > 0
        self._polled.outside += link.tries == 0
        await self._store(lambda session: record_passed(session, self._source.id, link, now=self._now))

    def _why_not(self, article: Article, rank: int) -> str | None:
        """Say why a page that could be read is not wanted."""
        if self._is_outside(article.published_at):
            return "it was published before the days the next issue covers"
        is_first = self._source.standing.succeeded_at is None
        if article.published_at is None and is_first and rank >= UNDATED_AT_FIRST:
            return "it has no date and was there before the source was first polled"
        return None

    async def _article(self, mention: Mention) -> tuple[Article, frozenset[str]]:
        """Return the article as its page tells it or, when that cannot be read, as the feed does.

        With it come the addresses it was met under.
        """
        try:
            fetched = await self._fetch_page(mention.url)
            page = await self._parsed(read_fetched, fetched, now=self._now)
        except DigestError as exc:
            return await self._from_feed(mention, exc), frozenset({mention.url})
        article = page if mention.entry is None else _with_entry(page, mention.entry)
        article = self._of_source(article, fetched.reservation)
        return article, frozenset({mention.url, fetched.url, article.url})

    async def _fetch_page(self, url: str) -> Fetched:
        """Fetch an article's page, one of the source at a time.

        A source that kept us waiting for a page gets little time for the others, and none when all did.
        """
        async with self._line:
            if self._wanted_quiet is not None:
                raise Unavailable(
                    f"{url} is not tried: its host asked to be left alone", retry_after=self._wanted_quiet
                )
            if self._unanswered >= UNANSWERED_AT_MOST and not self._answered:
                raise Unavailable(f"{url} is not tried: no other page of its source answered in time")
            try:
                async with asyncio.timeout(HURRIED_SECONDS if self._unanswered else None):
                    fetched = await self._fetcher.fetch(url)
            except TimeoutError as exc:
                self._unanswered += 1
                raise Unavailable(
                    f"{url} did not answer within {HURRIED_SECONDS:g} s, nor did another page of its source"
                ) from exc
            except Unavailable as exc:
                self._unanswered += 1
                self._wanted_quiet = exc.retry_after or self._wanted_quiet
                raise
            self._answered += 1
            return fetched

    async def _from_feed(self, mention: Mention, exc: DigestError) -> Article:
        """Return the article in the feed's own words, or raise `exc` when it says too little."""
        if mention.entry is None:
            raise exc
        told = await self._parsed(read_entry, mention.entry, feed_language=mention.language)
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

    def _stay(self, session: Session, fetched: Fetched) -> None:
        """Record that nothing changed. A 304 need not repeat its validators (RFC 9110 §15.4.5)."""
        asked = Asked(fresh_for=fetched.fresh_for)
        standing = after_list(self._source.standing, asked, new=0, now=self._now, seed=self._source.url)
        standing = replace(
            standing,
            etag=fetched.etag or standing.etag,
            last_modified=fetched.last_modified or standing.last_modified,
        )
        reservation = self._reservation or self._source.reservation
        record_standing(session, self._source, standing, reservation=reservation)

    def _succeed(self, session: Session, fetched: Fetched, listing: Listing) -> None:
        """Record that the list was read. With an article still to come, the next poll has to see it whole."""
        standing = after_list(
            self._source.standing, listing.asked, new=self._polled.new, now=self._now, seed=self._source.url
        )
        is_complete = listing.is_whole and not self._polled.later and not self._to_retry
        standing = replace(
            standing,
            etag=fetched.etag if is_complete else None,
            last_modified=fetched.last_modified if is_complete else None,
            complete_since=self._since if is_complete else None,
            fresh_until=standing.fresh_until if is_complete else None,
        )
        record_standing(session, self._source, standing, reservation=self._reservation)
        forget_old_links(session, self._source.id, now=self._now)
        if listing.moved_to and listing.moved_to != self._source.url:
            self._move(session, listing.moved_to)

    def _move(self, session: Session, url: str) -> None:
        if record_move(session, self._source, url):
            self._polled.notice = f"its server moved it for good, and it is polled at {url} from now on"
        else:
            self._polled.notice = (
                f"its server moved it to {url}, which is a source already: remove one of them"
            )
        log.warning("source.moved", source=self._source.name, notice=self._polled.notice)

    async def _retire(self, exc: Gone) -> None:
        await self._fail(str(exc), None)
        await self._store(lambda session: retire_source(session, self._source.id))
        self._polled.notice = "its server says it is gone for good (410), so it is not polled any more"
        log.warning("source.retired", source=self._source.name, notice=self._polled.notice)

    async def _fail(self, error: str, retry_after: timedelta | None) -> None:
        self._polled.error = error
        standing = after_failure(
            self._source.standing, error, retry_after=retry_after, now=self._now, seed=self._source.url
        )
        reservation = self._reservation or self._source.reservation
        await self._store(
            lambda session: record_standing(session, self._source, standing, reservation=reservation)
        )
        log.warning("source.failed", source=self._source.name, reason=error)


def _listed_at(entry: Entry | None) -> datetime | None:
    """Return the latest day an article can be of, as its list tells: published, or last changed."""
    return (entry.published_at or entry.updated_at) if entry else None


def _is_later(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now


def _crash(url: str, exc: Exception) -> str:
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
