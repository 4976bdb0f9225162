"""Sources: what is polled, and on which terms; `polls` remembers how that went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.sources import (
    FIRST_INTERVAL,
    Asked,
    Excerpt,
    Source,
    SourceId,
    SourceKind,
    SourceState,
    Standing,
)
from digest.domain.topics import TopicSlug
from digest.store.base import Base, Json

_NAME_MAX = 200
ETAG_MAX, LAST_MODIFIED_MAX = 500, 100


class SourceRow(Base):
    """A feed, sitemap or page of a newsletter, with what its server said last."""

    __tablename__ = "sources"
    __table_args__ = (
        UniqueConstraint("newsletter_id", "url"),
        UniqueConstraint("newsletter_id", "name"),
        Index(None, "next_poll_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(_NAME_MAX))
    url: Mapped[str] = mapped_column(String(2048))
    kind: Mapped[str] = mapped_column(String(16))
    topics: Mapped[list[str]] = mapped_column(Json)
    link_pattern: Mapped[str] = mapped_column(String(500))
    language: Mapped[str | None] = mapped_column(String(16))
    weight: Mapped[float] = mapped_column(default=1.0)
    excerpt: Mapped[str] = mapped_column(String(16), default=Excerpt.TAKEAWAYS)
    state: Mapped[str] = mapped_column(String(16), default=SourceState.ACTIVE)
    moved_from: Mapped[str] = mapped_column(String(2048), default="")
    moved_to: Mapped[str] = mapped_column(String(2048), default="")
    reservation: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]

    etag: Mapped[str | None] = mapped_column(String(ETAG_MAX))
    last_modified: Mapped[str | None] = mapped_column(String(LAST_MODIFIED_MAX))
    complete_since: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    new_at: Mapped[datetime | None]
    next_poll_at: Mapped[datetime | None]
    interval: Mapped[int] = mapped_column(Integer, default=FIRST_INTERVAL.total_seconds())
    ttl: Mapped[int | None]
    fresh_for: Mapped[int | None]
    """These three are in seconds."""
    skip_hours: Mapped[list[int]] = mapped_column(Json, default=list)
    skip_days: Mapped[list[int]] = mapped_column(Json, default=list)
    fresh_until: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text)
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    alerted_at: Mapped[datetime | None]
    telling_until: Mapped[datetime | None]
    """Until then somebody is telling ops."""
    listed_at: Mapped[datetime | None]


_UNPOLLED: dict[str, object] = {
    "state": SourceState.ACTIVE,
    "moved_from": "",
    "moved_to": "",
    "reservation": "",
    "last_error": "",
    "failures": 0,
    "interval": FIRST_INTERVAL.total_seconds(),
    "skip_hours": [],
    "skip_days": [],
} | dict.fromkeys(
    (
        "etag",
        "last_modified",
        "complete_since",
        "polled_at",
        "succeeded_at",
        "new_at",
        "next_poll_at",
        "ttl",
        "fresh_for",
        "fresh_until",
        "wait_until",
        "failing_since",
        "alerted_at",
        "telling_until",
        "listed_at",
    )
)
"""How a source stands that was never polled, or before it was removed."""


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source before it has an id."""

    name: str
    url: str
    kind: SourceKind = SourceKind.FEED
    topics: tuple[TopicSlug, ...] = ()
    link_pattern: str = ""
    language: str | None = None
    weight: float = 1.0
    excerpt: Excerpt = Excerpt.TAKEAWAYS


def add_sources(
    session: Session,
    newsletter_id: NewsletterId,
    sources: Iterable[NewSource],
    *,
    now: datetime,
    key: Callable[[str], str] = str,
) -> tuple[str, ...]:
    """Add all of `sources` or, when a name or address is there already, none: raises `Conflict`.

    Addresses with one `key` are the same. Returns the names of those that were sources before and had been
    removed: they are so again, on the terms they are added on, with the articles they had.
    """
    rows = session.scalars(select(SourceRow).where(SourceRow.newsletter_id == newsletter_id)).all()
    present = [row for row in rows if row.state != SourceState.REMOVED]
    # Two sources may have come to one address; each has a name of its own.
    known, names = {key(row.url): row for row in present}, {row.name: row for row in present}
    again = []
    for source in sources:
        _refuse_known(known, names, source, key)
        former = _former(rows, source, key)
        row = former or SourceRow(newsletter_id=newsletter_id)
        make_way(session, newsletter_id, name=source.name, url=source.url, but=row.id)
        columns = asdict(source) | {"topics": list(source.topics), "created_at": now}
        for column, value in (columns | _UNPOLLED).items():
            setattr(row, column, value)
        session.add(row)
        session.flush()
        known[key(source.url)] = names[source.name] = row
        again += [source.name] if former else []
    return tuple(again)


def _refuse_known(
    known: Mapping[str, SourceRow],
    names: Mapping[str, SourceRow],
    source: NewSource,
    key: Callable[[str], str],
) -> None:
    if (same := known.get(key(source.url))) is not None:
        written = "" if same.url == source.url else f", written {same.url}"
        raise Conflict(f"{source.url} is a source already, as '{same.name}'{written}; nothing was added")
    if (named := names.get(source.name)) is not None:
        raise Conflict(f"a source '{source.name}' exists already ({named.url}); nothing was added")


def _former(rows: Iterable[SourceRow], source: NewSource, key: Callable[[str], str]) -> SourceRow | None:
    """Return what was removed and is now added again: by its name or, under another one, by its address."""
    removed = [row for row in rows if row.state == SourceState.REMOVED]
    named = (row for row in removed if row.name == source.name)
    return next(named, next((row for row in removed if key(row.url) == key(source.url)), None))


def make_way(
    session: Session, newsletter_id: NewsletterId, *, name: str = "", url: str = "", but: int | None = None
) -> None:
    """Have removed sources give up the name or address that another one is to have."""
    taken = or_(SourceRow.name == name, SourceRow.url == url)
    removed = (SourceRow.newsletter_id == newsletter_id, SourceRow.state == SourceState.REMOVED)
    for row in session.scalars(select(SourceRow).where(*removed, taken)).all():
        if row.id == but:
            continue
        if row.name == name:
            row.name = f"{name[: _NAME_MAX - 30]} (former, {row.id})"
        if row.url == url:
            row.url = f"removed:{row.id}"
    session.flush()


def list_sources(session: Session, newsletter_id: NewsletterId) -> tuple[Source, ...]:
    """Return the newsletter's sources by name."""
    ever = sources_ever(session, newsletter_id)
    return tuple(source for source in ever if source.state is not SourceState.REMOVED)


def sources_ever(session: Session, newsletter_id: NewsletterId) -> tuple[Source, ...]:
    """Return the newsletter's sources and those that were removed, whose articles are there, by name."""
    rows = session.scalars(
        select(SourceRow).where(SourceRow.newsletter_id == newsletter_id).order_by(SourceRow.name)
    )
    return tuple(map(source_from, rows))


def active_sources(session: Session, newsletter_id: NewsletterId) -> tuple[Source, ...]:
    """Return those of the newsletter's sources that are polled, by name."""
    return tuple(
        source for source in list_sources(session, newsletter_id) if source.state is SourceState.ACTIVE
    )


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


def source_by_id(session: Session, source_id: int) -> Source:
    """Return the source with this number. Raises `NotFound`, also when it was removed."""
    row = session.get(SourceRow, source_id)
    if row is None or row.state == SourceState.REMOVED:
        raise NotFound(f"no source {source_id}: 'digest source list' shows those there are")
    return source_from(row)


def change_source(session: Session, source_id: SourceId, **changes: object) -> None:
    """Change columns of a source that its editor may set: name, topics, language, weight, excerpt, …

    It is condensed and polled anew: what its articles are used for, and how they are found, may differ.
    Raises `Conflict` when the newsletter has a source of that name or address.
    """
    columns: dict[str, Any] = {"complete_since": None, "next_poll_at": None} | changes
    if "url" in changes or "link_pattern" in changes:
        columns["listed_at"] = None  # it lists others now, and all of them may be old
    if "url" in changes:
        # What the old address said holds for it alone.
        columns |= dict.fromkeys(("etag", "last_modified", "fresh_until", "wait_until", "failing_since"))
        columns |= dict.fromkeys(("alerted_at", "telling_until"))
        columns |= {"moved_from": "", "moved_to": "", "reservation": "", "last_error": "", "failures": 0}
        columns |= asked_columns(Asked())
    row = session.get_one(SourceRow, source_id)
    make_way(
        session,
        NewsletterId(row.newsletter_id),
        name=str(changes.get("name", "")),
        url=str(changes.get("url", "")),
    )
    try:
        with session.begin_nested():
            session.execute(update(SourceRow).where(SourceRow.id == source_id).values(**columns))
    except IntegrityError as exc:
        raise Conflict(
            "another source of the newsletter has that name or address; nothing was changed"
        ) from exc


def remove_source(session: Session, source_id: SourceId) -> None:
    """Have a newsletter do without a source. Its articles stay, with its name and on its terms."""
    session.execute(update(SourceRow).where(SourceRow.id == source_id).values(state=SourceState.REMOVED))


def source_from(row: SourceRow) -> Source:
    """Return a row as a value."""
    return Source(
        id=SourceId(row.id),
        newsletter_id=NewsletterId(row.newsletter_id),
        name=row.name,
        url=row.url,
        kind=SourceKind(row.kind),
        topics=tuple(map(TopicSlug, row.topics)),
        link_pattern=row.link_pattern,
        language=row.language,
        weight=row.weight,
        excerpt=Excerpt(row.excerpt),
        state=SourceState(row.state),
        moved_from=row.moved_from,
        moved_to=row.moved_to,
        reservation=row.reservation,
        created_at=row.created_at,
        standing=Standing(
            etag=row.etag,
            last_modified=row.last_modified,
            complete_since=row.complete_since,
            polled_at=row.polled_at,
            succeeded_at=row.succeeded_at,
            new_at=row.new_at,
            next_poll_at=row.next_poll_at,
            interval=timedelta(seconds=row.interval),
            asked=Asked(
                _span(row.ttl), _span(row.fresh_for), frozenset(row.skip_hours), frozenset(row.skip_days)
            ),
            fresh_until=row.fresh_until,
            wait_until=row.wait_until,
            last_error=row.last_error,
            failing_since=row.failing_since,
            failures=row.failures,
            alerted_at=row.alerted_at,
            listed_at=row.listed_at,
        ),
    )


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def asked_columns(asked: Asked) -> dict[str, object]:
    """Return what a source asks of polls as the columns that remember it."""
    return {
        "ttl": _seconds(asked.ttl),
        "fresh_for": _seconds(asked.fresh_for),
        "skip_hours": sorted(asked.skip_hours),
        "skip_days": sorted(asked.skip_days),
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
