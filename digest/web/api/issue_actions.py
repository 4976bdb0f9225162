"""What is done to issues: approved, stopped, ended, sent once more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool, StringConstraints

from digest.compose.steps import compose
from digest.domain.accounts import Right
from digest.domain.deliveries import DeliveryState
from digest.intake.addresses import parse_address
from digest.pipeline import control
from digest.pipeline.approval import approve_issue, ask_approval, take_back
from digest.pipeline.hours import send_now
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.resending import UnknownDelivery, list_unknown
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.issues import Issue, issue_now, issue_of
from digest.web.api.shapes import (
    PATH,
    Address,
    Given,
    Line,
    Listed,
    Number,
    Told,
    page,
)
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class ApprovalGiven(Given):
    """How an issue is approved."""

    despite_errors: StrictBool = Field(
        False, description="Although its checks find errors; its note says so."
    )
    seen: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = Field(
        "", description="The `content_hash` of the preview you looked at: refused when it is another now."
    )


class Reason(Given):
    """Why, for the others."""

    why: Line = ""


class Once(Given):
    """What is sent once more."""

    states: list[Literal["failed", "unknown"]] = Field(
        min_length=1,
        description="`failed`: what a server refused. `unknown`: what may have arrived, so it may be a copy.",
    )
    emails: list[Address] = Field(
        default_factory=list, max_length=1_000, description="Only to these readers; none: to all of them."
    )


class Arrived(Given):
    """Whose mail arrived."""

    emails: list[Address] = Field(min_length=1, max_length=1_000)


class Accepted(Told):
    """How many mails of unknown outcome count as arrived now."""

    accepted: int


class Unknown(Told):
    """A mail of which nobody knows whether it arrived, and what is known of it."""

    id: int
    email: str
    message_id: str
    armed_at: datetime | None
    said: str = Field(description="The server's last answer or what broke.")
    attempts: int

    @classmethod
    def of(cls, one: UnknownDelivery) -> Unknown:
        """Return a delivery of unknown outcome as the API tells it."""
        return cls(
            id=one.id,
            email=one.email,
            message_id=one.message_id,
            armed_at=one.armed_at,
            said=one.said,
            attempts=one.attempts,
        )


class Resent(Told):
    """How many mails are sent once more."""

    resent: int


class Cancelled(Told):
    """An issue that was ended, and who has it."""

    issue: Issue
    cancelled: int = Field(description="Mails that will not be sent.")
    reached: int
    unknown: int


@router.post("/issues/{issue_id}/ask", **asks(Right.SHAPE))
def ask_for_approval(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, reason: Reason | None = None
) -> Issue:
    """Say that a draft is ready to be approved by somebody else."""
    return issue_of(runtime, ask_approval(runtime, issue_id, by=caller.name, note=_why(reason)))


@router.post("/issues/{issue_id}/approve", responses={412: {}}, **asks(Right.APPROVE))
def approve_draft(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, given: ApprovalGiven | None = None
) -> Issue:
    """Let an issue go: it is frozen, and leaves at its schedule's hour, or at once where that has come."""
    wanted = given or ApprovalGiven()
    done = approve_issue(
        runtime, issue_id, by=caller.name, despite_errors=wanted.despite_errors, seen=wanted.seen
    )
    return issue_of(runtime, done)


@router.post("/issues/{issue_id}/take-back", **asks(Right.APPROVE))
def take_back_approval(runtime: TheRuntime, caller: TheCaller, issue_id: Number) -> Issue:
    """Make an approved issue a draft again, before anybody was addressed."""
    return issue_of(runtime, take_back(runtime, issue_id, by=caller.name))


@router.post("/issues/{issue_id}/send", status_code=202, **asks(Right.OPERATE))
def send_issue_now(runtime: TheRuntime, caller: TheCaller, issue_id: Number) -> Issue:
    """Send an approved issue now that waits for its hour. A running worker does it within seconds."""
    send_now(runtime, issue_id, by=caller.name)
    return issue_now(runtime, issue_id)


@router.post("/issues/{issue_id}/pause", **asks(Right.OPERATE))
def pause_issue(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, reason: Reason | None = None
) -> Issue:
    """Stop an issue that is approved or being sent. What is under way ends, nothing new leaves."""
    return issue_of(runtime, control.pause(runtime, issue_id, by=caller.name, why=_why(reason)))


@router.post("/issues/{issue_id}/resume", **asks(Right.OPERATE))
def resume_issue(runtime: TheRuntime, caller: TheCaller, issue_id: Number) -> Issue:
    """Let a paused issue go on from where it was. Nobody gets it twice."""
    return issue_of(runtime, control.resume(runtime, issue_id, by=caller.name))


@router.post("/issues/{issue_id}/cancel", **asks(Right.OPERATE))
def cancel_issue(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, reason: Reason | None = None
) -> Cancelled:
    """End an issue for good. Who has it keeps it, nobody else gets it."""
    done = control.cancel(runtime, issue_id, by=caller.name, why=_why(reason))
    return Cancelled(
        issue=issue_of(runtime, done.issue),
        cancelled=done.cancelled,
        reached=done.reached,
        unknown=done.unknown,
    )


@router.post("/issues/{issue_id}/again", status_code=201, **asks(Right.OPERATE))
def make_issue_again(runtime: TheRuntime, response: Response, issue_id: Number) -> Issue:
    """Make the days of a cancelled issue again, as a new draft. Who has the old one is not sent the new."""
    made = control.make_again(runtime, issue_id)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, made.newsletter_id)
    compose(runtime.engine, newsletter, made.window, now=runtime.clock())
    response.headers["Location"] = f"{PATH}/issues/{made.id}"
    return issue_now(runtime, made.id)


@router.post("/issues/{issue_id}/resend", **asks(Right.OPERATE))
def resend_issue(runtime: TheRuntime, caller: TheCaller, issue_id: Number, what: Once) -> Resent:
    """Send an issue once more to readers whose mail failed, or may not have arrived."""
    states = [DeliveryState(state) for state in dict.fromkeys(what.states)]
    emails = [parse_address(email) for email in what.emails]
    control.resendable(runtime, issue_id, states, emails=emails)
    return Resent(resent=control.resend(runtime, issue_id, states, emails=emails, by=caller.name))


@router.get("/issues/{issue_id}/unknown", **asks(Right.LOOK))
def list_unknown_mails(
    runtime: TheRuntime, issue_id: Number, limit: Limit = 50, cursor: After = None
) -> Listed[Unknown]:
    """Return the mails of which nobody knows whether they arrived."""
    after = read_cursor(cursor, int)
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        rows = list_unknown(session, issue.id, limit=limit + 1, after=int(after[0]) if after else 0)
    return page(rows, Unknown.of, limit=limit, key=lambda one: (one.id,))


@router.post("/issues/{issue_id}/arrived", **asks(Right.OPERATE))
def say_what_arrived(runtime: TheRuntime, caller: TheCaller, issue_id: Number, whose: Arrived) -> Accepted:
    """Settle mails of unknown outcome as arrived, because somebody knows; nothing is sent."""
    emails = [parse_address(email) for email in whose.emails]
    return Accepted(accepted=control.arrived(runtime, issue_id, emails, by=caller.name))


def _why(reason: Reason | None) -> str:
    return reason.why.strip() if reason else ""
