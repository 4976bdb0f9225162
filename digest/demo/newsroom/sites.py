"""The five sites of the sample newsroom: who they are, where they lie, and how they announce articles."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from digest.demo.newsroom.markup import Markup
from digest.demo.newsroom.sample_articles import SampleArticle


class Announcement(StrEnum):
    """How a site makes its articles known."""

    RSS = "rss"
    ATOM = "atom"
    JSON_FEED = "json_feed"
    LISTING = "listing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site below `/slug/`. `index` is where a reader of news looks: its feed, or its front page.

    `address` is the path of an article below the site, with `{year}`, `{month}` and `{slug}`.
    """

    slug: str
    name: str
    tagline: str
    announcement: Announcement
    index: str
    address: str
    default_categories: tuple[str, ...] = ()
    markup: Markup = field(default_factory=Markup)

    @property
    def path(self) -> str:
        """The path of the front page."""
        return f"/{self.slug}/"

    @property
    def index_path(self) -> str:
        """The path of the feed, or of the front page where there is none."""
        return self.path + self.index

    def article_path(self, article: SampleArticle, published_at: datetime) -> str:
        """Return the path of an article's page."""
        name = self.address.format(year=published_at.year, month=f"{published_at:%m}", slug=article.slug)
        return self.path + name

    def image_path(self, article: SampleArticle) -> str:
        """Return the path of an article's picture."""
        return f"{self.path}media/{article.slug}.png"

    def section_path(self, category: str) -> str:
        """Return the path of the page that lists a category's articles."""
        return f"{self.path}section/{section_slug(category)}/"


def section_slug(category: str) -> str:
    """Return a category as it stands in a URL: `Artificial intelligence` is `artificial-intelligence`."""
    plain = unicodedata.normalize("NFKD", category).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


MERIDIAN = Site(
    slug="meridian",
    name="The Meridian Post",
    tagline="News from Port Verrin and the provinces since 1871",
    announcement=Announcement.RSS,
    index="feed.xml",
    address="{year}/{month}/{slug}",
)

NORTHLIGHT = Site(
    slug="northlight",
    name="Northlight",
    tagline="Science, explained by daylight",
    announcement=Announcement.ATOM,
    index="atom.xml",
    address="articles/{slug}.html",
    default_categories=("Science",),
    markup=Markup(heading="<h3>{}</h3>"),
)

HARBOUR = Site(
    slug="harbour",
    name="Harbour Ledger",
    tagline="Business, work and the city",
    announcement=Announcement.JSON_FEED,
    index="feed.json",
    address="{year}/{month}/{slug}/",
    markup=Markup(heading='<h2 class="wp-block-heading">{}</h2>'),
)

ALLOTMENT = Site(
    slug="allotment",
    name="The Allotment",
    tagline="Soil, table and stage. Put together by hand every morning",
    announcement=Announcement.LISTING,
    index="",
    address="stories/{slug}.htm",
    markup=Markup(
        paragraph='<div class="txt">{}</div>',
        heading='<div class="subhead"><b>{}</b></div>',
    ),
)

TIDELINE = Site(
    slug="tideline",
    name="Tideline",
    tagline="Everything below the surface",
    announcement=Announcement.BROKEN,
    index="feed.xml",
    address="{slug}",
    default_categories=("Oceans",),
)

SITES = (MERIDIAN, NORTHLIGHT, HARBOUR, ALLOTMENT, TIDELINE)
