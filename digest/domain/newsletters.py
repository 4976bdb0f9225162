"""A newsletter, the sources it reads, and who may let an issue go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from digest.domain.topics import TopicSlug

NewsletterId = NewType("NewsletterId", int)
SourceId = NewType("SourceId", int)


class Approval(StrEnum):
    """Who lets an issue go out."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class SourceKind(StrEnum):
    """How a source is read: a feed lists its articles, a page only links to them."""

    FEED = "feed"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A publication: its identity, its zone, how much an issue holds and who approves it.

    `window_days` is how many whole local days an issue covers; `max_items` caps an issue, `takeaways`
    the bullets of each of its articles.
    """

    id: NewsletterId
    slug: str
    name: str
    sender_name: str
    sender_email: str
    postal_address: str
    language: str = "en"
    timezone: str = "UTC"
    window_days: int = 7
    max_items: int = 30
    takeaways: int = 3
    approval: Approval = Approval.MANUAL
    template: str = "digest"


@dataclass(frozen=True, slots=True)
class Source:
    """A feed or page that is polled. All its articles get `topics`; `polled_at` is None until the first poll.

    While its server says that nothing changed since `etag` or `last_modified`, every article it lists from
    `complete_since` on is stored. None: nobody knows, so the whole list has to be read again.
    """

    id: SourceId
    name: str
    url: str
    kind: SourceKind
    topics: tuple[TopicSlug, ...] = ()
    link_pattern: str = ""
    etag: str | None = None
    last_modified: str | None = None
    complete_since: datetime | None = None
    last_error: str = ""
    polled_at: datetime | None = None
