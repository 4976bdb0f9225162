"""Sources that cannot be read, of all newsletters at once."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.sources import Source, SourceState
from digest.store.sources import SourceRow, source_from

_IS_FAILING = (SourceRow.failing_since.is_not(None), SourceRow.state == SourceState.ACTIVE.value)


def failing_sources(session: Session, *, limit: int) -> tuple[Source, ...]:
    """Return the sources whose last poll failed, the longest first."""
    rows = session.scalars(
        select(SourceRow).where(*_IS_FAILING).order_by(SourceRow.failing_since, SourceRow.id).limit(limit)
    )
    return tuple(map(source_from, rows))


def count_sources(session: Session) -> dict[NewsletterId, tuple[int, int]]:
    """Return how many sources each newsletter polls, and of how many the last poll failed."""
    rows = session.execute(
        select(
            SourceRow.newsletter_id, func.count(), func.count().filter(SourceRow.failing_since.is_not(None))
        )
        .where(SourceRow.state == SourceState.ACTIVE.value)
        .group_by(SourceRow.newsletter_id)
    )
    return {NewsletterId(newsletter): (polled, failing) for newsletter, polled, failing in rows}
