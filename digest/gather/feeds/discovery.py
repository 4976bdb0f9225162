"""From a site's address to its feeds and sitemaps: where they are looked for, and which is best."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median

from digest.domain.errors import DigestError, InvalidInput, Refused
from digest.gather.feeds.entries import Entry, NotAFeed
from digest.gather.feeds.formats import read_feed
from digest.gather.feeds.listing import advertised_feeds, linked_feeds
from digest.gather.feeds.sitemap import Sitemap, read_sitemap
from digest.gather.feeds.sniff import Kind, kind_of
from digest.gather.fetching.fetch import ACCEPT_ANY, ACCEPT_FEED, Fetched, Fetcher
from digest.gather.lists import Parse
from digest.gather.urls import given_url, joined

MAX_REQUESTS = 15
FULL_TEXT = 1_500
"""Characters of HTML that half of a feed's entries have at least when it carries whole articles."""

_AT_ONCE = 2
_MAX_NAMED, _MAX_SITEMAPS = 7, 3
_WELL_KNOWN = ("feed", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss", "feed.json")
_ROBOTS_SITEMAP = re.compile(r"^\s*sitemap\s*:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_COMMENTS = re.compile(
    r"\b(?:comments?|kommentare|commentaires|comentarios|commenti|reacties)\b", re.IGNORECASE
)
_SECTION = re.compile(r"/(?:category|tags?|topics?|author|section)/", re.IGNORECASE)


class NothingFound(InvalidInput):
    """A site has neither feed nor sitemap in any place that was looked at."""


class CandidateKind(StrEnum):
    """What was found: a feed, or a sitemap, which has no texts and few dates."""

    FEED = "feed"
    SITEMAP = "sitemap"


class FoundBy(StrEnum):
    """How a candidate became known."""

    GIVEN = "the address that was given"
    NAMED = "named by the page"
    LINKED = "linked on the page"
    ROBOTS = "named in robots.txt"
    GUESSED = "in a usual place"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feed or sitemap that was fetched and could be read.

    `url` is where it was found in the end. `entries` counts what it lists: for the index of sitemaps those.
    `newest` is the latest date among them. `is_comments` marks what readers say about articles, which is
    hardly ever wanted, `is_finished` a feed which says that nothing new will come.
    """

    url: str
    kind: CandidateKind
    format: str
    title: str = ""
    entries: int = 0
    newest: datetime | None = None
    has_full_text: bool = False
    is_comments: bool = False
    is_finished: bool = False
    found_by: FoundBy = FoundBy.NAMED


async def find_feeds(
    site_url: str, fetcher: Fetcher, *, parse: Parse, now: datetime | None = None
) -> tuple[Candidate, ...]:
    """Return the feeds and sitemaps of a site, the best first; at most 15 requests are made.

    What comes back is read by `parse`: a site may have written it to bring down its reader.

    Looked at, in this order: the address itself, the feeds its page names and links to, the sitemaps
    robots.txt names and, when the page named no feed, the usual places. Every candidate has been read; one
    that fails is passed over. Feeds come before sitemaps, the whole site before a section, whole articles
    before summaries, finished feeds and comments last. The same feed in two formats is two candidates.

    Raises `InvalidInput` when `site_url` is no http(s) URL, and `NothingFound`, which says what was tried.
    """
    site = given_url(site_url)
    search = _Search(fetcher, parse, now or datetime.now(UTC))
    await search.run(site)
    if not search.found:
        raise NothingFound(search.report(site))
    return tuple(sorted(search.found, key=_rank))


def _rank(candidate: Candidate) -> tuple[bool, ...]:
    return (
        candidate.is_comments,
        candidate.is_finished,
        candidate.kind is CandidateKind.SITEMAP,
        bool(_SECTION.search(candidate.url)),
        candidate.entries == 0,
        not candidate.has_full_text,
    )


class _Search:
    """One search: what has been asked for, what was found, and how often a server was bothered."""

    def __init__(self, fetcher: Fetcher, parse: Parse, now: datetime) -> None:
        self._fetcher = fetcher
        self._parse = parse
        self._now = now
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._asked: dict[str, str] = {}
        self._alike: set[tuple[object, ...]] = set()
        self.found: list[Candidate] = []

    async def run(self, site_url: str) -> None:
        page = await self._fetch(site_url, accept=ACCEPT_FEED)
        if page and await self._take(page, FoundBy.GIVEN):
            return
        if page:
            for links, found_by in ((advertised_feeds, FoundBy.NAMED), (linked_feeds, FoundBy.LINKED)):
                await self._look((await self._links(links, page))[:_MAX_NAMED], found_by)
        root = page.url if page else site_url
        await self._look_for_sitemaps(root)
        if not any(found.kind is CandidateKind.FEED and not found.is_comments for found in self.found):
            await self._look(_usual_places(root), FoundBy.GUESSED)

    async def _look_for_sitemaps(self, root: str) -> None:
        robots = await self._fetch(joined(root, "/robots.txt") or root, accept=ACCEPT_ANY)
        text = robots.body[:500_000].decode("utf-8", "replace") if robots else ""
        named = [url for link in _ROBOTS_SITEMAP.findall(text) if (url := joined(root, link))]
        named.sort(key=lambda url: "news" not in url)
        if named:
            await self._look(named[:_MAX_SITEMAPS], FoundBy.ROBOTS)
        else:
            await self._look(_joined(root, ["/sitemap.xml", "/news-sitemap.xml"]), FoundBy.GUESSED)

    async def _look(self, urls: Iterable[str], found_by: FoundBy) -> None:
        """Fetch the addresses that are new and keep, in this order, what can be read."""
        fresh = [url for url in dict.fromkeys(urls) if url not in self._asked]
        for fetched in await asyncio.gather(*(self._fetch(url, accept=ACCEPT_FEED) for url in fresh)):
            if fetched:
                await self._take(fetched, found_by)

    async def _links(self, links: Callable[..., tuple[str, ...]], page: Fetched) -> tuple[str, ...]:
        try:
            return await self._parse(links, page.body, url=page.url)
        except Refused as exc:
            self._asked[page.url] = str(exc)
            return ()

    async def _fetch(self, url: str, *, accept: str) -> Fetched | None:
        if len(self._asked) >= MAX_REQUESTS:
            return None
        self._asked[url] = "nothing there to read"
        try:
            async with self._places:
                return await self._fetcher.fetch(url, accept=accept)
        except DigestError as exc:
            self._asked[url] = str(exc)
            return None

    async def _take(self, fetched: Fetched, found_by: FoundBy) -> bool:
        """Keep what was fetched when it is a feed or sitemap. The same list twice is one candidate."""
        try:
            candidate, entries = await self._parse(read_candidate, fetched, found_by, now=self._now)
        except NotAFeed:
            return False
        except Refused as exc:
            self._asked[fetched.url] = str(exc)
            return False
        alike = (candidate.format, candidate.title, candidate.entries, *entries[:20])
        if alike not in self._alike and candidate.url not in {found.url for found in self.found}:
            self.found.append(candidate)
        self._alike.add(alike)
        return True

    def report(self, site_url: str) -> str:
        """Return why nothing was found, and what can be done."""
        why = self._asked.get(site_url, "")
        first = f" ({why})" if site_url in why else ""
        others = ", ".join(url for url in self._asked if url != site_url)
        return (
            f"{site_url} gives no feed or sitemap{first}; looked at {others or 'nothing else'}. "
            "If its page lists the articles, add it with --kind page"
        )


def read_candidate(
    fetched: Fetched, found_by: FoundBy, *, now: datetime
) -> tuple[Candidate, tuple[str, ...]]:
    """Return what was fetched as a candidate, and the addresses it lists. Raises `NotAFeed`."""
    body, url = fetched.body, fetched.url
    if kind_of(body, fetched.encoding) in (Kind.XML_FEED, Kind.JSON_FEED):
        feed = read_feed(body, url=url, encoding=fetched.encoding, now=now)
        told = Candidate(
            url,
            CandidateKind.FEED,
            feed.format,
            feed.title,
            len(feed.entries),
            newest=_newest(feed.entries),
            has_full_text=_is_full_text(feed.entries),
            is_comments=bool(_COMMENTS.search(f"{feed.title} {url}")),
            is_finished=feed.is_finished,
            found_by=found_by,
        )
        return told, tuple(entry.url for entry in feed.entries)
    sitemap = read_sitemap(body, url=url, encoding=fetched.encoding, now=now)
    return _of_sitemap(sitemap, url, found_by), tuple(entry.url for entry in sitemap.entries)


def _of_sitemap(sitemap: Sitemap, url: str, found_by: FoundBy) -> Candidate:
    changes = [child.changed_at for child in sitemap.children if child.changed_at]
    newest = max(changes) if changes else _newest(sitemap.entries)
    listed = len(sitemap.entries) + len(sitemap.children)
    return Candidate(
        url, CandidateKind.SITEMAP, sitemap.format, entries=listed, newest=newest, found_by=found_by
    )


def _newest(entries: Sequence[Entry]) -> datetime | None:
    dates = [moment for entry in entries if (moment := entry.published_at or entry.updated_at)]
    return max(dates) if dates else None


def _is_full_text(entries: Sequence[Entry]) -> bool:
    return bool(entries) and median(len(entry.html) for entry in entries) >= FULL_TEXT


def _usual_places(root: str) -> list[str]:
    """Return where feeds usually are: beside the page given, then at the root of its host."""
    directory = re.split(r"[?#]", root, maxsplit=1)[0]
    beside = directory if directory.endswith("/") else f"{directory}/"
    at_root = joined(root, "/") or root
    guessed = _joined(beside, _WELL_KNOWN[:3]) if beside != at_root else []
    return [*guessed, *_joined(at_root, _WELL_KNOWN)]


def _joined(base: str, references: Iterable[str]) -> list[str]:
    return [url for reference in references if (url := joined(base, reference))]
