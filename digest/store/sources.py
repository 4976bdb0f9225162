"""Sources: what is polled, and how the last poll went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import NewsletterId, Source, SourceId, SourceKind
from digest.domain.topics import TopicSlug
from digest.store.base import Base, Json, storable

_ETAG_MAX, _LAST_MODIFIED_MAX = 500, 100


class SourceRow(Base):
    """A feed or page of a newsletter, with what its server said last."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("newsletter_id", "url"), UniqueConstraint("newsletter_id", "name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(2048))
    kind: Mapped[str] = mapped_column(String(16))
    topics: Mapped[list[str]] = mapped_column(Json)
    link_pattern: Mapped[str] = mapped_column(String(500))
    etag: Mapped[str | None] = mapped_column(String(_ETAG_MAX))
    last_modified: Mapped[str | None] = mapped_column(String(_LAST_MODIFIED_MAX))
    complete_since: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text)
    polled_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source before it has an id."""

    name: str
    url: str
    kind: SourceKind = SourceKind.FEED
    topics: tuple[TopicSlug, ...] = ()
    link_pattern: str = ""


def add_sources(
    session: Session, newsletter_id: NewsletterId, sources: Iterable[NewSource], *, now: datetime
) -> None:
    """Add all of `sources` or, when a name or address is there already, none: raises `Conflict`."""
    for source in sources:
        _refuse_known(session, newsletter_id, source)
        session.add(
            SourceRow(
                newsletter_id=newsletter_id,
                name=source.name,
                url=source.url,
                kind=source.kind,
                topics=list(source.topics),
                link_pattern=source.link_pattern,
                last_error="",
                created_at=now,
            )
        )
        session.flush()


def _refuse_known(session: Session, newsletter_id: NewsletterId, source: NewSource) -> None:
    for known in list_sources(session, newsletter_id):
        if known.url == source.url:
            raise Conflict(f"{source.url} is a source already, as '{known.name}'; nothing was added")
        if known.name == source.name:
            raise Conflict(f"a source '{source.name}' exists already ({known.url}); nothing was added")


def list_sources(session: Session, newsletter_id: NewsletterId) -> tuple[Source, ...]:
    """Return the newsletter's sources by name."""
    rows = session.scalars(
        select(SourceRow).where(SourceRow.newsletter_id == newsletter_id).order_by(SourceRow.name)
    )
    return tuple(map(_source, rows))


def get_source(session: Session, newsletter_id: NewsletterId, name: str) -> Source:
    """Return the source called `name`, or with that address. Raises `NotFound` with those there are."""
    sources = list_sources(session, newsletter_id)
    for source in sources:
        if name in (source.name, source.url):
            return source
    known = (
        ", ".join(f"'{source.name}'" for source in sources) or "none yet: add one with 'digest source add'"
    )
    raise NotFound(f"no source '{name}'; there is: {known}")


def remove_source(session: Session, source_id: SourceId) -> None:
    """Stop polling a source. Its articles stay."""
    session.execute(delete(SourceRow).where(SourceRow.id == source_id))


def record_success(
    session: Session,
    source_id: SourceId,
    *,
    etag: str | None,
    last_modified: str | None,
    complete_since: datetime | None,
    now: datetime,
) -> None:
    """Remember that a poll went well, and what to ask the server next time.

    A validator that is too long for its column is forgotten: it is the server's to make up, and opaque.
    """
    session.execute(
        update(SourceRow)
        .where(SourceRow.id == source_id)
        .values(
            etag=_fitting(etag, _ETAG_MAX),
            last_modified=_fitting(last_modified, _LAST_MODIFIED_MAX),
            complete_since=complete_since,
            last_error="",
            polled_at=now,
            succeeded_at=now,
        )
    )


def _fitting(validator: str | None, limit: int) -> str | None:
    return validator if validator is not None and len(validator) <= limit else None


def record_failure(session: Session, source_id: SourceId, error: str, *, now: datetime) -> None:
    """Remember in words why a poll failed."""
    session.execute(
        update(SourceRow).where(SourceRow.id == source_id).values(last_error=storable(error), polled_at=now)
    )


def _source(row: SourceRow) -> Source:
    return Source(
        id=SourceId(row.id),
        name=row.name,
        url=row.url,
        kind=SourceKind(row.kind),
        topics=tuple(map(TopicSlug, row.topics)),
        link_pattern=row.link_pattern,
        etag=row.etag,
        last_modified=row.last_modified,
        complete_since=row.complete_since,
        last_error=row.last_error,
        polled_at=row.polled_at,
    )
