"""What comes next at the desk: each newsletter's coming issues, and what waits for a person first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from digest.domain.accounts import Right
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.times import zone
from digest.pipeline.coming import Coming, coming_of
from digest.pipeline.hours import Course, hour_of, leaves_in_words, would_leave_in_words
from digest.runtime import Runtime
from digest.store.approvals import hands_of
from digest.store.database import reading
from digest.store.issues import issues_in
from digest.store.items import count_items
from digest.store.newsletters import list_newsletters
from digest.store.schedules import list_schedules
from digest.web.ops.times import away, moment
from digest.web.views import ComingView, NeedView
from digest.web.words import counted, days, state_of

_THEN: Mapping[Approval, str] = {
    Approval.MANUAL: "once somebody has approved it",
    Approval.AUTOMATIC: "by itself, unless its checks find errors",
    Approval.DEADLINE: "by itself, whatever its checks find",
}


def needs_of(runtime: Runtime) -> tuple[NeedView, ...]:
    """Return what waits for a person: drafts whose days are over, asked-for approvals, paused issues.

    And approved ones whose hour does not come by itself.
    """
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletters = {one.id: one for one in list_newsletters(session)}
        waiting = issues_in(session, IssueState.DRAFT, IssueState.APPROVED, IssueState.PAUSED)
        held = count_items(session, [issue.id for issue in waiting])
        found = [
            need
            for issue in waiting
            if (need := _need(session, issue, newsletters[issue.newsletter_id], held, now=now))
        ]
    return tuple(found)


def _need(
    session: Session, issue: Issue, newsletter: Newsletter, held: Mapping[IssueId, int], *, now: datetime
) -> NeedView | None:
    told = days(*issue.window.local_days(zone(newsletter.timezone)))
    here = f"/issues/{issue.id}"
    if issue.state is IssueState.PAUSED:
        why = f": {issue.note}" if issue.note else ""
        return NeedView(f"The issue of {told} is paused{why}.", newsletter.name, here, "Look at it")
    if issue.state is IssueState.APPROVED:
        return _stranded(session, issue, newsletter, told, now=now)
    request = hands_of(session, issue.id).request
    if request:
        note = f": “{request.note}”" if request.note else ""
        what = f"{request.by} asks for the issue of {told} to be approved{note}."
        return NeedView(what, newsletter.name, f"{here}/preview", "Preview it")
    if not held.get(issue.id):
        return None
    if issue.window.end > now:
        return _unmade(session, issue, newsletter, told, now=now)
    what = f"The issue of {told} waits for approval, with {counted(held[issue.id], 'article')}."
    return NeedView(what, newsletter.name, f"{here}/draft", "Shape it")


def _unmade(
    session: Session, issue: Issue, newsletter: Newsletter, told: str, *, now: datetime
) -> NeedView | None:
    """Return what is to be decided of a draft whose days are not over, and that no schedule makes."""
    has_schedules = bool(list_schedules(session, newsletter.id))
    if not has_schedules or hour_of(session, issue, now=now).course is not Course.BY_HAND:
        return None
    what = f"The draft of {told} has no schedule any more: nothing sends it before somebody approves it."
    return NeedView(what, newsletter.name, f"/issues/{issue.id}/draft", "Shape it")


def _stranded(
    session: Session, issue: Issue, newsletter: Newsletter, told: str, *, now: datetime
) -> NeedView | None:
    """Return what is to be decided of an approved issue that nothing lets go."""
    hour = hour_of(session, issue, now=now) if issue.awaits_hour else None
    if hour is None or hour.course in (Course.COMING, Course.BEGUN):
        return None
    what = f"The issue of {told} is approved and waits. {leaves_in_words(issue, hour)}"
    return NeedView(
        what, newsletter.name, f"/issues/{issue.id}/preview", "Send it, or take it back", Right.APPROVE
    )


def comings_of(session: Session, newsletter: Newsletter, *, now: datetime) -> tuple[ComingView, ...]:
    """Return the next issue of each of a newsletter's schedules, soonest first."""
    found = coming_of(session, newsletter)
    held = count_items(session, [coming.issue.id for coming in found if coming.issue])
    return tuple(_coming(coming, held, now=now) for coming in found)


def _coming(coming: Coming, held: Mapping[IssueId, int], *, now: datetime) -> ComingView:
    newsletter, issue = coming.newsletter, coming.issue
    tz = zone(newsletter.timezone)
    is_open = issue is None or issue.state is IssueState.DRAFT
    return ComingView(
        number=issue.id if issue else None,
        path=_path(issue),
        days=days(*coming.window.local_days(tz)),
        told=_told(issue, held.get(issue.id, 0) if issue else 0),
        closes=f"{moment(coming.closes_at, tz)} ({away(coming.closes_at, now)})" if is_open else "",
        goes=_goes(coming, tz, now=now),
    )


def _goes(coming: Coming, tz: tzinfo, *, now: datetime) -> str:
    issue = coming.issue
    when = f"{moment(coming.goes_at, tz)} ({away(coming.goes_at, now)})"
    if issue is None or issue.state is IssueState.DRAFT:
        return f"{when}, {_THEN[coming.newsletter.approval]}"
    if issue.awaits_hour:
        is_paused = issue.state is IssueState.PAUSED
        return f"{when}, if it goes on by then" if is_paused else f"{when}; it is approved"
    return f"Before its hour, which is {when} and sends no other"


def _path(issue: Issue | None) -> str:
    if issue is None:
        return ""
    return f"/issues/{issue.id}/draft" if issue.state is IssueState.DRAFT else f"/issues/{issue.id}"


def _told(issue: Issue | None, articles: int) -> str:
    if issue is None:
        return "No article yet. It fills by itself as sources are polled."
    if issue.state is IssueState.DRAFT:
        return f"{counted(articles, 'article')} so far. It fills by itself until it closes."
    return f"{state_of(issue).words}, with {counted(articles, 'article')}."


def course_of(session: Session, issue: Issue, newsletter: Newsletter, *, now: datetime) -> str:
    """Return when a draft closes and goes out, and when an approved issue leaves; '' for any other."""
    if issue.state is not IssueState.DRAFT:
        return leaves_in_words(issue, hour_of(session, issue, now=now))
    for coming in coming_of(session, newsletter):
        if coming.issue and coming.issue.id == issue.id:
            view = _coming(coming, {}, now=now)
            return (
                f"It fills by itself until {view.closes}, or until it is approved; what comes after that is "
                f"for the next issue. It goes out on {view.goes}."
            )
    return would_leave_in_words(hour_of(session, issue, now=now))


def coming_numbers(comings: Sequence[ComingView]) -> Collection[int]:
    """Return the issues that stand as coming ones, so that no list has them twice."""
    return {coming.number for coming in comings if coming.number is not None}
