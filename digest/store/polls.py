"""Polls: which sources are due, how it went, where servers moved them, and who was told of trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from digest.domain.sources import Source, SourceState, Standing
from digest.store.base import storable
from digest.store.sources import (
    ETAG_MAX,
    LAST_MODIFIED_MAX,
    SourceRow,
    asked_columns,
    list_sources,
    make_way,
    source_from,
)


def claim_due_sources(session: Session, *, now: datetime, lease: timedelta, limit: int) -> tuple[Source, ...]:
    """Return active sources of any newsletter whose poll is due, longest due first, for this caller alone.

    Until `lease` has passed nobody else is given them; by then their poll is recorded, or its worker died.
    """
    due = or_(SourceRow.next_poll_at.is_(None), SourceRow.next_poll_at <= now)
    rows = session.scalars(
        select(SourceRow)
        .where(SourceRow.state == SourceState.ACTIVE, due)
        .order_by(SourceRow.next_poll_at.is_not(None), SourceRow.next_poll_at, SourceRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    sources = tuple(map(source_from, rows))
    ids = [source.id for source in sources]
    session.execute(update(SourceRow).where(SourceRow.id.in_(ids)).values(next_poll_at=now + lease))
    return sources


def has_due_sources(session: Session, *, now: datetime) -> bool:
    """Whether any source's poll is due."""
    due = or_(SourceRow.next_poll_at.is_(None), SourceRow.next_poll_at <= now)
    ready = select(SourceRow.id).where(SourceRow.state == SourceState.ACTIVE, due)
    return session.scalar(ready.limit(1)) is not None


def record_standing(session: Session, source: Source, standing: Standing, *, reservation: str) -> None:
    """Remember how a poll of `source` went and what to ask the server next time.

    Nothing is recorded when the source is polled in another way by now: what was said is not true of it.

    A validator that is too long for its column is forgotten: it is the server's to make up, and opaque.
    """
    # What others record meanwhile is not this poll's to write.
    others = {"asked", "listed_at", "alerted_at"}
    told = {one.name: getattr(standing, one.name) for one in fields(standing) if one.name not in others}
    columns: dict[str, object] = told | {
        "etag": _fitting(standing.etag, ETAG_MAX),
        "last_modified": _fitting(standing.last_modified, LAST_MODIFIED_MAX),
        "interval": round(standing.interval.total_seconds()),
        "last_error": storable(standing.last_error),
        "reservation": storable(reservation),
        **asked_columns(standing.asked),
    }
    if standing.failing_since is None:
        columns |= {"alerted_at": None, "telling_until": None}
    session.execute(update(SourceRow).where(*_as_polled(source)).values(**columns))


def record_first_list(session: Session, source: Source, *, now: datetime) -> None:
    """Remember that the source's list was read, as it is polled now: what comes later is no backlog."""
    session.execute(update(SourceRow).where(*_as_polled(source)).values(listed_at=now))


def _fitting(validator: str | None, limit: int) -> str | None:
    return validator if validator is not None and len(validator) <= limit else None


class Move(StrEnum):
    """What recording a source's move came to: done, or its new address is another source's.

    It is no news when that is known already, or when the source is polled in another way by now.
    """

    DONE = "done"
    TAKEN = "taken"
    NO_NEWS = "no news"


def record_move(session: Session, source: Source, url: str, *, key: Callable[[str], str] = str) -> Move:
    """Remember that a server moved its source to `url` for good, or that another source has it already.

    Addresses with one `key` are the same.
    """
    others = (other for other in list_sources(session, source.newsletter_id) if other.id != source.id)
    if any(key(other.url) == key(url) for other in others):
        return _record_taken(session, source, url)
    make_way(session, source.newsletter_id, url=url)
    try:
        with session.begin_nested():
            moved = update(SourceRow).where(*_as_polled(source)).returning(SourceRow.id)
            columns = {"url": url, "moved_from": source.url, "moved_to": ""}
            done = session.scalar(moved.values(etag=None, last_modified=None, **columns))
    except IntegrityError:  # another poll has just moved its own there
        return _record_taken(session, source, url)
    return Move.NO_NEWS if done is None else Move.DONE


def _record_taken(session: Session, source: Source, url: str) -> Move:
    told = update(SourceRow).where(*_as_polled(source), SourceRow.moved_to != url).returning(SourceRow.id)
    return Move.NO_NEWS if session.scalar(told.values(moved_to=url)) is None else Move.TAKEN


def forget_move(session: Session, source: Source) -> None:
    """Forget that a server moved its source to the address of another: it does so no more."""
    session.execute(update(SourceRow).where(*_as_polled(source)).values(moved_to=""))


def retire_source(session: Session, source: Source) -> bool:
    """Poll a source no more, for its server said that it is gone for good; False when it is elsewhere now."""
    retired = update(SourceRow).where(*_as_polled(source)).values(state=SourceState.RETIRED)
    return session.scalar(retired.returning(SourceRow.id)) is not None


def _as_polled(source: Source) -> tuple[ColumnElement[bool], ...]:
    """Match the source's row while it is still polled as it was when `source` was read.

    An editor may give it another address or link pattern while a poll is under way, or remove it.
    """
    return (
        SourceRow.id == source.id,
        SourceRow.url == source.url,
        SourceRow.kind == source.kind,
        SourceRow.link_pattern == source.link_pattern,
        SourceRow.state != SourceState.REMOVED,
    )


def has_alerts(session: Session, *, failing_before: datetime, now: datetime) -> bool:
    """Whether a source has been failing since before then, and nobody has told of it or is about to."""
    untold = select(SourceRow.id).where(*_untold(failing_before, now))
    return session.scalar(untold.limit(1)) is not None


def claim_alerts(
    session: Session, *, failing_before: datetime, now: datetime, lease: timedelta
) -> tuple[Source, ...]:
    """Return the sources that have been failing since before then and of which nobody was told.

    Until `lease` has passed nobody else is given them; by then `record_alerts` has been called for them, or
    nobody was told and they are given out again.
    """
    rows = session.scalars(
        select(SourceRow)
        .where(*_untold(failing_before, now))
        .order_by(SourceRow.newsletter_id, SourceRow.name)
        .with_for_update(skip_locked=True)
    ).all()
    sources = tuple(map(source_from, rows))
    ids = [source.id for source in sources]
    session.execute(update(SourceRow).where(SourceRow.id.in_(ids)).values(telling_until=now + lease))
    return sources


def _untold(failing_before: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SourceRow.failing_since <= failing_before,
        SourceRow.alerted_at.is_(None),
        or_(SourceRow.telling_until.is_(None), SourceRow.telling_until <= now),
        SourceRow.state == SourceState.ACTIVE,
    )


def record_alerts(session: Session, sources: Iterable[Source], *, now: datetime) -> None:
    """Remember that ops were told of these sources. One that has been well since may be told of again."""
    for source in sources:
        told = (SourceRow.id == source.id, SourceRow.failing_since == source.standing.failing_since)
        session.execute(update(SourceRow).where(*told).values(alerted_at=now))
