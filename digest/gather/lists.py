"""What a source lists: its list fetched and read, whatever its kind, into articles to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from digest.domain.errors import DigestError, InvalidInput
from digest.domain.sources import Asked, Source, SourceKind
from digest.gather.feeds.entries import Entry
from digest.gather.feeds.formats import Feed, read_feed
from digest.gather.feeds.listing import article_links
from digest.gather.feeds.sitemap import Child, Sitemap, read_sitemap
from digest.gather.fetching.fetch import ACCEPT_ANY, ACCEPT_FEED, Fetched, Fetcher
from digest.gather.urls import canonical_url, comparison_key

MAX_SITEMAPS = 10
"""Children of a sitemap index that are read, the newest first: news is in the first one or two."""

T = TypeVar("T")


class Parse(Protocol):
    """Calls a function that reads a stranger's document, wherever that is safe to do."""

    async def __call__(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Return what `function` returns, or raise what it raises; `Refused` when it takes too much."""
        ...


@dataclass(frozen=True, slots=True)
class Mention:
    """An article to look at: its address, and what the list told of it, if anything.

    `key` is the same for every way to write the address. `mark` changes when the list tells something else
    of the article.
    """

    url: str
    key: str
    entry: Entry | None = None
    language: str | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A source's articles once each, in its order, what its server asks of polls, and what was wrong.

    It `is_whole` when the answer that was fetched told all of it: what else was read may change by itself.
    """

    mentions: tuple[Mention, ...]
    asked: Asked
    problems: tuple[str, ...] = ()
    is_whole: bool = True


async def fetch_list(source: Source, fetcher: Fetcher, *, since: datetime) -> Fetched:
    """Ask for a source's list, or only whether it changed when all it listed since then is stored."""
    standing = source.standing
    is_complete = standing.complete_since is not None and standing.complete_since <= since
    return await fetcher.fetch(
        source.url,
        etag=standing.etag if is_complete else None,
        last_modified=standing.last_modified if is_complete else None,
        accept=ACCEPT_FEED if source.kind is SourceKind.FEED else ACCEPT_ANY,
    )


async def read_list(
    source: Source, fetched: Fetched, *, fetcher: Fetcher, parse: Parse, since: datetime, now: datetime
) -> Listing:
    """Return what the fetched list holds. Raises `InvalidInput` when it is not what the source should be."""
    if source.kind is SourceKind.PAGE:
        pattern = source.link_pattern or None
        links = await parse(article_links, fetched.body, url=fetched.url, pattern=pattern)
        found = tuple(Mention(link, comparison_key(link)) for link in links)
        return Listing(found, Asked(fresh_for=fetched.fresh_for))
    if source.kind is SourceKind.SITEMAP:
        return await _read_sitemaps(fetched, fetcher=fetcher, parse=parse, since=since, now=now)
    feed: Feed = await parse(
        read_feed,
        fetched.body,
        url=fetched.url,
        content_type=fetched.content_type,
        encoding=fetched.encoding,
        now=now,
    )
    mentions, problems = _mentions(feed.entries, feed.language)
    asked = Asked(feed.ttl, fetched.fresh_for, feed.skip_hours, feed.skip_days)
    finished = ("it says that it is finished: nothing new will come",) if feed.is_finished else ()
    return Listing(mentions, asked, (*finished, *problems))


async def _read_sitemaps(
    fetched: Fetched, *, fetcher: Fetcher, parse: Parse, since: datetime, now: datetime
) -> Listing:
    """Return the entries of a sitemap, and of the sitemaps it names that may hold something new."""
    sitemap = await _parsed_sitemap(fetched, parse, now)
    entries, problems = list(sitemap.entries), []
    for child in _worth_reading(sitemap.children, since):
        try:
            inner = await _parsed_sitemap(await fetcher.fetch(child.url), parse, now)
        except DigestError as exc:
            problems.append(str(exc))
            continue
        entries += inner.entries
    mentions, wrong = _mentions(entries, None)
    return Listing(
        mentions,
        Asked(fresh_for=fetched.fresh_for),
        (*problems, *wrong),
        not sitemap.children,
    )


async def _parsed_sitemap(fetched: Fetched, parse: Parse, now: datetime) -> Sitemap:
    return await parse(read_sitemap, fetched.body, url=fetched.url, encoding=fetched.encoding, now=now)


def _worth_reading(children: Sequence[Child], since: datetime) -> list[Child]:
    changed = [child for child in children if child.changed_at is None or child.changed_at >= since]
    return changed[:MAX_SITEMAPS]


def _mentions(entries: Sequence[Entry], language: str | None) -> tuple[tuple[Mention, ...], tuple[str, ...]]:
    """Return the articles of a list once each, and in words which of its links mention nowhere."""
    by_key: dict[str, Mention] = {}
    problems = []
    for entry in entries:
        try:
            url = canonical_url(entry.url)
        except InvalidInput as exc:
            problems.append(f"'{entry.title}': {exc}")
            continue
        mention = Mention(url, comparison_key(url), replace(entry, url=url), language, _mark(entry))
        by_key.setdefault(mention.key, mention)
    return tuple(by_key.values()), tuple(problems)


def _mark(entry: Entry) -> str:
    told = "\0".join((entry.title, str(entry.updated_at or ""), entry.html))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
