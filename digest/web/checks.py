"""What the checks of an issue found, for its editor."""

from __future__ import annotations

from collections import Counter

from digest.compose.checks import Severity
from digest.compose.checks.editions import Reported
from digest.domain.issues import IssueState
from digest.pipeline.preflight import Preflight, last_check
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.items import items_of
from digest.web.views import ChecksView, FindingView
from digest.web.words import counted, day

EDITIONS_MOST = 500
"""Editions looked at for a page, those of most readers: half a second. The command looks at more."""

_OVER = frozenset({IssueState.SENT, IssueState.CANCELLED})


def checks_view(runtime: Runtime, issue_id: int) -> ChecksView | None:
    """Return what is wrong with an issue; None for one that holds nothing or is over."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        if issue.state in _OVER or not items_of(session, issue.id):
            return None
    checked = last_check(runtime, issue_id, editions_most=EDITIONS_MOST)
    views = [_finding(one) for one in checked.findings]
    return ChecksView(
        summary=_summary(checked),
        looked=_looked(checked),
        command=f"digest issue check {issue_id}",
        pressing=tuple(view for view in views if view.severity != Severity.NOTE),
        notes=tuple(view for view in views if view.severity == Severity.NOTE),
    )


def _finding(one: Reported) -> FindingView:
    found = one.finding
    concerns = f"{counted(one.editions, 'edition')}, {counted(one.readers, 'reader')}" if one.editions else ""
    return FindingView(found.severity.value, found.what, found.where, found.next_step, concerns)


def _summary(checked: Preflight) -> str:
    counts = Counter(one.finding.severity for one in checked.findings)
    found = " and ".join(
        counted(counts[severity], severity.value)
        for severity in (Severity.ERROR, Severity.WARNING)
        if counts[severity]
    )
    over = f"{counted(checked.editions, 'edition')} for {counted(checked.readers, 'reader')}"
    return f"{found or 'No fault found'} in {over}" if checked.editions else found or "No fault found"


def _looked(checked: Preflight) -> str:
    if checked.looked_at is None:
        return "Its links and pictures were not looked at yet."
    looked = f"{counted(checked.links, 'link')} and {counted(checked.pictures, 'picture')}"
    when = f"{day(checked.looked_at.date())}, {checked.looked_at:%H:%M} UTC"
    missing = f"; {checked.not_looked_at} more were not, for want of time" if checked.not_looked_at else ""
    since = " The issue holds others since then." if checked.is_outdated else ""
    return f"{looked} were looked at on {when}{missing}.{since}"
