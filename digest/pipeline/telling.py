"""What the program stopped by itself, told to ops once: what happened, why, and the commands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from digest.domain.causes import Cause, causes_of, causes_of_returned
from digest.domain.counting import counted
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.domain.pauses import HoldCause, PauseCause
from digest.pipeline.ops import tell_ops
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.deliveries import count_deliveries
from digest.store.failures import FAILING, failures_of, returned_of
from digest.store.holds import claim_untold_holds, note_hold_told
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.pauses import Untold, claim_untold, note_told
from digest.store.progress import SAMPLE

TELL_AGAIN = timedelta(minutes=5)
"""When ops are told again whom no mail server took a mail for, or whose teller was killed at it."""

_CAUSES_MOST = 3


def tell_of_stops(runtime: Runtime) -> None:
    """Tell ops of every pause and hold of the program's own that they have not been told of."""
    with writing(runtime.engine) as session:
        pauses = claim_untold(session, now=runtime.clock(), again=TELL_AGAIN)
        holds = claim_untold_holds(session, now=runtime.clock(), again=TELL_AGAIN)
    for untold in pauses:
        if _tell_of_pause(runtime, untold):
            with writing(runtime.engine) as session:
                note_told(session, untold.id)
    for hold_id, held in holds:
        if tell_ops(
            runtime,
            "nothing is sent until you say so",
            f"Digest holds everything that would be sent: {held.why}",
            to_do=_TO_DO[held.cause],
            commands=["digest issue list", *_COMMANDS[held.cause], "digest resume"],
        ):
            with writing(runtime.engine) as session:
                note_hold_told(session, hold_id)


def tell_of_unknown(runtime: Runtime, finished: Iterable[IssueId]) -> None:
    """Tell ops of the issues just closed with mails of unknown outcome, and how to settle them."""
    for issue_id in finished:
        with reading(runtime.engine) as session:
            unknown = count_deliveries(session, issue_id)[DeliveryState.UNKNOWN]
            newsletter = newsletter_by_id(session, get_issue(session, issue_id).newsletter_id)
        if unknown:
            tell_ops(
                runtime,
                f"issue {issue_id}: {counted(unknown, 'mail')} of unknown outcome",
                f"Issue {issue_id} of {newsletter.name} is sent. The mail server never answered the end of "
                f"{counted(unknown, 'mail')}, or who was sending died just then. They are not sent again "
                "unasked: a reader would get a second copy.",
                to_do="The mail server's log tells which are out, and a provider's webhooks do so unasked:",
                commands=[
                    f"digest issue unknown {issue_id}",
                    f"digest issue reconcile {issue_id} --log FILE",
                ],
            )


_COMMANDS = {
    HoldCause.PERSON: ("digest issue pause ISSUE",),
    HoldCause.RESTORED: ("digest deliver reconcile --log FILE --complete", "digest issue cancel ISSUE"),
}

_TO_DO = {
    HoldCause.PERSON: "When it may go on:",
    HoldCause.RESTORED: "Put a newer copy back if there is one. Mails it may not know of are of unknown "
    "outcome now, not sent again unasked: the mail server's log tells which are out, with --complete. Cancel "
    "issues that were approved then and have gone out since. Then let the rest go on:",
}


def _tell_of_pause(runtime: Runtime, untold: Untold) -> bool:
    issue_id = untold.issue_id
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, get_issue(session, issue_id).newsletter_id)
    reasons = "\n".join(f"{one.count} × {one.in_words}: {one.next_step}" for one in _causes(runtime, untold))
    return tell_ops(
        runtime,
        f"issue {issue_id} paused itself",
        f"Issue {issue_id} of {newsletter.name} was paused: {untold.pause.why}."
        + (f"\n\nThe most frequent reasons:\n{reasons}" if reasons else ""),
        to_do="Look at what failed. Then let it go on, which accepts what failed so far and counts anew, or "
        "end it for good, which leaves out whoever has not got it:",
        commands=[
            f"digest issue progress {issue_id}",
            f"digest issue resume {issue_id}",
            f"digest issue cancel {issue_id}",
        ],
    )


def _causes(runtime: Runtime, untold: Untold) -> tuple[Cause, ...]:
    if untold.pause.cause is PauseCause.COMPLAINTS:
        return ()
    with reading(runtime.engine) as session:
        return failure_causes(session, untold.issue_id)[:_CAUSES_MOST]


def failure_causes(session: Session, issue_id: IssueId) -> tuple[Cause, ...]:
    """Return why mails of an issue failed or came back, the most frequent cause first."""
    failed = failures_of(session, issue_id, most=SAMPLE)
    returned = returned_of(session, issue_id, FAILING, most=SAMPLE)
    causes = causes_of((code, text) for _, code, text in failed) + causes_of_returned(returned)
    return tuple(sorted(causes, key=lambda one: -one.count))
