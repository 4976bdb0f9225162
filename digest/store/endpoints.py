"""Endpoints: which programs are told of what, and by which secrets they know that it is us."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.endpoints import ROTATION, Endpoint, EndpointId, EventKind, new_signing_secret
from digest.domain.errors import NotFound
from digest.store.base import NEVER_AGAIN, Base, storable


class EndpointRow(Base):
    """An endpoint. `kinds` are names, with commas; `secret_before` signs, too, until `before_until`."""

    __tablename__ = "endpoints"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(2048))
    kinds: Mapped[str] = mapped_column(String(1000))
    about: Mapped[str] = mapped_column(String(200))
    secret: Mapped[str] = mapped_column(String(100))
    secret_before: Mapped[str] = mapped_column(String(100))
    before_until: Mapped[datetime | None]
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    is_off: Mapped[bool]
    why_off: Mapped[str] = mapped_column(Text)


def add_endpoint(
    session: Session, *, url: str, kinds: Collection[EventKind], about: str, by: str, now: datetime
) -> tuple[Endpoint, str]:
    """Store an endpoint whose address was checked; return it and the secret its calls are signed with."""
    row = EndpointRow(
        url=url,
        kinds=_written(kinds),
        about=storable(about),
        secret=new_signing_secret(),
        secret_before="",
        made_by=storable(by),
        made_at=now,
        is_off=False,
        why_off="",
    )
    session.add(row)
    session.flush()
    return _endpoint(row), row.secret


def list_endpoints(session: Session) -> tuple[Endpoint, ...]:
    """Return every endpoint, the oldest first."""
    return tuple(map(_endpoint, session.scalars(select(EndpointRow).order_by(EndpointRow.id))))


def get_endpoint(session: Session, endpoint_id: int, *, to_change: bool = False) -> Endpoint:
    """Return an endpoint, which nobody else changes meanwhile where it is got `to_change`. `NotFound`."""
    return _endpoint(_row(session, endpoint_id, to_change=to_change))


def change_endpoint(
    session: Session,
    endpoint_id: int,
    *,
    url: str | None = None,
    kinds: Collection[EventKind] | None = None,
    about: str | None = None,
    is_off: bool | None = None,
) -> Endpoint:
    """Change what is not None of an endpoint; turned on again, it is taken to be well. Raises `NotFound`."""
    row = _row(session, endpoint_id)
    row.url = row.url if url is None else url
    row.kinds = row.kinds if kinds is None else _written(kinds)
    row.about = row.about if about is None else storable(about)
    if is_off is not None:
        row.is_off, row.failing_since = is_off, None
        row.why_off = "turned off" if is_off else ""
    session.flush()
    return _endpoint(row)


def remove_endpoint(session: Session, endpoint_id: int) -> None:
    """Remove an endpoint with its log. Raises `NotFound`."""
    _row(session, endpoint_id)
    session.execute(delete(EndpointRow).where(EndpointRow.id == endpoint_id))


def rotate_secret(session: Session, endpoint_id: int, *, now: datetime) -> str:
    """Sign with a new secret, and for a day with the one before, too; return the new one. `NotFound`."""
    row = _row(session, endpoint_id)
    row.secret_before, row.before_until = row.secret, now + ROTATION
    row.secret = new_signing_secret()
    session.flush()
    return row.secret


def secrets_of(session: Session, endpoint_id: EndpointId, *, now: datetime) -> tuple[str, ...]:
    """Return what an endpoint's calls are signed with now, the newest first."""
    row = _row(session, endpoint_id)
    is_before_good = row.before_until is not None and now < row.before_until
    return (row.secret, row.secret_before) if is_before_good else (row.secret,)


def note_taken(session: Session, endpoint_id: EndpointId) -> None:
    """Note that an endpoint took a call."""
    session.execute(
        update(EndpointRow)
        .where(EndpointRow.id == endpoint_id, EndpointRow.failing_since.is_not(None))
        .values(failing_since=None)
    )


def note_failing(session: Session, endpoint_id: EndpointId, *, now: datetime) -> datetime | None:
    """Note that an endpoint did not take a call; return since when it takes none, None when it is gone."""
    return session.scalar(
        update(EndpointRow)
        .where(EndpointRow.id == endpoint_id)
        .values(failing_since=func.coalesce(EndpointRow.failing_since, now))
        .returning(EndpointRow.failing_since)
        .execution_options(synchronize_session=False)
    )


def turn_off(session: Session, endpoint_id: EndpointId, *, why: str) -> None:
    """Tell an endpoint nothing more, and remember why."""
    session.execute(
        update(EndpointRow).where(EndpointRow.id == endpoint_id).values(is_off=True, why_off=storable(why))
    )


def _row(session: Session, endpoint_id: int, *, to_change: bool = False) -> EndpointRow:
    lock = {"key_share": True} if to_change else None
    row = session.get(EndpointRow, endpoint_id, populate_existing=True, with_for_update=lock)
    if row is None:
        raise NotFound(f"no endpoint {endpoint_id}: 'digest endpoint list' shows those there are")
    return row


def _written(kinds: Collection[EventKind]) -> str:
    return ",".join(sorted(kind.value for kind in kinds))


def _endpoint(row: EndpointRow) -> Endpoint:
    return Endpoint(
        id=EndpointId(row.id),
        url=row.url,
        kinds=frozenset(map(EventKind, row.kinds.split(","))),
        about=row.about,
        made_by=row.made_by,
        made_at=row.made_at,
        failing_since=row.failing_since,
        is_off=row.is_off,
        why_off=row.why_off,
    )
