"""How often somebody tried to come in, counted by what the tries have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, String, bindparam, case, delete, select, update
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
    _forget(session, now, most=_FORGOTTEN_AT_ONCE)
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


def attempts_among(
    session: Session, keys: Collection[str], *, now: datetime
) -> dict[str, tuple[int, datetime]]:
    """Return how many tries of these keys count now and until when; of keys without any there is nothing."""
    found = select(AttemptRow).where(AttemptRow.key.in_(keys), AttemptRow.until > now)
    return {row.key: (row.count, row.until) for row in session.scalars(found)}


def add_attempts(session: Session, added: Mapping[str, tuple[int, datetime]], *, now: datetime) -> None:
    """Count tries by the page: how many of each key, and until when they count where none did before."""
    if not added:
        return
    _forget(session, now, most=10 * len(added))
    goes_on = AttemptRow.until > now
    connection = session.connection()
    connection.execute(
        insert_or_ignore(session, AttemptRow),
        [{"key": key, "count": 0, "until": until} for key, (_, until) in sorted(added.items())],
    )
    connection.execute(
        update(AttemptRow)
        .where(AttemptRow.key == bindparam("b_key"))
        .values(
            count=case((goes_on, AttemptRow.count + bindparam("b_count")), else_=bindparam("b_count")),
            until=case((goes_on, AttemptRow.until), else_=bindparam("b_until", type_=AttemptRow.until.type)),
        ),
        [{"b_key": key, "b_count": count, "b_until": until} for key, (count, until) in sorted(added.items())],
    )


def _forget(session: Session, now: datetime, *, most: int) -> None:
    old = select(AttemptRow.key).where(AttemptRow.until <= now).limit(most)
    session.execute(
        delete(AttemptRow).where(AttemptRow.key.in_(old.with_for_update(skip_locked=True))),
        execution_options={"synchronize_session": False},
    )


def forgive_attempts(session: Session, keys: Sequence[str]) -> None:
    """Forget the tries of these keys: the last one was right."""
    session.execute(delete(AttemptRow).where(AttemptRow.key.in_(keys)))
