"""How often somebody tried to come in, counted by what the tries have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, String, case, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base
from digest.store.database import insert_or_ignore

_FORGOTTEN_AT_ONCE = 100
"""More than one try adds, so that the table never grows for good."""


class AttemptRow(Base):
    """Tries that share a `key`, until then: a hash, as what people type into the wrong field is a secret."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime] = mapped_column(index=True)


def count_attempts(
    session: Session, keys: Sequence[str], *, now: datetime, within: timedelta
) -> dict[str, tuple[int, datetime]]:
    """Count a try for each key; return how many there were, this one among them, and until when they count.

    Nobody who tries at the same moment is counted as the same try.
    """
    old = select(AttemptRow.key).where(AttemptRow.until <= now).limit(_FORGOTTEN_AT_ONCE)
    session.execute(
        delete(AttemptRow).where(AttemptRow.key.in_(old.with_for_update(skip_locked=True))),
        execution_options={"synchronize_session": False},
    )
    # In one order everywhere: two that each wait for the other's key would wait for ever.
    return {key: _count(session, key, now, now + within) for key in sorted(set(keys))}


def _count(session: Session, key: str, now: datetime, until: datetime) -> tuple[int, datetime]:
    session.execute(insert_or_ignore(session, AttemptRow, [{"key": key, "count": 0, "until": until}]))
    goes_on = AttemptRow.until > now
    counted = session.execute(
        update(AttemptRow)
        .where(AttemptRow.key == key)
        .values(
            count=case((goes_on, AttemptRow.count + 1), else_=1),
            until=case((goes_on, AttemptRow.until), else_=until),
        )
        .returning(AttemptRow.count, AttemptRow.until)
        .execution_options(synchronize_session=False)
    ).one()
    return counted[0], counted[1]


def forgive_attempts(session: Session, keys: Sequence[str]) -> None:
    """Forget the tries of these keys: the last one was right."""
    session.execute(delete(AttemptRow).where(AttemptRow.key.in_(keys)))
