"""Links that sources list and gather did not take, so that nobody opens them again for nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.sources import SourceId
from digest.store.base import Base, storable
from digest.store.database import insert_or_ignore, insert_or_replace

FORGOTTEN_AFTER = timedelta(days=90)
_AT_ONCE = 500
_REFRESHED_AFTER = timedelta(days=7)


class PassedLinkRow(Base):
    """A link on a source that was not stored, or not as its page has it: it was opened, tried, or is to be.

    `is_backlog` is as in `PassedLink`.
    """

    __tablename__ = "passed_links"

    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(String(2048), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    tries: Mapped[int]
    next_try_at: Mapped[datetime | None]
    is_backlog: Mapped[bool] = mapped_column(default=False)
    recorded_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class PassedLink:
    """Why a link was passed over, and when to look again.

    `published_at` is the page's date when that was the reason: it was outside the window then. Otherwise its
    page could not be read, `tries` times so far, and `next_try_at` is when to try again (None: never).
    `is_backlog` tells that the source listed it before its first poll, without a date: only its page can show
    that it is new.
    """

    url: str
    reason: str
    published_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    is_backlog: bool = False


def passed_links(
    session: Session, source_id: SourceId, urls: Collection[str], *, now: datetime
) -> dict[str, PassedLink]:
    """Return what is known of those of `urls` that were passed over on this source, by URL.

    They are kept for three months more: the source lists them still.
    """
    found: dict[str, PassedLink] = {}
    for some in _portions(urls):
        those = (PassedLinkRow.source_id == source_id, PassedLinkRow.url.in_(some))
        found |= {link.url: link for link in map(_link, session.scalars(select(PassedLinkRow).where(*those)))}
        session.execute(
            update(PassedLinkRow)
            .where(*those, PassedLinkRow.recorded_at < now - _REFRESHED_AFTER)
            .values(recorded_at=now)
        )
    return found


def _link(row: PassedLinkRow) -> PassedLink:
    return PassedLink(
        url=row.url,
        reason=row.reason,
        published_at=row.published_at,
        tries=row.tries,
        next_try_at=row.next_try_at,
        is_backlog=row.is_backlog,
    )


def _portions(urls: Collection[str]) -> Iterator[list[str]]:
    """Yield the URLs in portions that one statement can name."""
    wanted = list(urls)
    for start in range(0, len(wanted), _AT_ONCE):
        yield wanted[start : start + _AT_ONCE]


def record_backlog(session: Session, source_id: SourceId, urls: Collection[str], *, now: datetime) -> None:
    """Remember links that have no date and were there before the first poll; their pages are due at once.

    What is known of a link already stays.
    """
    reason = "it was listed before the source was first polled, and its page is still to be opened"
    columns = {"source_id": source_id, "reason": reason, "tries": 0, "next_try_at": now, "recorded_at": now}
    for some in _portions(urls):
        rows = [{**columns, "url": url, "is_backlog": True} for url in some]
        session.execute(insert_or_ignore(session, PassedLinkRow), rows)


def record_passed(session: Session, source_id: SourceId, link: PassedLink, *, now: datetime) -> None:
    """Remember that a link was passed over."""
    columns = {
        "source_id": source_id,
        "url": link.url,
        "reason": storable(link.reason),
        "published_at": link.published_at,
        "tries": link.tries,
        "next_try_at": link.next_try_at,
        "is_backlog": link.is_backlog,
        "recorded_at": now,
    }
    insert_or_replace(session, PassedLinkRow, columns)


def forget_passed(session: Session, source_id: SourceId, url: str) -> None:
    """Forget that a link was passed over: it is stored now."""
    session.execute(
        delete(PassedLinkRow).where(PassedLinkRow.source_id == source_id, PassedLinkRow.url == url)
    )


def forget_old_links(session: Session, source_id: SourceId, *, now: datetime) -> None:
    """Forget the links that the source has not listed for three months."""
    session.execute(
        delete(PassedLinkRow).where(
            PassedLinkRow.source_id == source_id, PassedLinkRow.recorded_at < now - FORGOTTEN_AFTER
        )
    )
