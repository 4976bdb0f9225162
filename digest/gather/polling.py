"""One source's turn: read its list, open what is new, store what the issue may want, remember how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.errors import Gone, InvalidInput, Overtaken, Refused, Unavailable
from digest.domain.sources import Source
from digest.gather.articles import ListedArticles, why_crashed
from digest.gather.fetching.fetch import Fetched, Fetcher
from digest.gather.intervals import after_failure, after_list
from digest.gather.lists import Listing, Parse, fetch_list, read_list
from digest.gather.polled import Polled
from digest.gather.urls import MAX_LENGTH, address_key
from digest.store.database import writing
from digest.store.links import forget_old_links
from digest.store.polls import Move, forget_move, record_move, record_standing, retire_source

log = structlog.get_logger(__name__)

T = TypeVar("T")

FAILING_SECONDS = 10.0
"""How long the list of a source that failed last time may take: it need not hold up the others again."""

STORE_TRIES = 3


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
            await self._fail(why_crashed(self._source.url, exc), None)
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
        fetched = await self._list()
        self._reservation = fetched.reservation
        if fetched.status == 304:
            self._polled.unchanged = True
            move = await self._store(lambda session: self._stay(session, fetched))
            self._tell(move, fetched.moved_to)
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
        is_complete = await self._take_in(listing)
        self._whole.reschedule(None)  # what is left to do is ours
        move = await self._store(
            lambda session: self._succeed(session, fetched, listing, is_complete=is_complete)
        )
        self._tell(move, fetched.moved_to)

    async def _list(self) -> Fetched:
        try:
            async with asyncio.timeout(FAILING_SECONDS if self._source.standing.failures else None):
                return await fetch_list(self._source, self._fetcher, since=self._since)
        except TimeoutError as exc:
            raise Unavailable(
                f"{self._source.url} did not answer within {FAILING_SECONDS:g} s, and failed last time too"
            ) from exc

    async def _store(self, work: Callable[[Session], T]) -> T:
        """Do `work` in a transaction of its own, when it is this poll's turn; again when overtaken.

        A run and a background poll may read one source at the same moment, each in a process of its own.
        """

        def in_transaction() -> T:
            with writing(self._engine) as session:
                return work(session)

        for _ in range(STORE_TRIES - 1):
            with suppress(Overtaken):
                return await self._in_turn(in_transaction)  # type: ignore[return-value]
        return await self._in_turn(in_transaction)  # type: ignore[return-value]

    async def _take_in(self, listing: Listing) -> bool:
        """Read the articles listed; return whether all that is wanted of them is stored now."""
        articles = ListedArticles(
            self._source,
            since=self._since,
            fetcher=self._fetcher,
            parse=self._parsed,
            store=self._store,
            now=self._now,
            reservation=self._reservation,
            polled=self._polled,
        )
        try:
            # Ends before the source's whole time is up, so that how it went can still be recorded.
            ends_at = (self._whole.when() or 0.0) - 0.1 * self._seconds
            async with asyncio.timeout_at(ends_at) as self._reading:
                await articles.take_in(listing.mentions)
        except TimeoutError:
            late = f"{self._polled.later} articles were not reached within {self._seconds:g} s"
            self._polled.problems.append(f"{late}: the next poll goes on with them")
        return listing.is_whole and not self._polled.later and not articles.is_to_retry

    def _stay(self, session: Session, fetched: Fetched) -> Move:
        """Record that nothing changed: what a 304 does not say anew holds as before (RFC 9111 §4.3.4).

        It should repeat ETag and Cache-Control, and need not repeat Last-Modified (RFC 9110 §15.4.5); many
        servers repeat nothing. How long the list is good for, and when not to ask, only the list tells.
        """
        standing = self._source.standing
        asked = standing.asked
        if fetched.fresh_for is not None:
            asked = replace(asked, fresh_for=fetched.fresh_for)
        standing = after_list(standing, asked, new=0, now=self._now, seed=self._source.url)
        standing = replace(
            standing,
            etag=fetched.etag or standing.etag,
            last_modified=fetched.last_modified or standing.last_modified,
        )
        reservation = self._reservation or self._source.reservation
        record_standing(session, self._source, standing, reservation=reservation)
        return self._follow(session, fetched.moved_to)

    def _succeed(self, session: Session, fetched: Fetched, listing: Listing, *, is_complete: bool) -> Move:
        """Record that the list was read. With an article still to come, the next poll has to see it whole."""
        standing = after_list(
            self._source.standing, listing.asked, new=self._polled.new, now=self._now, seed=self._source.url
        )
        standing = replace(
            standing,
            etag=fetched.etag if is_complete else None,
            last_modified=fetched.last_modified if is_complete else None,
            complete_since=self._since if is_complete else None,
            fresh_until=standing.fresh_until if is_complete else None,
        )
        record_standing(session, self._source, standing, reservation=self._reservation)
        forget_old_links(session, self._source.id, now=self._now)
        return self._follow(session, fetched.moved_to)

    def _follow(self, session: Session, moved_to: str | None) -> Move:
        """Record where the list is for good, unless that is no address to keep: too long."""
        if moved_to is not None and len(moved_to) > MAX_LENGTH:
            return Move.NO_NEWS
        if moved_to is not None and moved_to != self._source.url:
            return record_move(session, self._source, moved_to, key=address_key)
        if self._source.moved_to:
            forget_move(session, self._source)
        return Move.NO_NEWS

    def _tell(self, move: Move, moved_to: str | None) -> None:
        """Say what was recorded of a move."""
        if move is Move.NO_NEWS:
            return
        self._polled.notice = (
            f"its server moved it for good, and it is polled at {moved_to} from now on"
            if move is Move.DONE
            else f"its server moved it to {moved_to}, which is a source already: remove one of them"
        )
        log.warning("source.moved", source=self._source.name, notice=self._polled.notice)

    async def _retire(self, exc: Gone) -> None:
        await self._fail(str(exc), None)
        if not await self._store(lambda session: retire_source(session, self._source)):
            return
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


def _is_later(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now
