"""An issue let go by a person or by itself: not with errors that its checks find, unless somebody says so."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from digest.compose.checks.editions import Reported
from digest.compose.steps import approve, pin
from digest.domain.counting import counted
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueId, IssueState
from digest.intake.names import parse_person
from digest.pipeline.preflight import Preflight, check_issue, standing_check
from digest.runtime import Runtime
from digest.store.articles import StoredArticle, articles_by_id
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.items import items_of
from digest.store.newsletters import newsletter_by_id
from digest.store.pins import PinKind

log = structlog.get_logger(__name__)

AUTOMATIC = "automatic approval"

LOOK_SECONDS = 25.0
"""How long an automatic approval looks at links and pictures: a task of the worker has a minute in all."""

_NAMED_MOST = 5
"""Errors named in a refusal; the check lists all."""


class Unsound(Conflict):
    """A draft that its checks find errors in: it was not approved."""


def approve_issue(runtime: Runtime, issue_id: int, *, by: str, despite_errors: bool = False) -> Issue:
    """Freeze a draft with its newsletter's template, once its checks find no error.

    Of links and pictures it knows what the last look found. In an `AUTOMATIC` approval nobody may have
    looked, so they are looked at now, and articles whose pages are gone are left out, which the note says.
    `despite_errors` lets it go as it is; then the note says who did and what was wrong. Raises `InvalidInput`
    for a name that is none, `Unsound` with the errors, `Conflict` and `Misconfigured`.
    """
    by = parse_person(by, "the name of who approves it")
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        # An approval refuses in its own words what is no draft or holds nothing.
        is_to_be_checked = issue.state is IssueState.DRAFT and bool(items_of(session, issue.id))
    template = runtime.template(newsletter)
    errors: Sequence[Reported] = ()
    left_out = ""
    if is_to_be_checked:
        checked, left_out = _check(runtime, issue.id, by)
        errors = checked.errors
    if errors and not despite_errors:
        raise Unsound(_refusal(issue_id, errors))
    note = f"approved by {by} despite {_told(errors)}" if errors else left_out
    if errors:
        log.warning("issue.approved_despite_errors", issue=issue_id, by=by, errors=len(errors))
    return approve(runtime.engine, issue_id, template=template, by=by, now=runtime.clock(), note=note)


def _check(runtime: Runtime, issue_id: IssueId, by: str) -> tuple[Preflight, str]:
    """Return what the checks find, and what was left out of the issue on their word."""
    if by != AUTOMATIC:
        return standing_check(runtime, issue_id), ""
    checked = check_issue(runtime, issue_id, seconds=LOOK_SECONDS)
    if not (gone := _gone(runtime, issue_id, checked)):
        return checked, ""
    for one in gone:
        pin(runtime.engine, issue_id, one.id, PinKind.DROP, by=AUTOMATIC, now=runtime.clock())
    titles = [one.article.title for one in gone]
    log.warning("issue.gone_left_out", issue=issue_id, articles=titles)
    told = ", ".join(f"'{title}'" for title in titles)
    return standing_check(runtime, issue_id), f"left out, for its page is gone: {told}"


def _gone(runtime: Runtime, issue_id: IssueId, checked: Preflight) -> list[StoredArticle]:
    """Return the articles whose own links are errors; none when those are all, as somebody has to look."""
    with reading(runtime.engine) as session:
        held = articles_by_id(session, [item.article_id for item in items_of(session, issue_id)]).values()
    wrong = [one.finding.what for one in checked.errors]
    gone = [one for one in held if any(what.startswith(f"{one.article.url} ") for what in wrong)]
    return gone if len(gone) < len(held) else []


def _refusal(issue_id: int, errors: Sequence[Reported]) -> str:
    return (
        f"issue {issue_id} stays a draft, for its checks find {_told(errors)}. Correct that and approve it "
        f"again ('digest issue check {issue_id}' looks again and shows all), or let it go as it is with "
        f"'digest issue approve {issue_id} --despite-errors --by NAME'"
    )


def _told(errors: Sequence[Reported]) -> str:
    named = "; ".join(f"{one.finding.what} ({one.finding.where})" for one in errors[:_NAMED_MOST])
    more = f"; and {len(errors) - _NAMED_MOST} more" if len(errors) > _NAMED_MOST else ""
    return f"{counted(len(errors), 'error')}: {named}{more}"
