"""Sources: what is polled, what its articles may be used for, and how its polls have gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from digest.domain.newsletters import NewsletterId
from digest.domain.topics import TopicSlug

SourceId = NewType("SourceId", int)

FIRST_INTERVAL = timedelta(hours=1)
"""How long after its first poll a source is polled again, before anything is known of its habits."""

SILENT_AFTER = timedelta(days=21)
"""A source without a new article for so long is shown as silent: three issues of a weekly."""


class SourceKind(StrEnum):
    """How a source is read: a feed or a sitemap lists its articles, a page only links to them."""

    FEED = "feed"
    PAGE = "page"
    SITEMAP = "sitemap"


class Excerpt(StrEnum):
    """How much of a source's articles a mail may carry beside the link."""

    TAKEAWAYS = "takeaways"
    HEADLINE = "headline"


class SourceState(StrEnum):
    """Whether a source is polled. Only a server retires one: it said 410, gone for good.

    One that its editor removed is no source any more, and kept for its articles: they go by its name, and
    are used as was agreed with it.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    RETIRED = "retired"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source asks of those who poll it, all of it about pauses, and none of it longer than a year.

    `ttl` is its list's wish, `fresh_for` that of the server's answer (0: asking again is never in vain), None
    where they say nothing. `skip_hours` are hours of the day in UTC without polls, `skip_days` days of the
    week (0: Monday).
    """

    ttl: timedelta | None = None
    fresh_for: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source's polls have gone, and when the next may be.

    While its server says that nothing changed since `etag` or `last_modified`, every article it lists from
    `complete_since` on is stored. None: nobody knows, so the whole list has to be read again.

    `next_poll_at` is when the next poll is due (None: at once), `interval` how far apart polls are while
    nothing else is asked for, `asked` what is. Before `fresh_until` the server would say the same again,
    before `wait_until` it asked not to be troubled. `last_error` is '' while all is well, and `failing_since`
    and `failures` tell since when and how often it is not; ops were told of it at `alerted_at`.

    `listed_at` is when its list was first read and held something (None: not yet, or not since it is another
    list): what it held then without a date is its backlog.
    """

    etag: str | None = None
    last_modified: str | None = None
    complete_since: datetime | None = None
    polled_at: datetime | None = None
    succeeded_at: datetime | None = None
    new_at: datetime | None = None
    next_poll_at: datetime | None = None
    interval: timedelta = FIRST_INTERVAL
    asked: Asked = Asked()
    fresh_until: datetime | None = None
    wait_until: datetime | None = None
    last_error: str = ""
    failing_since: datetime | None = None
    failures: int = 0
    alerted_at: datetime | None = None
    listed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A feed, sitemap or page that is polled.

    All its articles get `topics`, and `language` where their text does not tell its own. `weight` is how
    much more than others its articles count (1: as much). `moved_from` is the address it had before its
    server moved it for good, `moved_to` where it would be were that not another source. `reservation` tells
    by which signal it keeps others from mining its text ('' when it does not).
    """

    id: SourceId
    newsletter_id: NewsletterId
    name: str
    url: str
    kind: SourceKind
    topics: tuple[TopicSlug, ...] = ()
    link_pattern: str = ""
    language: str | None = None
    weight: float = 1.0
    excerpt: Excerpt = Excerpt.TAKEAWAYS
    state: SourceState = SourceState.ACTIVE
    moved_from: str = ""
    moved_to: str = ""
    reservation: str = ""
    created_at: datetime | None = None
    standing: Standing = field(default_factory=Standing)

    def is_silent(self, now: datetime) -> bool:
        """Whether it answers well and has not had a new article for three weeks."""
        since = self.standing.new_at or self.created_at
        return not self.standing.last_error and since is not None and now - since >= SILENT_AFTER
