"""The farm's plan: which host publishes what, in which format, and which of them are hostile.

Both sides work it out for themselves: the server to answer, the benchmark to know what should have come in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from html import escape

from benchmarks.farm_texts import Text, page_of, text_of
from digest.domain.sources import SourceKind
from digest.domain.times import Window

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
WINDOW = Window(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))


class Format(StrEnum):
    """How a site tells what it publishes."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"
    LISTING = "listing"
    SITEMAP = "sitemap"


_FORMATS = (
    *(Format.RSS, Format.RSS, Format.ATOM, Format.RSS, Format.JSON),
    *(Format.RSS, Format.ATOM, Format.LISTING, Format.RSS, Format.SITEMAP),
)
_PATHS = {
    Format.RSS: "/feed.xml",
    Format.ATOM: "/atom.xml",
    Format.JSON: "/feed.json",
    Format.LISTING: "/news/",
    Format.SITEMAP: "/sitemap.xml",
}
_TYPES = {
    Format.RSS: "application/rss+xml; charset=utf-8",
    Format.ATOM: "application/atom+xml; charset=utf-8",
    Format.JSON: "application/feed+json",
    Format.LISTING: "text/html; charset=utf-8",
    Format.SITEMAP: "application/xml",
}
PRIVATE = "/private/"
PRIVATE_PATH = f"{PRIVATE}what-may-not-be-read"
"""What robots.txt forbids; every twentieth site lists it as an article."""


@dataclass(frozen=True)
class Site:
    """One host. `fault` names what is wrong with it ('' for a good one), see `farm_faults`."""

    number: int
    port: int
    articles: int
    format: Format
    fault: str = ""

    @property
    def host(self) -> str:
        """The host's name."""
        return f"s{self.number:04}.example.org"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{self.host}:{self.port}"

    @property
    def path(self) -> str:
        """Where the list of articles is."""
        return _PATHS[self.format]

    @property
    def content_type(self) -> str:
        """What the list is honestly sent as."""
        return _TYPES[self.format]

    @property
    def kind(self) -> SourceKind:
        """How the source is to be read."""
        return SourceKind.PAGE if self.format is Format.LISTING else SourceKind.FEED

    @cached_property
    def texts(self) -> dict[str, Text]:
        """The site's articles by path, newest first."""
        texts = [text_of(self.number, n, WINDOW.end) for n in range(self.articles)]
        texts.sort(key=lambda text: text.published_at, reverse=True)
        return {f"/{text.published_at:%Y/%m/%d}/{text.slug}": text for text in texts}

    @property
    def urls(self) -> list[str]:
        """The articles' addresses, newest first."""
        return [self.origin + path for path in self.texts]

    def page(self, path: str) -> bytes:
        """Return the page of the article at `path`."""
        text = self.texts.get(path) or next(iter(self.texts.values()))
        others = tuple(
            (text.title, self.origin + other) for other, text in self.texts.items() if other != path
        )
        return page_of(text, url=self.origin + path, host=self.host, others=others[:6])

    def listing(self, *, later: timedelta = timedelta(0)) -> bytes:
        """Return the list in the site's format, every date moved by `later`."""
        entries = [
            (
                self.origin + path + ("?utm_source=rss" if self.number % 3 == 0 else ""),
                text,
                text.published_at + later,
            )
            for path, text in self.texts.items()
        ]
        if self.number % 20 == 4:
            newest = next(iter(self.texts.values()))
            entries.append((self.origin + PRIVATE_PATH, newest, newest.published_at))
        return "".join(_WRITERS[self.format](self, entries)).encode()


_Entries = list[tuple[str, Text, datetime]]


def sites(
    count: int, *, port: int, articles: int, hostile: float, faults: tuple[str, ...], sitemaps: bool
) -> list[Site]:
    """Return the farm's hosts: the share `hostile` of them, evenly spread, has the `faults` in turn."""
    planned, bad = [], 0
    for number in range(count):
        form = _FORMATS[number % len(_FORMATS)]
        if form is Format.SITEMAP and not sitemaps:
            form = Format.ATOM
        is_hostile = int((number + 1) * hostile) > int(number * hostile)
        fault = faults[bad % len(faults)] if is_hostile else ""
        bad += is_hostile
        planned.append(Site(number, port, articles, Format.RSS if fault else form, fault))
    return planned


def _rss(site: Site, entries: _Entries) -> Iterator[str]:
    yield f'<rss version="2.0"><channel><title>{site.host}</title><link>{site.origin}/</link>'
    for url, text, published in entries:
        yield (
            f"<item><title>{escape(text.title)}</title><link>{escape(url)}</link>"
            f'<guid isPermaLink="false">{text.slug}</guid>'
            f"<pubDate>{format_datetime(published)}</pubDate><category>news</category></item>"
        )
    yield "</channel></rss>"


def _atom(site: Site, entries: _Entries) -> Iterator[str]:
    yield f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{site.host}</title><id>{site.origin}/</id>'
    for url, text, published in entries:
        yield (
            f'<entry><title>{escape(text.title)}</title><link href="{escape(url)}"/><id>tag:{site.host},'
            f"{text.slug}</id><published>{published.isoformat()}</published><summary>{escape(text.paragraphs[0])}</summary></entry>"
        )
    yield "</feed>"


def _json(site: Site, entries: _Entries) -> Iterator[str]:
    items = [
        {"id": text.slug, "url": url, "title": text.title, "date_published": published.isoformat()}
        for url, text, published in entries
    ]
    yield json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": site.host, "items": items})


def _listing(site: Site, entries: _Entries) -> Iterator[str]:
    yield f"<!DOCTYPE html><html lang=en><title>News of {site.host}</title><main>"
    for url, text, published in entries:
        yield f'<h2><a href="{escape(url)}">{escape(text.title)}</a></h2><time>{published:%d %B %Y}</time>'
    yield "</main></html>"


def _sitemap(site: Site, entries: _Entries) -> Iterator[str]:
    yield (
        '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
    )
    for url, text, published in entries:
        yield (
            f"<url><loc>{escape(url)}</loc><news:news><news:publication><news:name>{site.host}</news:name>"
            "<news:language>en</news:language></news:publication><news:publication_date>"
            f"{published.isoformat()}</news:publication_date><news:title>{escape(text.title)}</news:title>"
            "</news:news></url>"
        )
    yield "</urlset>"


_WRITERS = {
    Format.RSS: _rss,
    Format.ATOM: _atom,
    Format.JSON: _json,
    Format.LISTING: _listing,
    Format.SITEMAP: _sitemap,
}


@lru_cache(maxsize=1)
def robots() -> bytes:
    """Return every site's robots.txt."""
    return f"User-agent: *\nDisallow: {PRIVATE}\n".encode()
