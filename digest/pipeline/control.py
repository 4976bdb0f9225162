"""What a person does to a send at any moment: pause it, go on, end it, send again, make its week again.

Each is one function for commands and pages alike. None waits for what is under way: a pause is a state that
every arm asks for, so the first commit after it is the last one that lets a mail out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import CHANGES, Issue, IssueId, IssueState
from digest.domain.pauses import Hold, HoldCause, stopped_in_words
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.deliveries import cancel_for_issue, cancelled_but_pending, count_deliveries
from digest.store.holds import begin_hold, end_holds
from digest.store.issue_segments import carry_limits
from digest.store.issues import change_issue, get_issue, lock_issue, make_issue
from digest.store.open_outcomes import accept_unknown
from digest.store.pauses import end_pause, pause_issue, resume_issue
from digest.store.remakes import cancelled_before
from digest.store.resending import Resendable, count_resendable, resend_some
from digest.store.subscribers import get_subscription

log = structlog.get_logger(__name__)

_CANCELLED_AT_ONCE = 20_000
"""Deliveries cancelled in one transaction: workers of other issues never wait long for one."""

_RESENDABLE_IN = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def pause(runtime: Runtime, issue_id: int, *, by: str, why: str = "") -> Issue:
    """Stop an issue that is approved or being sent: what is under way ends, nothing new is armed.

    Raises `Conflict` for an issue in any other state.
    """
    with writing(runtime.engine) as session:
        now = runtime.clock()
        issue = pause_issue(session, issue_id, by=by, why=why, now=now)
        record(session, by=by, what="issue.paused", about=f"issue {issue_id}", now=now, detail=why)
    log.info("issue.paused", issue=issue_id, by=by, why=why)
    return issue


def resume(runtime: Runtime, issue_id: int, *, by: str) -> Issue:
    """Let a paused issue go on from where it was. Raises `Conflict` unless it is paused."""
    with writing(runtime.engine) as session:
        now = runtime.clock()
        issue = resume_issue(session, issue_id, by=by, now=now)
        record(session, by=by, what="issue.resumed", about=f"issue {issue_id}", now=now)
    log.info("issue.resumed", issue=issue_id, by=by, state=issue.state)
    return issue


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An issue that was ended: how many mails will not be sent, and who has it or may have it."""

    issue: Issue
    cancelled: int
    reached: int
    unknown: int


def cancel(runtime: Runtime, issue_id: int, *, by: str, why: str = "") -> Cancelled:
    """End an issue for good. Who has it keeps it, what is under way ends, nobody else gets it.

    It is over with the first commit; the deliveries that wait are then struck off page by page. Raises
    `Conflict` for an issue that is over already.
    """
    note = stopped_in_words("cancelled", by, why)
    with writing(runtime.engine) as session:
        issue = change_issue(session, issue_id, IssueState.CANCELLED, now=runtime.clock(), note=note)
        end_pause(session, issue.id, by=by, now=runtime.clock())
        about = f"issue {issue_id}"
        record(session, by=by, what="issue.cancelled", about=about, now=runtime.clock(), detail=why)
    log.info("issue.cancelled", issue=issue_id, by=by, why=why)
    _strike_off(runtime, issue.id)
    with writing(runtime.engine) as session:
        cancel_for_issue(session, issue.id)
        counts = count_deliveries(session, issue.id)
    return Cancelled(
        issue,
        counts[DeliveryState.CANCELLED],
        counts[DeliveryState.ACCEPTED],
        counts[DeliveryState.UNKNOWN] + counts[DeliveryState.SENDING],
    )


def _strike_off(runtime: Runtime, issue_id: IssueId) -> int:
    struck = 0
    while True:
        with writing(runtime.engine) as session:
            page = cancel_for_issue(session, issue_id, limit=_CANCELLED_AT_ONCE)
        struck += page
        if not page:
            return struck


def finish_cancelled(runtime: Runtime) -> None:
    """Strike off what still waits of cancelled issues.

    As where whoever cancelled one was stopped in the middle, or a worker that held deliveries died.
    """
    with reading(runtime.engine) as session:
        over = cancelled_but_pending(session)
    for issue_id in over:
        struck = _strike_off(runtime, issue_id)
        log.info("issue.struck_off", issue=issue_id, deliveries=struck)


def can_be_cancelled(issue: Issue) -> bool:
    """Return whether an issue is not over yet."""
    return IssueState.CANCELLED in CHANGES[issue.state]


def make_again(runtime: Runtime, issue_id: int) -> Issue:
    """Return a new draft of the days of a cancelled issue, empty yet.

    It is for whom that was for. When it is addressed, whoever has the cancelled one, or may have it, is left
    out. Raises `Conflict` for an issue that was not cancelled, or whose days have another issue by now.
    """
    with writing(runtime.engine) as session:
        gone = lock_issue(session, issue_id)
        if gone.state is not IssueState.CANCELLED:
            first = f". 'digest issue cancel {issue_id}' cancels it" if can_be_cancelled(gone) else ""
            raise Conflict(
                f"issue {issue_id} is {gone.state}: only the days of a cancelled issue can be made again"
                f"{first}"
            )
        made = make_issue(session, gone.newsletter_id, gone.window, now=runtime.clock())
        if made.state is not IssueState.DRAFT or gone.id not in cancelled_before(session, made):
            raise Conflict(f"issue {made.id}, which is {made.state}, is of the same days already")
        carry_limits(session, gone, made, now=runtime.clock())
    log.info("issue.made_again", issue=made.id, instead_of=issue_id)
    return made


def resendable(
    runtime: Runtime, issue_id: int, states: Collection[DeliveryState], *, emails: Collection[str] = ()
) -> Resendable:
    """Return what `resend` would send once more, and what not and why.

    Raises `Conflict` for an issue that was not sent or is over, `NotFound` for an address of no reader.
    """
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        _require_resendable(issue)
        for email in emails:
            get_subscription(session, issue.newsletter_id, email)
        return count_resendable(session, issue.id, states, emails=emails)


def _require_resendable(issue: Issue) -> None:
    if issue.state in _RESENDABLE_IN:
        return
    hint = (
        f"'digest issue again {issue.id}' makes a new one of the same days"
        if issue.state is IssueState.CANCELLED
        else "nothing of it was sent yet"
    )
    raise Conflict(f"issue {issue.id} is {issue.state}, so nothing of it is sent once more: {hint}")


def resend(
    runtime: Runtime,
    issue_id: int,
    states: Collection[DeliveryState],
    *,
    emails: Collection[str] = (),
    by: str,
) -> int:
    """Send once more, with the same Message-ID, what failed or is unknown; return how many deliveries.

    Not to mailboxes that are not there, suppressed addresses and who left. An issue that was sent is being
    sent again; a paused one stays paused. To send what is unknown may give somebody a second copy. Raises
    `Conflict` as `resendable` does.
    """
    again = last = 0
    while True:
        with writing(runtime.engine) as session:
            # Locked, so that nobody closes the issue between the look at its state and the reopening.
            issue = lock_issue(session, issue_id)
            _require_resendable(issue)
            page = resend_some(session, issue.id, states, emails=emails, now=runtime.clock(), after=last)
            if page and issue.state is IssueState.SENT:
                change_issue(session, issue.id, IssueState.SENDING, now=runtime.clock())
            if page:
                _record_resent(session, issue.id, states, len(page), emails, by=by, now=runtime.clock())
        if not page:
            break
        again, last = again + len(page), page[-1]
    log.info(
        "issue.resent", issue=issue_id, by=by, deliveries=again, what=sorted(state.value for state in states)
    )
    return again


def arrived(runtime: Runtime, issue_id: int, emails: Collection[str], *, by: str) -> int:
    """Settle as arrived, on somebody's word, mails of unknown outcome; return how many.

    Nothing is sent. Readers whose mail is not of unknown outcome are left as they are.
    """
    with writing(runtime.engine) as session:
        now = runtime.clock()
        issue = lock_issue(session, issue_id)
        settled = accept_unknown(session, issue.id, emails, now=now)
        if settled:
            detail = f"{len(settled)}, to {', '.join(sorted(settled))}"
            record(session, by=by, what="issue.arrived", about=f"issue {issue_id}", now=now, detail=detail)
    log.info("issue.arrived", issue=issue_id, by=by, deliveries=len(settled))
    return len(settled)


def _record_resent(
    session: Session,
    issue_id: IssueId,
    states: Collection[DeliveryState],
    count: int,
    emails: Collection[str],
    *,
    by: str,
    now: datetime,
) -> None:
    what = " and ".join(sorted(state.value for state in states))
    detail = f"{count} {what}" + (f", to {', '.join(sorted(emails))}" if emails else "")
    record(session, by=by, what="issue.resent", about=f"issue {issue_id}", now=now, detail=detail)


def hold(runtime: Runtime, *, by: str, why: str = "") -> Hold:
    """Send nothing at all, of any issue, until `let_go`. Raises `Conflict` when a person holds it already."""
    held = Hold(HoldCause.PERSON, by, why, runtime.clock())
    with writing(runtime.engine) as session:
        if not begin_hold(session, held):
            raise Conflict("everything is held already: 'digest resume' lets it go on")
        record(session, by=by, what="sending.held", about="everything", now=held.since, detail=why)
    log.warning("sending.held", cause=held.cause.value, by=by, why=why)
    return held


def let_go(runtime: Runtime, *, by: str) -> tuple[Hold, ...]:
    """Let everything go on; return what had held it. Raises `NotFound` when nothing did."""
    with writing(runtime.engine) as session:
        now = runtime.clock()
        ended = end_holds(session, by=by, now=now)
        if ended:
            record(session, by=by, what="sending.let_go", about="everything", now=now)
    if not ended:
        raise NotFound("nothing is held: an issue that is paused goes on with 'digest issue resume ISSUE'")
    log.warning("sending.let_go", by=by, causes=sorted({one.cause.value for one in ended}))
    return ended
