"""The sample articles as they are written down: TOML front matter between `+++` lines, then the text.

The folder an article lies in names its site, the file its slug. Times are relative, so that the newsroom
is always of this week: `days_ago = 1`, `at = 06:45:00` is yesterday's 06:45 in the newsroom's zone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from digest.demo.newsroom.illustration import Motif

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_FENCE = "+++\n"
_WORD = re.compile(r"\S*\w\S*")


@dataclass(frozen=True, slots=True)
class Comment:
    """What a reader wrote under an article."""

    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleArticle:
    """One article of the sample newsroom.

    `body` is in the small markup of `digest.demo.newsroom.markup`. `takeaways` are the publisher's own,
    empty for most. `story` is the same text for articles on one event. `page_gone`: the feed lists the
    article, its page is 404. `also_listed_by` names sites whose feeds list it too.
    """

    site: str
    slug: str
    title: str
    byline: str
    days_ago: int
    at: time
    categories: tuple[str, ...]
    summary: str
    motif: Motif
    caption: str
    alt: str
    body: str
    language: str = "en"
    story: str | None = None
    takeaways_heading: str = ""
    takeaways: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = field(default=())
    page_gone: bool = False
    also_listed_by: tuple[str, ...] = ()

    @property
    def word_count(self) -> int:
        """Words of the body: without title, summary, takeaways and the page's furniture."""
        return len(_WORD.findall(self.body))

    def published_at(self, now: datetime, zone: tzinfo) -> datetime:
        """Return when it was published, seen from `now`: a wall-clock time in `zone`."""
        day = now.astimezone(zone).date() - timedelta(days=self.days_ago)
        return datetime.combine(day, self.at, tzinfo=zone)

    def body_on(self, published_at: datetime) -> str:
        """Return the body with `{weekday}` replaced by the day of publication."""
        return self.body.replace("{weekday}", WEEKDAYS[published_at.weekday()])


def read_articles() -> tuple[SampleArticle, ...]:
    """Return every sample article, by site and slug."""
    return tuple(_article(site, file) for site, file in _files())


def _files() -> Iterator[tuple[str, Traversable]]:
    folder = resources.files("digest.demo.newsroom") / "articles"
    for site in sorted(folder.iterdir(), key=lambda entry: entry.name):
        for file in sorted(site.iterdir(), key=lambda entry: entry.name):
            yield site.name, file


def _article(site: str, file: Traversable) -> SampleArticle:
    _, front, body = file.read_text(encoding="utf-8").split(_FENCE, 2)
    values: dict[str, Any] = tomllib.loads(front)
    values["motif"] = Motif(values["motif"])
    values["comments"] = tuple(Comment(**comment) for comment in values.get("comments", ()))
    for name in ("categories", "takeaways", "also_listed_by"):
        values[name] = tuple(values.get(name, ()))
    return SampleArticle(site=site, slug=file.name.removesuffix(".md"), body=body.strip(), **values)
