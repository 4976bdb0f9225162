"""What the sample newsroom has published by a given moment: articles with their dates and addresses."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from digest.demo.newsroom.markup import to_html
from digest.demo.newsroom.sample_articles import SampleArticle, read_articles
from digest.demo.newsroom.sites import SITES, Announcement, Site


@dataclass(frozen=True, slots=True)
class Published:
    """An article on its site. `url` is canonical; `published_at` is aware, in the newsroom's zone."""

    article: SampleArticle
    site: Site
    published_at: datetime
    path: str
    url: str
    image_url: str

    @property
    def body(self) -> tuple[str, ...]:
        """The text as HTML, block by block."""
        return to_html(self.article.body_on(self.published_at), self.site.markup)

    def url_from(self, listing: Site) -> str:
        """Return the URL as the feed of `listing` gives it: feeds like to know who came through them."""
        if listing.announcement is Announcement.RSS:
            return f"{self.url}?utm_source=rss&utm_medium=feed"
        if listing is not self.site:
            return f"{self.url}?utm_source={listing.slug}&utm_medium=referral&utm_campaign=partners"
        return self.url


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every published article, newest first."""

    base_url: str
    published: tuple[Published, ...]

    @classmethod
    def at(cls, now: datetime, zone: tzinfo, base_url: str) -> Catalogue:
        """Return what has been published by `now` at `base_url` (no slash at its end)."""
        sites = {site.slug: site for site in SITES}
        every = [_published(article, sites[article.site], now, zone, base_url) for article in read_articles()]
        every.sort(key=lambda entry: (entry.published_at, entry.path), reverse=True)
        return cls(base_url, tuple(every))

    def of(self, site: Site) -> tuple[Published, ...]:
        """Return the site's own articles, newest first."""
        return tuple(entry for entry in self.published if entry.site is site)

    def listed_by(self, site: Site) -> tuple[Published, ...]:
        """Return what the site's feed lists, newest first: its own articles and those of partners."""
        return tuple(
            entry
            for entry in self.published
            if entry.site is site or site.slug in entry.article.also_listed_by
        )

    def sections(self, site: Site) -> dict[str, tuple[Published, ...]]:
        """Return the site's categories, by name, each with its articles."""
        own = self.of(site)
        names = sorted({category for entry in own for category in entry.article.categories})
        return {name: tuple(entry for entry in own if name in entry.article.categories) for name in names}

    def related_to(self, entry: Published, count: int = 3) -> tuple[Published, ...]:
        """Return the site's next articles after `entry`, beginning again at the newest."""
        own = self.of(entry.site)
        place = own.index(entry)
        return (own[place + 1 :] + own[:place])[:count]

    def most_popular(self, site: Site, count: int = 5) -> tuple[Published, ...]:
        """Return the articles the site's readers like best, which is settled by their names."""
        return tuple(sorted(self.of(site), key=lambda entry: zlib.crc32(entry.article.slug.encode()))[:count])

    def sites(self) -> Iterator[Site]:
        """Yield the sites that have pages of their own."""
        return (site for site in SITES if site.announcement is not Announcement.BROKEN)


def _published(article: SampleArticle, site: Site, now: datetime, zone: tzinfo, base_url: str) -> Published:
    at = article.published_at(now, zone)
    path = site.article_path(article, at)
    return Published(article, site, at, path, base_url + path, base_url + site.image_path(article))
