"""What is done to issues: shaped, looked at, approved, stopped, sent once more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool, StrictInt

from digest.compose.edits import Change, mark_of
from digest.compose.shape import YES, Place
from digest.compose.steps import compose
from digest.domain.accounts import Right
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue as DomainIssue
from digest.domain.issues import IssueId
from digest.intake.addresses import parse_address
from digest.pipeline import control
from digest.pipeline.approval import approve_issue, ask_approval, take_back
from digest.pipeline.shaping import shape_issue, undo
from digest.runtime import Runtime
from digest.store.articles import ArticleId
from digest.store.database import reading
from digest.store.edits import About
from digest.store.edits import Field as Edited
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.resending import UnknownDelivery, list_unknown
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.issues import Issue
from digest.web.api.shapes import (
    NUMBER_MOST,
    PATH,
    Address,
    Given,
    Line,
    Listed,
    Number,
    Prose,
    Slug,
    Told,
    page,
)
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])

TakeBack = Annotated[
    StrictBool, Field(description="Of an approved issue: take the approval back to change it.")
]


class IssueChange(Given):
    """What changes of a draft's texts. What is left out or null stays; '' lets each edition name its own."""

    subject: Line | None = None
    preheader: Line | None = None
    intro: Prose | None = Field(None, description="A few lines above the articles.")
    take_back: TakeBack = False


class ArticleChange(Given):
    """What an editor wants of an article in a draft. What is left out or null stays; '' takes it back."""

    wish: Literal["pin", "drop", ""] | None = Field(
        None, description="`pin`: in it whatever it scores. `drop`: never."
    )
    topic: Slug | Literal[""] | None = Field(None, description="The topic it stands under.")
    headline: Line | None = Field(None, description="In place of its publisher's.")
    lead: StrictBool | None = Field(None, description="Whether it is the report of its story that is shown.")
    before: StrictInt | None = Field(None, ge=1, le=NUMBER_MOST, description="The article it stands before.")
    after: StrictInt | None = Field(None, ge=1, le=NUMBER_MOST, description="The article it stands after.")
    take_back: TakeBack = False


class ApprovalGiven(Given):
    """How an issue is approved."""

    despite_errors: StrictBool = Field(
        False, description="Although its checks find errors; its note says so."
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


@router.patch("/issues/{issue_id}", **asks(Right.SHAPE))
def change_issue(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    issue_id: Number,
    change: IssueChange,
    if_match: IfMatch = None,
) -> Issue:
    """Change a draft's subject, preheader and opening lines."""
    with reading(runtime.engine) as session:
        before = get_issue(session, issue_id)
    require_unchanged(if_match, _of(runtime, before))
    changes = [
        Change(About(field), to.strip(), seen=None if if_match is None else mark_of(was))
        for field, to, was in (
            (Edited.SUBJECT, change.subject, before.subject),
            (Edited.PREHEADER, change.preheader, before.preheader),
            (Edited.INTRO, change.intro, before.intro),
        )
        if to is not None
    ]
    shape_issue(runtime, issue_id, changes, by=caller.name, takes_back=change.take_back)
    told = _told(runtime, issue_id)
    response.headers["ETag"] = etag_of(told)
    return told


@router.patch("/issues/{issue_id}/articles/{article_id}", **asks(Right.SHAPE))
def change_article(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, article_id: Number, change: ArticleChange
) -> Issue:
    """Pin, drop, place, move or head an article in a draft, which is filled anew."""
    wanted = {
        Edited.WISH: change.wish,
        Edited.TOPIC: change.topic,
        Edited.HEADLINE: None if change.headline is None else " ".join(change.headline.split()),
        Edited.LEAD: None if change.lead is None else YES if change.lead else "",
        Edited.PLACE: _place(change),
    }
    number = ArticleId(article_id)
    changes = [Change(About(field, number), to) for field, to in wanted.items() if to is not None]
    shape_issue(runtime, issue_id, changes, by=caller.name, takes_back=change.take_back)
    return _told(runtime, issue_id)


def _place(change: ArticleChange) -> str | None:
    if change.before is None and change.after is None:
        return None
    after, before = (None if one is None else ArticleId(one) for one in (change.after, change.before))
    return str(Place(after, before))


@router.post("/issues/{issue_id}/undo", **asks(Right.SHAPE))
def undo_change(runtime: TheRuntime, caller: TheCaller, issue_id: Number) -> Issue:
    """Take back the last change that this caller made to a draft."""
    undo(runtime, IssueId(issue_id), by=caller.name)
    return _told(runtime, issue_id)


@router.post("/issues/{issue_id}/ask", **asks(Right.SHAPE))
def ask_for_approval(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, reason: Reason | None = None
) -> Issue:
    """Say that a draft is ready to be approved by somebody else."""
    return _of(runtime, ask_approval(runtime, issue_id, by=caller.name, note=_why(reason)))


@router.post("/issues/{issue_id}/approve", **asks(Right.APPROVE))
def approve_draft(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, given: ApprovalGiven | None = None
) -> Issue:
    """Let an issue go: it is frozen, and a running worker sends it within seconds."""
    despite = given is not None and given.despite_errors
    return _of(runtime, approve_issue(runtime, issue_id, by=caller.name, despite_errors=despite))


@router.post("/issues/{issue_id}/take-back", **asks(Right.APPROVE))
def take_back_approval(runtime: TheRuntime, caller: TheCaller, issue_id: Number) -> Issue:
    """Make an approved issue a draft again, before anybody was addressed."""
    return _of(runtime, take_back(runtime, issue_id, by=caller.name))


@router.post("/issues/{issue_id}/pause", **asks(Right.OPERATE))
def pause_issue(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, reason: Reason | None = None
) -> Issue:
    """Stop an issue that is approved or being sent. What is under way ends, nothing new leaves."""
    return _of(runtime, control.pause(runtime, issue_id, by=caller.name, why=_why(reason)))


@router.post("/issues/{issue_id}/resume", **asks(Right.OPERATE))
def resume_issue(runtime: TheRuntime, caller: TheCaller, issue_id: Number) -> Issue:
    """Let a paused issue go on from where it was. Nobody gets it twice."""
    return _of(runtime, control.resume(runtime, issue_id, by=caller.name))


@router.post("/issues/{issue_id}/cancel", **asks(Right.OPERATE))
def cancel_issue(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, reason: Reason | None = None
) -> Cancelled:
    """End an issue for good. Who has it keeps it, nobody else gets it."""
    done = control.cancel(runtime, issue_id, by=caller.name, why=_why(reason))
    return Cancelled(
        issue=_of(runtime, done.issue), cancelled=done.cancelled, reached=done.reached, unknown=done.unknown
    )


@router.post("/issues/{issue_id}/again", status_code=201, **asks(Right.OPERATE))
def make_issue_again(runtime: TheRuntime, response: Response, issue_id: Number) -> Issue:
    """Make the days of a cancelled issue again, as a new draft. Who has the old one is not sent the new."""
    made = control.make_again(runtime, issue_id)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, made.newsletter_id)
    compose(runtime.engine, newsletter, made.window, now=runtime.clock())
    response.headers["Location"] = f"{PATH}/issues/{made.id}"
    return _told(runtime, made.id)


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


def _why(reason: Reason | None) -> str:
    return reason.why.strip() if reason else ""


def _told(runtime: Runtime, issue_id: int) -> Issue:
    with reading(runtime.engine) as session:
        found = get_issue(session, issue_id)
    return _of(runtime, found)


def _of(runtime: Runtime, issue: DomainIssue) -> Issue:
    with reading(runtime.engine) as session:
        return Issue.of(issue, newsletter_by_id(session, issue.newsletter_id))
