"""Issues: a newsletter's windows, and the states they go through."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Text,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.endpoints import EventKind
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import CHANGES, Issue, IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.quiet import QuietHours
from digest.domain.times import Window
from digest.store.announcements import announce
from digest.store.base import NEVER_AGAIN, Base
from digest.store.newsletters import NewsletterRow

_LIVING = text("state <> 'cancelled'")


class IssueRow(Base):
    """One newsletter's window. `note` says why it is paused, cancelled, or was approved
    despite errors.

    `number` counts the newsletter's issues in the order of their approval and stays with an issue; who took
    it out of the archive, and when, say `hidden_by` and `hidden_at`. `awaits_hour` keeps an approved one from
    being sent until the run of its days, or a person, lets it go.
    """

    __tablename__ = "issues"
    __table_args__ = (
        Index(
            "ix_issues_window",
            "newsletter_id",
            "window_start",
            "window_end",
            unique=True,
            sqlite_where=_LIVING,
            postgresql_where=_LIVING,
        ),
        Index(None, "state"),
        Index(None, "newsletter_id", "number", unique=True),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(Text)
    preheader: Mapped[str] = mapped_column(Text)
    intro: Mapped[str] = mapped_column(Text)
    revision: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    sending_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    number: Mapped[int | None]
    hidden_at: Mapped[datetime | None]
    hidden_by: Mapped[str] = mapped_column(String(200), default="")
    awaits_hour: Mapped[bool] = mapped_column(default=False)


def ensure_issue(session: Session, newsletter_id: NewsletterId, window: Window, *, now: datetime) -> Issue:
    """Return the newsletter's issue of `window`, made as a draft when there was none."""
    return find_issue(session, newsletter_id, window) or make_issue(session, newsletter_id, window, now=now)


def make_issue(session: Session, newsletter_id: NewsletterId, window: Window, *, now: datetime) -> Issue:
    """Return a new draft of `window`, or the one that is there when it has not been cancelled."""
    row = IssueRow(
        newsletter_id=newsletter_id,
        window_start=window.start,
        window_end=window.end,
        state=IssueState.DRAFT,
        subject="",
        preheader="",
        intro="",
        revision=0,
        content_hash="",
        note="",
        approved_by="",
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Another run made it between the look and the insert.
        return ensure_issue(session, newsletter_id, window, now=now)
    return _issue(row)


def find_issue(session: Session, newsletter_id: NewsletterId, window: Window) -> Issue | None:
    """Return the newsletter's issue of `window`, or None: of several the newest, which alone may live.

    The others were cancelled, and the window was made again.
    """
    row = session.scalar(
        select(IssueRow)
        .where(
            IssueRow.newsletter_id == newsletter_id,
            IssueRow.window_start == window.start,
            IssueRow.window_end == window.end,
        )
        .order_by(IssueRow.id.desc())
        .limit(1)
    )
    return None if row is None else _issue(row)


def get_issue(session: Session, issue_id: int) -> Issue:
    """Return an issue. Raises `NotFound`."""
    row = session.get(IssueRow, issue_id, populate_existing=True)
    if row is None:
        raise NotFound(f"no issue {issue_id}: 'digest issue list' shows those there are")
    return _issue(row)


def list_issues(session: Session, newsletter_id: NewsletterId | None = None) -> tuple[Issue, ...]:
    """Return issues, newest window first: one newsletter's or all."""
    query = select(IssueRow).order_by(IssueRow.window_end.desc(), IssueRow.id.desc())
    if newsletter_id is not None:
        query = query.where(IssueRow.newsletter_id == newsletter_id)
    return tuple(map(_issue, session.scalars(query)))


def issues_page(
    session: Session,
    *,
    limit: int,
    newsletter_id: NewsletterId | None = None,
    states: Collection[IssueState] = (),
    before: int | None = None,
) -> tuple[Issue, ...]:
    """Return up to `limit` issues, the newest first: those with a number below `before`."""
    query = select(IssueRow).order_by(IssueRow.id.desc()).limit(limit)
    if newsletter_id is not None:
        query = query.where(IssueRow.newsletter_id == newsletter_id)
    if states:
        query = query.where(IssueRow.state.in_(states))
    if before is not None:
        query = query.where(IssueRow.id < before)
    return tuple(map(_issue, session.scalars(query)))


def has_issues(session: Session, newsletter_id: NewsletterId) -> bool:
    """Whether the newsletter has any issue."""
    found = select(IssueRow.id).where(IssueRow.newsletter_id == newsletter_id).limit(1)
    return session.scalar(found) is not None


def issues_in(session: Session, *states: IssueState) -> tuple[Issue, ...]:
    """Return the issues in any of `states`, oldest first."""
    rows = session.scalars(select(IssueRow).where(IssueRow.state.in_(states)).order_by(IssueRow.id))
    return tuple(map(_issue, rows))


def change_issue(
    session: Session,
    issue_id: int,
    to: IssueState,
    *,
    now: datetime,
    note: str = "",
    by: str = "",
    only_from: Collection[IssueState] = tuple(IssueState),
) -> Issue:
    """Move an issue to another state. Raises `Conflict` when it is in one that does not allow it.

    The state is part of the UPDATE's condition, so of two that race one wins and one is told.
    """
    allowed = [state for state, nexts in CHANGES.items() if to in nexts and state in only_from]
    condition = [IssueRow.id == issue_id, IssueRow.state.in_(allowed)]
    values: dict[str, Any] = {"state": to, "note": note}
    if to is IssueState.APPROVED:
        # One that goes on after a pause was approved before it.
        is_anew = IssueRow.state == IssueState.DRAFT
        values["approved_at"] = case((is_anew, now), else_=IssueRow.approved_at)
        values["approved_by"] = case((is_anew, by), else_=IssueRow.approved_by)
    if to in (IssueState.SENT, IssueState.CANCELLED):
        values["ended_at"] = now
    if to is IssueState.CANCELLED:
        # A number that no mail has carried is free again.
        values["number"] = case((IssueRow.sending_at.is_not(None), IssueRow.number))
    if to in (IssueState.DRAFT, IssueState.CANCELLED):
        values["awaits_hour"] = False
    if to is IssueState.SENDING:
        condition.append(IssueRow.awaits_hour.is_(False))
        values["sending_at"] = func.coalesce(IssueRow.sending_at, now)
        # What was said of a pause is over with it; what was said of the approval is not.
        values["note"] = case((IssueRow.state == IssueState.PAUSED, note), else_=IssueRow.note)
    elif to is IssueState.SENT and not note:
        del values["note"]
    changed = session.execute(
        update(IssueRow)
        .where(*condition)
        .values(**values)
        .returning(IssueRow.id)
        .execution_options(synchronize_session=False)
    ).scalar()
    issue = get_issue(session, issue_id)
    if changed is None:
        raise Conflict(_why_not(issue, to))
    told = {"issue": issue.id, "state": issue.state.value, "note": issue.note}
    announce(session, EventKind(f"issue.{to}"), told, now=now)
    return issue


_NEXT = {
    IssueState.DRAFT: "approve it first, with 'digest issue approve {0}'",
    IssueState.APPROVED: "'digest send {0}' sends it",
    IssueState.SENDING: "'digest issue show {0}' says how far that is",
    IssueState.PAUSED: "'digest issue resume {0}' goes on with it",
    IssueState.SENT: "a sent issue stays as it is",
    IssueState.CANCELLED: "'digest issue again {0}' makes a new one of the same days",
}


def _why_not(issue: Issue, to: IssueState) -> str:
    if issue.awaits_hour and issue.state is IssueState.APPROVED and to is IssueState.SENDING:
        return f"issue {issue.id} waits for its schedule's hour: 'digest send {issue.id}' sends it before"
    hint = _NEXT[issue.state].format(issue.id)
    return f"issue {issue.id} is {issue.state}, so this cannot make it {to}: {hint}"


def let_wait(session: Session, issue_id: IssueId) -> None:
    """Let an issue that is being approved wait for the hour of its schedule."""
    session.execute(
        update(IssueRow)
        .where(IssueRow.id == issue_id)
        .values(awaits_hour=True)
        .execution_options(synchronize_session=False)
    )


def let_leave(session: Session, issue_id: IssueId) -> bool:
    """Let an issue wait for no hour any more; return whether it did."""
    let = session.scalar(
        update(IssueRow)
        .where(IssueRow.id == issue_id, IssueRow.awaits_hour)
        .values(awaits_hour=False)
        .returning(IssueRow.id)
        .execution_options(synchronize_session=False)
    )
    return let is not None


def write_texts(session: Session, issue_id: IssueId, *, subject: str, preheader: str, intro: str) -> None:
    """Set what an editor wrote. Raises `Conflict` unless the issue is a draft."""
    lock_draft(session, issue_id)
    session.execute(
        update(IssueRow)
        .where(IssueRow.id == issue_id)
        .values(subject=subject, preheader=preheader, intro=intro)
        .execution_options(synchronize_session=False)
    )


def lock_issue(session: Session, issue_id: int) -> Issue:
    """Return an issue that nobody else changes before this transaction ends. Raises `NotFound`.

    Whoever looks at a draft's articles in order to change or approve it asks here first. Otherwise
    PostgreSQL lets an issue be composed anew between the look and the approval, and what is sent would
    not be what the issue is said to hold. What only refers to it is stored beside: whoever holds deliveries
    and makes an edition for them would wait for who holds the issue and wants those deliveries.
    """
    session.execute(select(IssueRow.id).where(IssueRow.id == issue_id).with_for_update(key_share=True))
    return get_issue(session, issue_id)


def lock_draft(session: Session, issue_id: IssueId) -> None:
    """Keep others from a draft until this transaction ends. Raises `Conflict` unless it is one."""
    issue = lock_issue(session, issue_id)
    if issue.state is not IssueState.DRAFT:
        raise Conflict(f"issue {issue_id} is {issue.state}: only a draft can be edited")


def quiet_hours_of(session: Session, issue_id: IssueId) -> tuple[QuietHours | None, str]:
    """Return the quiet hours of an issue's newsletter, and the zone they are in."""
    found = session.execute(
        select(NewsletterRow.quiet_hours, NewsletterRow.timezone)
        .join(IssueRow, IssueRow.newsletter_id == NewsletterRow.id)
        .where(IssueRow.id == issue_id)
    ).first()
    return (QuietHours.parse(found.quiet_hours), found.timezone) if found else (None, "UTC")


def next_number(session: Session, newsletter_id: NewsletterId) -> int:
    """Return the number that the newsletter's next approved issue gets, from 1."""
    newest = select(func.max(IssueRow.number)).where(IssueRow.newsletter_id == newsletter_id)
    return 1 + (session.scalar(newest) or 0)


def _issue(row: IssueRow) -> Issue:
    return Issue(
        id=IssueId(row.id),
        newsletter_id=NewsletterId(row.newsletter_id),
        window=Window(row.window_start, row.window_end),
        state=IssueState(row.state),
        subject=row.subject,
        preheader=row.preheader,
        intro=row.intro,
        revision=row.revision,
        content_hash=row.content_hash,
        note=row.note,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        sending_at=row.sending_at,
        number=row.number or 0,
        is_hidden=row.hidden_at is not None,
        awaits_hour=row.awaits_hour,
    )
