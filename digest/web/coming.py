"""What comes next at the desk: each newsletter's coming issues, and what waits for a person first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.times import zone
from digest.pipeline.coming import Coming, coming_of
from digest.runtime import Runtime
from digest.store.approvals import hands_of
from digest.store.database import reading
from digest.store.issues import issues_in
from digest.store.items import count_items
from digest.store.newsletters import list_newsletters
from digest.web.ops.times import away, moment
from digest.web.views import ComingView, NeedView
from digest.web.words import counted, days, state_of

_THEN: Mapping[Approval, str] = {
    Approval.MANUAL: "once somebody has approved it",
    Approval.AUTOMATIC: "by itself, unless its checks find errors",
    Approval.DEADLINE: "by itself, whatever its checks find",
}


def needs_of(runtime: Runtime) -> tuple[NeedView, ...]:
    """Return what waits for a person: drafts whose days are over, asked-for approvals, and paused issues."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletters = {one.id: one for one in list_newsletters(session)}
        waiting = issues_in(session, IssueState.DRAFT, IssueState.PAUSED)
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
    request = hands_of(session, issue.id).request
    if request:
        note = f": “{request.note}”" if request.note else ""
        what = f"{request.by} asks for the issue of {told} to be approved{note}."
        return NeedView(what, newsletter.name, f"{here}/preview", "Preview it")
    if issue.window.end > now or not held.get(issue.id):
        return None
    what = f"The issue of {told} waits for approval, with {counted(held[issue.id], 'article')}."
    return NeedView(what, newsletter.name, f"{here}/draft", "Shape it")


def comings_of(session: Session, newsletter: Newsletter, *, now: datetime) -> tuple[ComingView, ...]:
    """Return the next issue of each of a newsletter's schedules, soonest first."""
    found = coming_of(session, newsletter)
    held = count_items(session, [coming.issue.id for coming in found if coming.issue])
    return tuple(_coming(coming, held, now=now) for coming in found)


def _coming(coming: Coming, held: Mapping[IssueId, int], *, now: datetime) -> ComingView:
    newsletter, issue = coming.newsletter, coming.issue
    tz = zone(newsletter.timezone)
    return ComingView(
        number=issue.id if issue else None,
        path=_path(issue),
        days=days(*coming.window.local_days(tz)),
        told=_told(issue, held.get(issue.id, 0) if issue else 0),
        closes=f"{moment(coming.closes_at, tz)} ({away(coming.closes_at, now)})",
        goes=f"{moment(coming.goes_at, tz)} ({away(coming.goes_at, now)})",
        then=_THEN[newsletter.approval],
    )


def _path(issue: Issue | None) -> str:
    if issue is None:
        return ""
    return f"/issues/{issue.id}/draft" if issue.state is IssueState.DRAFT else f"/issues/{issue.id}"


def _told(issue: Issue | None, articles: int) -> str:
    if issue is None:
        return "No article yet. It fills by itself as sources are polled."
    if issue.state is IssueState.DRAFT:
        return f"{counted(articles, 'article')} so far. It fills by itself until it closes."
    return f"{state_of(issue.state).words}, with {counted(articles, 'article')}."


def course_of(session: Session, issue: Issue, newsletter: Newsletter, *, now: datetime) -> str:
    """Return when a draft closes and goes out, '' for one that no schedule makes."""
    if issue.state is not IssueState.DRAFT:
        return ""
    for coming in coming_of(session, newsletter):
        if coming.issue and coming.issue.id == issue.id:
            view = _coming(coming, {}, now=now)
            return (
                f"It fills by itself until {view.closes}. It goes out on {view.goes}, {view.then}. Approved "
                "before it closes, it goes out at once, and what is published after that is in no issue."
            )
    return ""


def coming_numbers(comings: Sequence[ComingView]) -> Collection[int]:
    """Return the issues that stand as coming ones, so that no list has them twice."""
    return {coming.number for coming in comings if coming.number is not None}
