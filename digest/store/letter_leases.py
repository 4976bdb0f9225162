"""Who holds which letters, and what becomes of those whose holder is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, literal_column, or_, select, update
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.store.letters import LetterRow

# Written out as in the partial index, see `claims.py`.
_IS_LEASED = LetterRow.state.in_([literal_column("'claimed'"), literal_column("'sending'")])


def letter_owners(session: Session) -> frozenset[str]:
    """Return everybody who holds a letter now."""
    held = select(LetterRow.owner).where(_IS_LEASED).distinct()
    return frozenset(owner for owner in session.scalars(held) if owner is not None)


def reap_letters(session: Session, *, now: datetime, dead: Collection[str] = ()) -> tuple[int, int]:
    """Take back what a lease ran out on or a `dead` owner held; return how many are pending, unknown.

    One that was armed may be with the mail server: it is unknown, and not sent again.
    """
    # As with deliveries, nobody waits here for a worker that is stopped in the middle of a change.
    held = (
        select(LetterRow.id)
        .where(_IS_LEASED, or_(LetterRow.lease_until < now, LetterRow.owner.in_(list(dead))))
        .with_for_update(skip_locked=True)
    )
    states = session.scalars(
        update(LetterRow)
        .where(LetterRow.id.in_(held))
        .values(
            state=case(
                (LetterRow.state == DeliveryState.CLAIMED, DeliveryState.PENDING.value),
                else_=DeliveryState.UNKNOWN.value,
            ),
            lease_until=None,
        )
        .returning(LetterRow.state)
        .execution_options(synchronize_session=False)
    ).all()
    return states.count(DeliveryState.PENDING), states.count(DeliveryState.UNKNOWN)
