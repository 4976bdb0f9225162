"""What editors take out of the public archive after it was sent, and put back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueContent, IssueState
from digest.store.archive import HiddenItemRow, hidden_positions
from digest.store.contents import get_content, record_topics
from digest.store.issues import IssueRow, lock_issue
from digest.store.newsletters import NewsletterRow


def hide_issue(session: Session, issue_id: int, *, by: str, now: datetime) -> Issue:
    """Take an issue out of the archive, also one that is not there yet. Raises `Conflict` when it is out."""
    issue = lock_issue(session, issue_id)
    if issue.state is IssueState.CANCELLED:
        raise Conflict(
            f"issue {issue_id} was cancelled, so the archive does not show it. If you mean the number that "
            "readers see: 'digest issue list' gives both"
        )
    if issue.is_hidden:
        raise Conflict(f"issue {issue_id} is hidden already: 'digest issue unhide {issue_id}' shows it again")
    return _set_hidden(session, issue, now, by, now=now)


def unhide_issue(session: Session, issue_id: int, *, now: datetime) -> Issue:
    """Show an issue in the archive again. Raises `Conflict` when it is not hidden."""
    issue = lock_issue(session, issue_id)
    if not issue.is_hidden:
        raise Conflict(f"issue {issue_id} is not hidden; nothing was changed")
    return _set_hidden(session, issue, None, "", now=now)


def _set_hidden(session: Session, issue: Issue, at: datetime | None, by: str, *, now: datetime) -> Issue:
    session.execute(
        update(IssueRow)
        .where(IssueRow.id == issue.id)
        .values(hidden_at=at, hidden_by=by)
        .execution_options(synchronize_session=False)
    )
    _touch(session, issue, now)
    return replace(issue, is_hidden=at is not None)


def hide_item(session: Session, issue_id: int, position: int, *, by: str, now: datetime) -> str:
    """Take one article of an issue out of the archive; return its title.

    Raises `Conflict` when it is out already or the last one shown, and for an issue never approved, and
    `InvalidInput` for a position the issue does not have.
    """
    issue, content, hidden = _locked_content(session, issue_id, position)
    if position in hidden:
        raise Conflict(f"article {position + 1} of issue {issue_id} is hidden already")
    if len(hidden) + 1 == len(content.items):
        raise Conflict(
            f"article {position + 1} is the last one shown of issue {issue_id}: hide the whole issue, with "
            f"'digest issue hide {issue_id}'"
        )
    session.add(HiddenItemRow(issue_id=issue_id, position=position, by=by, at=now))
    _show_but(session, issue, content, hidden | {position}, now)
    return content.items[position].title


def unhide_item(session: Session, issue_id: int, position: int, *, now: datetime) -> str:
    """Show an article in the archive again; return its title. Raises as `hide_item` does."""
    issue, content, hidden = _locked_content(session, issue_id, position)
    if position not in hidden:
        raise Conflict(f"article {position + 1} of issue {issue_id} is not hidden; nothing was changed")
    session.execute(
        delete(HiddenItemRow).where(HiddenItemRow.issue_id == issue_id, HiddenItemRow.position == position)
    )
    _show_but(session, issue, content, hidden - {position}, now)
    return content.items[position].title


def _locked_content(
    session: Session, issue_id: int, position: int
) -> tuple[Issue, IssueContent, frozenset[int]]:
    issue = lock_issue(session, issue_id)
    content = get_content(session, issue)
    if issue.state is IssueState.DRAFT:
        raise Conflict(f"issue {issue_id} is a draft: 'digest issue drop {issue_id} ARTICLE' leaves one out")
    if position not in range(len(content.items)):
        raise InvalidInput(
            f"issue {issue_id} has no article {position + 1}: 'digest issue show {issue_id}' numbers its "
            f"{len(content.items)}"
        )
    return issue, content, hidden_positions(session, issue_id)


def _show_but(
    session: Session, issue: Issue, content: IssueContent, hidden: Collection[int], now: datetime
) -> None:
    """Let the issue be found by the topics of what it still shows."""
    shown = tuple(item for item in content.items if item.position not in hidden)
    record_topics(session, issue.id, replace(content, items=shown))
    _touch(session, issue, now)


def _touch(session: Session, issue: Issue, now: datetime) -> None:
    session.execute(
        update(NewsletterRow)
        .where(NewsletterRow.id == issue.newsletter_id)
        .values(archive_changed_at=now)
        .execution_options(synchronize_session=False)
    )
