"""Weeks that are made again: an issue was cancelled, and another of the same days takes its place."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueId, IssueState
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow

_HAVE_IT = (DeliveryState.ACCEPTED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
"""Who may have a mail counts as who has it: two are worse than none."""


def cancelled_before(session: Session, issue: Issue) -> tuple[IssueId, ...]:
    """Return the cancelled issues of the very same days, oldest first: none for nearly every issue."""
    found = session.scalars(
        select(IssueRow.id)
        .where(
            IssueRow.newsletter_id == issue.newsletter_id,
            IssueRow.window_start == issue.window.start,
            IssueRow.window_end == issue.window.end,
            IssueRow.state == IssueState.CANCELLED,
            IssueRow.id < issue.id,
        )
        .order_by(IssueRow.id)
    )
    return tuple(map(IssueId, found))


def already_reached(session: Session, issue: Issue) -> Select[int] | None:
    """Return a query for the ids of the subscribers that a cancelled issue of the same days reached.

    Or may have reached. None when there is no such issue, as for nearly every one.
    """
    earlier = cancelled_before(session, issue)
    if not earlier:
        return None
    return select(DeliveryRow.subscriber_id).where(
        DeliveryRow.issue_id.in_(earlier), DeliveryRow.state.in_([state.value for state in _HAVE_IT])
    )
