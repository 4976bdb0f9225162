"""What the checks of an issue found, for its editor, with where each finding is mended."""

from __future__ import annotations

from collections import Counter

from digest.compose.checks import Severity
from digest.compose.checks.editions import Reported
from digest.compose.steps import Pieces, pieces_of
from digest.domain.issues import IssueState
from digest.domain.newsletters import Newsletter
from digest.pipeline.outlook import outlook_on
from digest.pipeline.preflight import Preflight
from digest.runtime import Runtime
from digest.web.views import ChecksView, FindingView
from digest.web.words import at_hour, counted

_OVER = frozenset({IssueState.SENT, IssueState.CANCELLED})

_OF_THE_NEWSLETTER = frozenset({"sender's name", "postal address", "topics"})
"""Where findings stand that no issue mends: its newsletter's page does."""

_OF_THE_ISSUE = frozenset({"subject", "preheader", "opening lines", "articles"})


def checks_in_short(runtime: Runtime, issue_id: int) -> str:
    """Return how much is wrong with an issue; '' for one that holds nothing, is over or was not checked yet.

    The preview has the findings themselves, beside the mail they are of.
    """
    pieces = pieces_of(runtime.engine, issue_id, template_of=runtime.template)
    if pieces.issue.state in _OVER or not pieces.outline.items:
        return ""
    outlook = outlook_on(runtime, pieces)
    return _summary(outlook.preflight) if outlook else ""


def found_view(checked: Preflight, newsletter: Newsletter) -> ChecksView:
    """Return what a preflight found of an issue that is not there: a dry run's."""
    views = [_finding_on(one, _of_newsletter(one.finding.where, newsletter)) for one in checked.findings]
    return ChecksView(
        summary=_summary(checked),
        looked="Links and pictures are not looked at in a dry run.",
        command="",
        pressing=tuple(view for view in views if view.severity != Severity.NOTE),
        notes=tuple(view for view in views if view.severity == Severity.NOTE),
    )


def checks_of(checked: Preflight, pieces: Pieces) -> ChecksView:
    """Return what a preflight found."""
    views = [_finding(one, pieces) for one in checked.findings]
    return ChecksView(
        summary=_summary(checked),
        looked=_looked(checked),
        command=f"digest issue check {pieces.issue.id}",
        pressing=tuple(view for view in views if view.severity != Severity.NOTE),
        notes=tuple(view for view in views if view.severity == Severity.NOTE),
    )


def _finding(one: Reported, pieces: Pieces) -> FindingView:
    return _finding_on(one, _mended_at(one.finding.where, pieces))


def _finding_on(one: Reported, mended_at: str) -> FindingView:
    found = one.finding
    concerns = f"{counted(one.editions, 'edition')}, {counted(one.readers, 'reader')}" if one.editions else ""
    return FindingView(found.severity.value, found.what, found.where, found.next_step, concerns, mended_at)


def _mended_at(where: str, pieces: Pieces) -> str:
    """Return the page on which something is put right, '' where no page does."""
    if where in _OF_THE_NEWSLETTER:
        return _of_newsletter(where, pieces.newsletter)
    is_of_an_article = where.startswith("takeaways of ") or any(
        title and title in where for title in pieces.rendered.titles
    )
    is_draft = pieces.issue.state is IssueState.DRAFT
    if is_draft and (where in _OF_THE_ISSUE or is_of_an_article):
        return f"/issues/{pieces.issue.id}/draft"
    return ""


def _of_newsletter(where: str, newsletter: Newsletter) -> str:
    manage = f"/manage/newsletters/{newsletter.slug}"
    if where not in _OF_THE_NEWSLETTER:
        return ""
    return f"{manage}/topics" if where == "topics" else manage


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
    missing = f"; {checked.not_looked_at} more were not, for want of time" if checked.not_looked_at else ""
    since = " The issue holds others since then." if checked.is_outdated else ""
    return f"{looked} were looked at on {at_hour(checked.looked_at)}{missing}.{since}"
