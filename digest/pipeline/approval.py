"""An issue let go by a person or by itself: not with errors that its checks find, unless somebody says so."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from digest.compose.checks.editions import Reported
from digest.compose.edits import Change, edit_issue
from digest.compose.shape import DROP
from digest.compose.steps import Vet, approve
from digest.domain.approvals import AUTOMATIC, Request
from digest.domain.counting import counted
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.mail import RenderedIssue
from digest.domain.newsletters import Approval, Newsletter
from digest.intake.names import parse_person
from digest.pipeline.hours import hour_of
from digest.pipeline.ops import tell_ops
from digest.pipeline.preflight import Preflight, check_issue, standing_check
from digest.runtime import Runtime
from digest.store.approvals import forget_request, hands_of, record_request
from digest.store.articles import StoredArticle, articles_by_id
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issue_segments import hold_segments, limits_of, outside
from digest.store.issues import change_issue, get_issue, let_wait, lock_draft, lock_issue
from digest.store.items import items_of
from digest.store.newsletters import newsletter_by_id
from digest.store.revisions import content_hash

log = structlog.get_logger(__name__)

LOOK_SECONDS = 25.0
"""How long an automatic approval looks at links and pictures: a task of the worker has a minute in all."""

_NAMED_MOST = 5
"""Errors named in a refusal; the check lists all."""


class Unsound(Conflict):
    """A draft that its checks find errors in: it was not approved. `told` names them in a sentence."""

    def __init__(self, message: str, told: str = "") -> None:
        super().__init__(message)
        self.told = told


class SameEyes(Conflict):
    """Who would approve a draft changed it last or asked for it, where a second pair of eyes is wanted.

    `why` says so, as in 'Ada changed it last'.
    """

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class Changed(Conflict):
    """A draft that says something else than when it was looked at: it was not approved."""


def approve_issue(
    runtime: Runtime, issue_id: int, *, by: str, despite_errors: bool = False, seen: str = ""
) -> Issue:
    """Freeze a draft with its newsletter's template, once its checks find no error.

    Where a schedule is still to make an issue of its days, it then waits for that hour.
    Of links and pictures it knows what the last look found. In an `AUTOMATIC` approval nobody may have
    looked, so they are looked at now, and articles whose pages are gone are left out, which the note says.
    `despite_errors` lets it go as it is, and so does a newsletter whose deadline approves; then the note
    says who did and what was wrong. `seen` is the hash of the pieces that whoever approves looked at, '' for
    who did not. Raises `InvalidInput` for a name that is none, `Unsound` with the errors, `SameEyes`,
    `Changed`, `Conflict` and `Misconfigured`.
    """
    by = parse_person(by, "the name of who approves it")
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        # An approval refuses in its own words what is no draft or holds nothing.
        is_to_be_checked = issue.state is IssueState.DRAFT and bool(items_of(session, issue.id))
        if is_to_be_checked:
            _require_other_eyes(session, newsletter, issue, by)
    template = runtime.template(newsletter)
    errors: Sequence[Reported] = ()
    left_out = ""
    if is_to_be_checked:
        checked, left_out = _check(runtime, issue.id, by)
        errors = checked.errors
    goes_anyway = by == AUTOMATIC and newsletter.approval is Approval.DEADLINE
    if errors and not (despite_errors or goes_anyway):
        raise Unsound(_refusal(issue_id, errors), _told(errors))
    told = f"approved by {by} despite {_told(errors)}" if errors else ""
    note = "; ".join(filter(None, (told, left_out)))
    if errors:
        log.warning("issue.approved_despite_errors", issue=issue_id, by=by, errors=len(errors))

    vet = _last_look(runtime, newsletter, by=by, seen=seen, note=note)
    now = runtime.clock()
    approved = approve(runtime.engine, issue_id, template=template, by=by, now=now, note=note, vet=vet)
    if errors and by == AUTOMATIC:
        tell_ops(runtime, f"{newsletter.name}: issue {issue_id} goes out with errors", note)
    return approved


def _last_look(runtime: Runtime, newsletter: Newsletter, *, by: str, seen: str, note: str) -> Vet:
    """Return what looks at a draft that nobody changes any more, and records that `by` approved it."""

    def vet(session: Session, draft: Issue, rendered: RenderedIssue) -> None:
        # Once more, as somebody may have changed it meanwhile: from here on nobody does.
        _require_other_eyes(session, newsletter, draft, by)
        hold_segments(session, draft)
        # What an undo brings back, or a question that was changed meanwhile, may be none to limit it by.
        outside(session, newsletter, limits_of(session, draft), now=runtime.clock())
        if seen and seen != limits_of(session, draft).mark(content_hash(rendered)):
            raise Changed(
                f"issue {draft.id} was changed since you looked at it, so it was not approved: look again"
            )
        if hour_of(session, draft, now=runtime.clock()).is_awaited:
            let_wait(session, draft.id)
        record(
            session,
            by=by,
            what="issue.approved",
            about=f"issue {draft.id}",
            detail=note,
            now=runtime.clock(),
        )

    return vet


def _require_other_eyes(session: Session, newsletter: Newsletter, draft: Issue, by: str) -> None:
    if newsletter.second_eyes and (why := hands_of(session, draft.id).why_not(by)):
        raise SameEyes(
            f"issue {draft.id} wants a second pair of eyes, and {why}: let somebody else approve it. "
            f"'digest issue ask {draft.id}' says that it is ready",
            why,
        )


NOTE_MAX = 500
"""Characters of what somebody says who asks for an approval."""


def ask_approval(runtime: Runtime, issue_id: int, *, by: str, note: str = "") -> Issue:
    """Say that a draft is ready to be approved; who asked before is forgotten. Return the draft.

    Raises `InvalidInput` for a name that is none or a note that is too long, `Conflict` for what is no draft
    or holds nothing.
    """
    by = parse_person(by, "the name of who asks")
    if len(note) > NOTE_MAX:
        raise InvalidInput(f"the note is {len(note)} characters long; there is room for {NOTE_MAX}")
    with writing(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        lock_draft(session, issue.id)
        if not items_of(session, issue.id):
            raise Conflict(f"issue {issue_id} holds no article: there is nothing to approve")
        record_request(session, issue.id, Request(by, runtime.clock(), " ".join(note.split())))
        about = f"issue {issue_id}"
        record(session, by=by, what="issue.approval_asked", about=about, now=runtime.clock())
    log.info("issue.approval_asked", issue=issue_id, by=by)
    return issue


def take_back(runtime: Runtime, issue_id: int, *, by: str) -> Issue:
    """Make an approved issue a draft again, to be changed and approved anew. Return the draft.

    Raises `Conflict` unless it is approved and nobody was addressed yet.
    """
    by = parse_person(by, "the name of who takes it back")
    with writing(runtime.engine) as session:
        if lock_issue(session, issue_id).state is IssueState.DRAFT:
            raise Conflict(f"issue {issue_id} is a draft already")
        issue = change_issue(
            session, issue_id, IssueState.DRAFT, now=runtime.clock(), only_from=(IssueState.APPROVED,)
        )
        forget_request(session, issue.id)
        about = f"issue {issue_id}"
        record(session, by=by, what="issue.approval_taken_back", about=about, now=runtime.clock())
    log.info("issue.approval_taken_back", issue=issue_id, by=by)
    return issue


def _check(runtime: Runtime, issue_id: IssueId, by: str) -> tuple[Preflight, str]:
    """Return what the checks find, and what was left out of the issue on their word."""
    if by != AUTOMATIC:
        return standing_check(runtime, issue_id), ""
    checked = check_issue(runtime, issue_id, seconds=LOOK_SECONDS)
    if not (gone := _gone(runtime, issue_id, checked)):
        return checked, ""
    drops = [Change(About(Field.WISH, one.id), DROP) for one in gone]
    edit_issue(runtime.engine, issue_id, drops, by=AUTOMATIC, now=runtime.clock())
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
