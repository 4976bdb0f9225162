"""Everything the sample newsroom answers, by path: pages, feeds, pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

from digest.demo.newsroom import feeds
from digest.demo.newsroom.catalogue import Catalogue, Published
from digest.demo.newsroom.illustration import draw
from digest.demo.newsroom.pages import Pages
from digest.demo.newsroom.sites import TIDELINE, Announcement, Site

HTML = "text/html; charset=utf-8"

_FEEDS = {
    Announcement.RSS: (feeds.rss, "application/rss+xml; charset=utf-8"),
    Announcement.ATOM: (feeds.atom, "application/atom+xml; charset=utf-8"),
    Announcement.JSON_FEED: (feeds.json_feed, "application/feed+json"),
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One answer. `changed` is None when the server does not say, and then there is no ETag either."""

    content_type: str
    body: bytes
    changed: datetime | None = None
    status: HTTPStatus = HTTPStatus.OK

    @property
    def etag(self) -> str:
        """The entity tag (RFC 9110 §8.8.3): the same for the same bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:20]}"'

    @property
    def last_modified(self) -> str:
        """The date of the last change as HTTP writes it, '' when it is not said."""
        return format_datetime(self.changed.astimezone(UTC), usegmt=True) if self.changed else ""


def resources_of(catalogue: Catalogue) -> Mapping[str, Resource]:
    """Return every resource by its path. Articles whose page is gone are left out: they are 404."""
    pages = Pages(catalogue)
    answers = {
        TIDELINE.path: Resource(HTML, pages.broken(TIDELINE).encode()),
        TIDELINE.index_path: Resource(HTML, pages.broken(TIDELINE).encode()),
    }
    for site in catalogue.sites():
        answers.update(_lists(catalogue, pages, site))
    for entry in catalogue.published:
        answers.update(_article(pages, entry))
    return answers


def missing_pages(catalogue: Catalogue) -> Mapping[str, Resource]:
    """Return what each site answers for a path it does not have, by the site's path."""
    pages = Pages(catalogue)
    return {
        site.path: Resource(HTML, pages.gone(site).encode(), status=HTTPStatus.NOT_FOUND)
        for site in catalogue.sites()
    }


def _lists(catalogue: Catalogue, pages: Pages, site: Site) -> Iterator[tuple[str, Resource]]:
    entries = catalogue.of(site)
    newest = entries[0].published_at
    yield site.path, Resource(HTML, pages.front(site, entries).encode(), newest)
    for name, listed in catalogue.sections(site).items():
        yield site.section_path(name), Resource(HTML, pages.front(site, listed, name).encode(), newest)
    if site.announcement in _FEEDS:
        feed, content_type = _FEEDS[site.announcement]
        yield site.index_path, Resource(content_type, feed(catalogue, site), newest)


def _article(pages: Pages, entry: Published) -> Iterator[tuple[str, Resource]]:
    picture = draw(entry.article.slug, entry.article.motif)
    yield entry.site.image_path(entry.article), Resource("image/png", picture, entry.published_at)
    if not entry.article.page_gone:
        yield entry.path, Resource(HTML, pages.article(entry).encode(), entry.published_at)
