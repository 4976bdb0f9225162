"""Drafts that filled themselves and that nobody touched: nothing is lost with one that is not needed."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from digest.domain.approvals import AUTOMATIC
from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.store.approvals import ApprovalRequestRow
from digest.store.edits import EditRow
from digest.store.issues import IssueRow, lock_issue
from digest.store.preview_links import PreviewLinkRow
from digest.store.schedules import OccurrenceRow

_TOUCHED: tuple[ColumnElement[bool], ...] = (
    exists().where(EditRow.issue_id == IssueRow.id, EditRow.by != AUTOMATIC),
    exists().where(ApprovalRequestRow.issue_id == IssueRow.id),
    exists().where(PreviewLinkRow.issue_id == IssueRow.id),
    exists().where(OccurrenceRow.issue_id == IssueRow.id),
)


def find_untouched(session: Session, newsletter_id: NewsletterId, window: Window) -> IssueId | None:
    """Return the draft of these days where nobody changed, approved, shared or asked for it, else None.

    Nor has a run come to it: that one waits for somebody. Nobody else changes it until this transaction ends.
    """
    query = select(IssueRow.id).where(
        IssueRow.newsletter_id == newsletter_id,
        IssueRow.window_start == window.start,
        IssueRow.window_end == window.end,
        IssueRow.state == IssueState.DRAFT,
        IssueRow.revision == 0,
        *(~touched for touched in _TOUCHED),
    )
    found = session.scalar(query)
    if found is None:
        return None
    lock_issue(session, found)
    # Looked at again: an editor may have been at it between the look and the lock.
    return IssueId(found) if session.scalar(query) is not None else None


def remove_draft(session: Session, issue_id: IssueId) -> None:
    """Remove a draft with all that belongs to it. Its articles stay."""
    session.execute(delete(IssueRow).where(IssueRow.id == issue_id, IssueRow.state == IssueState.DRAFT))
