"""What an issue's approval wants, who asked for it, and whether the one who looks may give it."""

from __future__ import annotations

from datetime import datetime

from digest.compose.steps import Pieces
from digest.domain.accounts import Actor, Right
from digest.domain.approvals import Hands
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.times import zone
from digest.pipeline.hours import hour_of, leaves_in_words, would_leave_in_words
from digest.runtime import Runtime
from digest.store.approvals import hands_of
from digest.store.database import reading
from digest.web.ops.times import moment
from digest.web.preview.views import ApprovalView
from digest.web.words import approval_of, at_hour


def approval_view(runtime: Runtime, found: Pieces, actor: Actor) -> ApprovalView:
    """Return what can be done about an issue's approval, and by whom."""
    issue, newsletter = found.issue, found.newsletter
    with reading(runtime.engine) as session:
        hands = hands_of(session, issue.id)
        hour = hour_of(session, issue, now=runtime.clock())
    is_draft = issue.state is IssueState.DRAFT and bool(found.outline.items)
    told = (*_fills(issue, newsletter, now=runtime.clock()), would_leave_in_words(hour), *_told(hands))
    why_not = hands.why_not(actor.name) if newsletter.second_eyes else ""
    return ApprovalView(
        is_draft=is_draft,
        rule=_rule(newsletter) if is_draft else "",
        told=told if is_draft else (),
        why_not=f"{why_not}, so somebody else approves it." if why_not else "",
        can_approve=is_draft and actor.may(Right.APPROVE) and not why_not,
        can_ask=is_draft and actor.may(Right.SHAPE),
        can_send_now=_awaits(issue) and actor.may(Right.OPERATE),
        can_take_back=issue.state is IssueState.APPROVED and actor.may(Right.APPROVE),
        seen=found.content_hash if is_draft else "",
        approved=_approved(issue, newsletter),
        leaves=leaves_in_words(issue, hour),
        note=issue.note,
    )


def _awaits(issue: Issue) -> bool:
    return issue.state is IssueState.APPROVED and issue.awaits_hour


def _rule(newsletter: Newsletter) -> str:
    if newsletter.approval is Approval.AUTOMATIC:
        return "It goes out by itself when it is due, unless its checks find errors."
    if newsletter.approval is Approval.DEADLINE:
        return "It goes out by itself when it is due, also with errors."
    if newsletter.second_eyes:
        return "It wants a second pair of eyes: nobody approves what they changed last or asked for."
    return "It goes out once somebody approves it."


def _fills(issue: Issue, newsletter: Newsletter, *, now: datetime) -> tuple[str, ...]:
    """Return what approving a draft takes from it whose days are not over."""
    if issue.window.end <= now:
        return ()
    until = moment(issue.window.end, zone(newsletter.timezone))
    return (f"Its days last until {until}: an article that comes after the approval is for the next issue.",)


def _told(hands: Hands) -> tuple[str, ...]:
    """Return who had the draft in hand, in sentences."""
    told = []
    if hands.request:
        note = f": “{hands.request.note}”" if hands.request.note else "."
        told.append(f"{hands.request.by} asked for its approval on {at_hour(hands.request.at)}{note}")
    if hands.shaped_by:
        told.append(f"{hands.shaped_by} changed it last.")
    return tuple(told)


def _approved(issue: Issue, newsletter: Newsletter) -> str:
    told = approval_of(issue, newsletter)
    return f"{told} Its fingerprint: {issue.content_hash[:12]}." if told else ""
