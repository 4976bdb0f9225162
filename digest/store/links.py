"""Links that sources list and gather did not take, so that nobody opens them again for nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, Text, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.sources import SourceId
from digest.store.base import Base, storable

FORGOTTEN_AFTER = timedelta(days=90)
_AT_ONCE = 500
_REFRESHED_AFTER = timedelta(days=7)


class PassedLinkRow(Base):
    """A link on a source that was opened, or tried, and not stored, or not as its page has it."""

    __tablename__ = "passed_links"

    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(String(2048), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime | None]
    tries: Mapped[int]
    next_try_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class PassedLink:
    """Why a link was passed over, and when to look again.

    `published_at` is the page's date when that was the reason: it was outside the window then. Otherwise its
    page could not be read, `tries` times so far, and `next_try_at` is when to try again (None: never).
    """

    url: str
    reason: str
    published_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None


def passed_links(
    session: Session, source_id: SourceId, urls: Collection[str], *, now: datetime
) -> dict[str, PassedLink]:
    """Return what is known of those of `urls` that were passed over on this source, by URL.

    They are kept for three months more: the source lists them still.
    """
    wanted = list(urls)
    rows = [
        row
        for start in range(0, len(wanted), _AT_ONCE)
        for row in session.scalars(
            select(PassedLinkRow).where(
                PassedLinkRow.source_id == source_id, PassedLinkRow.url.in_(wanted[start : start + _AT_ONCE])
            )
        )
    ]
    for row in rows:
        if now - row.recorded_at > _REFRESHED_AFTER:
            row.recorded_at = now
    return {
        row.url: PassedLink(row.url, row.reason, row.published_at, row.tries, row.next_try_at) for row in rows
    }


def record_passed(session: Session, source_id: SourceId, link: PassedLink, *, now: datetime) -> None:
    """Remember that a link was passed over."""
    session.merge(
        PassedLinkRow(
            source_id=source_id,
            url=link.url,
            reason=storable(link.reason),
            published_at=link.published_at,
            tries=link.tries,
            next_try_at=link.next_try_at,
            recorded_at=now,
        )
    )


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
