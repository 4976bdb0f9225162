"""Events for others' programs: written in the transaction of what happened, one row for each who wants it.

So nothing is told that did not happen, and nothing that happened is forgotten. Where no endpoint wants a
kind, it costs a look at a table of a few rows.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text, delete, insert, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.endpoints import BACK_OFF, Call, CallId, CallState, EndpointId, EventKind
from digest.domain.errors import Conflict, NotFound
from digest.store.base import NEVER_AGAIN, Base, BigId, storable
from digest.store.endpoints import EndpointRow

_WAITING = text("state = 'waiting'")
_ANSWER_MAX = 500

KEPT_FOR = timedelta(days=30)
"""How long what was told stays in the log."""


class CallRow(Base):
    """One event for one endpoint. `next_at` is when it is due; whoever tries it moves that on first."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_due", "next_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_calls_endpoint_id", "endpoint_id", "id"),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int]
    tried_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(Text)


def announce(session: Session, kind: EventKind, *told: Mapping[str, object], now: datetime) -> None:
    """Tell every endpoint that wants this kind of these events, once this transaction is committed."""
    wanting = session.scalars(select(EndpointRow).where(EndpointRow.is_off.is_(False))).all()
    rows = [
        _row(EndpointId(endpoint.id), kind, event, now)
        for event in told
        for endpoint in wanting
        if kind.value in endpoint.kinds.split(",")
    ]
    if rows:
        session.execute(insert(CallRow), rows)


def is_wanted(session: Session, kind: EventKind) -> bool:
    """Tell whether any endpoint wants this kind, for who would have to look up what to tell."""
    wanted = session.scalars(select(EndpointRow.kinds).where(EndpointRow.is_off.is_(False)))
    return any(kind.value in kinds.split(",") for kinds in wanted)


def announce_to(
    session: Session, endpoint_id: EndpointId, kind: EventKind, told: Mapping[str, object], *, now: datetime
) -> Call:
    """Tell one endpoint of something, whatever it wants."""
    row = CallRow(**_row(endpoint_id, kind, told, now))
    session.add(row)
    session.flush()
    return _call(row)


def _row(
    endpoint_id: EndpointId, kind: EventKind, told: Mapping[str, object], now: datetime
) -> dict[str, object]:
    event = {"type": kind.value, "timestamp": now.isoformat().replace("+00:00", "Z"), "data": told}
    return {
        "endpoint_id": endpoint_id,
        "event_id": f"msg_{secrets.token_urlsafe(18)}",
        "kind": kind.value,
        "body": json.dumps(event, ensure_ascii=False, separators=(",", ":")),
        "made_at": now,
        "state": CallState.WAITING.value,
        "tries": 0,
        "next_at": now,
        "answer": "",
    }


def are_calls_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a call could be made now."""
    due = select(CallRow.id).where(CallRow.state == CallState.WAITING, CallRow.next_at <= now).limit(1)
    return session.scalar(due) is not None


def claim_calls(session: Session, *, now: datetime, limit: int, lease: timedelta) -> tuple[Call, ...]:
    """Take up to `limit` calls that are due, the oldest first; nobody else takes them before `lease` is over.

    So a call whose process dies is made again then: it may arrive twice, with the same id.
    """
    due = (
        select(CallRow.id)
        .where(CallRow.state == CallState.WAITING, CallRow.next_at <= now)
        .order_by(CallRow.next_at, CallRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(
        update(CallRow)
        .where(CallRow.id.in_(due.scalar_subquery()), CallRow.next_at <= now)
        .values(next_at=now + lease, tried_at=now, tries=CallRow.tries + 1)
        .returning(CallRow)
        .execution_options(synchronize_session=False)
    ).all()
    return tuple(sorted(map(_call, rows), key=lambda call: call.id))


def record_call(
    session: Session, call: Call, *, is_taken: bool, status: int | None, answer: str, now: datetime
) -> CallState:
    """Write down what came of a try; return how the call stands: taken, to be tried again, or given up."""
    state, next_at = CallState.TAKEN, None
    if not is_taken:
        state = CallState.WAITING if call.tries <= len(BACK_OFF) else CallState.GIVEN_UP
        next_at = now + BACK_OFF[call.tries - 1] if state is CallState.WAITING else None
    session.execute(
        update(CallRow)
        # Who comes back after the lease was over settles nothing.
        .where(CallRow.id == call.id, CallRow.tries == call.tries, CallRow.state == CallState.WAITING)
        .values(state=state, next_at=next_at, status=status, answer=storable(answer)[:_ANSWER_MAX])
        .execution_options(synchronize_session=False)
    )
    return state


def calls_of(
    session: Session, endpoint_id: EndpointId, *, limit: int, before: int | None = None
) -> tuple[Call, ...]:
    """Return up to `limit` calls to an endpoint, the newest first: those with a number below `before`."""
    query = select(CallRow).where(CallRow.endpoint_id == endpoint_id).order_by(CallRow.id.desc())
    if before is not None:
        query = query.where(CallRow.id < before)
    return tuple(map(_call, session.scalars(query.limit(limit))))


def get_call(session: Session, endpoint_id: EndpointId, call_id: int) -> Call:
    """Return a call to an endpoint. Raises `NotFound`."""
    found = session.get(CallRow, call_id)
    if found is None or found.endpoint_id != endpoint_id:
        raise NotFound(f"endpoint {endpoint_id} has no call {call_id}")
    return _call(found)


def call_again(session: Session, endpoint_id: EndpointId, call_id: int, *, now: datetime) -> Call:
    """Have a call made again that was taken or given up, with the same id. Raises `NotFound`, `Conflict`."""
    get_call(session, endpoint_id, call_id)
    again = session.scalar(
        update(CallRow)
        .where(CallRow.id == call_id, CallRow.state != CallState.WAITING)
        .values(state=CallState.WAITING, next_at=now, tries=0)
        .returning(CallRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if again is None:
        raise Conflict(f"call {call_id} waits for its next try already")
    return _call(again)


def forget_calls(session: Session, *, now: datetime) -> None:
    """Take out of the log what is older than it goes back, but for what still waits."""
    session.execute(
        delete(CallRow).where(CallRow.made_at < now - KEPT_FOR, CallRow.state != CallState.WAITING)
    )


def give_up_calls(session: Session, endpoint_id: EndpointId) -> None:
    """Make none of the calls that wait for an endpoint, as it is off."""
    session.execute(
        update(CallRow)
        .where(CallRow.endpoint_id == endpoint_id, CallRow.state == CallState.WAITING)
        .values(state=CallState.GIVEN_UP, next_at=None)
    )


def _call(row: CallRow) -> Call:
    return Call(
        id=CallId(row.id),
        endpoint_id=EndpointId(row.endpoint_id),
        event_id=row.event_id,
        kind=EventKind(row.kind),
        body=row.body,
        made_at=row.made_at,
        state=CallState(row.state),
        tries=row.tries,
        tried_at=row.tried_at,
        next_at=row.next_at,
        status=row.status,
        answer=row.answer,
    )
