"""Sends: watched live, paused, taken up again, ended; what failed sent once more; what is unknown judged."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from sqlalchemy.orm import Session

from digest.domain.accounts import Right
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import InvalidInput
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.newsletters import Newsletter
from digest.pipeline import control
from digest.pipeline.hours import send_now
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue, issues_page
from digest.store.newsletters import list_newsletters, newsletter_by_id
from digest.store.resending import list_unknown
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.headers import DESK
from digest.web.ops.answers import answer, said
from digest.web.ops.live import stream
from digest.web.ops.send_views import line_of, send_view
from digest.web.ops.tallies import WAIT_SECONDS, TheTallies
from digest.web.ops.unknown_views import choices_of, unknown_lines

router = APIRouter(prefix="/ops/sends")

PATH = "/ops/sends"
PAGE = 25
UNKNOWN_PAGE = 50
WHY_MOST = 500

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_LOOK, _OPERATE = [needs(Right.LOOK)], [needs(Right.OPERATE)]
_GOING = (IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED)


@router.api_route("", methods=READ, dependencies=_LOOK)
def listed(
    runtime: TheRuntime,
    pages: ThePages,
    tallies: TheTallies,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> HTMLResponse:
    """Show what is being sent, with how far it is, and what was sent."""
    with reading(runtime.engine) as session:
        newsletters = {one.id: one for one in list_newsletters(session)}
        going = issues_page(session, limit=PAGE, states=_GOING) if before is None else ()
        over = issues_page(
            session, limit=PAGE + 1, states=(IssueState.SENT, IssueState.CANCELLED), before=before
        )
    shown = over[:PAGE]
    return pages.desk(
        "ops/sends.html",
        going=[line_of(one, newsletters[one.newsletter_id], tallies.of(one.id)) for one in going],
        over=[line_of(one, newsletters[one.newsletter_id]) for one in shown],
        earlier=shown[-1].id if len(over) > PAGE else None,
    )


@router.api_route("/{issue_id}", methods=READ, dependencies=_LOOK)
def show(
    runtime: TheRuntime, pages: ThePages, tallies: TheTallies, issue_id: Number, done: str = ""
) -> HTMLResponse:
    """Show how an issue's send stands; the page's script keeps it so."""
    issue, newsletter = _issue(runtime, issue_id)
    told = tallies.of(issue.id, wait=WAIT_SECONDS)
    if told and told.issue.state is not issue.state:
        # It was counted before the send ended, or was stopped: of a send that is over nothing would renew it.
        tallies.forget(issue.id)
        told = tallies.of(issue.id, wait=WAIT_SECONDS)
    return pages.desk(
        "ops/send.html",
        send=send_view(issue, newsletter, told),
        said=said(done),
        is_over=told is not None and issue.state in (IssueState.SENT, IssueState.CANCELLED),
    )


@router.get("/{issue_id}/live", dependencies=_LOOK)
def live(
    request: Request, runtime: TheRuntime, pages: ThePages, tallies: TheTallies, issue_id: Number
) -> Response:
    """Stream how an issue's send stands, as server-sent events: `tally` holds the part of the page."""
    issue, _ = _issue(runtime, issue_id)
    events = stream(request, pages, tallies, issue)
    headers = {**DESK, "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def _issue(runtime: Runtime, issue_id: int) -> tuple[Issue, Newsletter]:
    with reading(runtime.engine) as session:
        return _issue_in(session, issue_id)


def _issue_in(session: Session, issue_id: int) -> tuple[Issue, Newsletter]:
    issue = get_issue(session, issue_id)
    return issue, newsletter_by_id(session, issue.newsletter_id)


@router.post("/{issue_id}/now", dependencies=_OPERATE)
def now(
    runtime: TheRuntime, pages: ThePages, tallies: TheTallies, actor: TheActor, issue_id: Number
) -> Response:
    """Send an approved issue that waits for its hour."""
    send_now(runtime, issue_id, by=actor.name)
    tallies.forget(issue_id)
    return answer(pages, f"{PATH}/{issue_id}", "sent-now")


@router.post("/{issue_id}/pause", dependencies=_OPERATE)
def pause(
    runtime: TheRuntime,
    pages: ThePages,
    tallies: TheTallies,
    actor: TheActor,
    issue_id: Number,
    why: Annotated[str, Form()] = "",
) -> Response:
    """Stop a send for now."""
    control.pause(runtime, issue_id, by=actor.name, why=_why(why))
    tallies.forget(issue_id)
    return answer(pages, f"{PATH}/{issue_id}", "send-paused")


@router.post("/{issue_id}/resume", dependencies=_OPERATE)
def resume(
    runtime: TheRuntime, pages: ThePages, tallies: TheTallies, actor: TheActor, issue_id: Number
) -> Response:
    """Let a paused send go on."""
    control.resume(runtime, issue_id, by=actor.name)
    tallies.forget(issue_id)
    return answer(pages, f"{PATH}/{issue_id}", "send-resumed")


@router.post("/{issue_id}/cancel", dependencies=_OPERATE)
def cancel(
    runtime: TheRuntime,
    pages: ThePages,
    tallies: TheTallies,
    actor: TheActor,
    issue_id: Number,
    why: Annotated[str, Form()] = "",
) -> Response:
    """End a send for good."""
    control.cancel(runtime, issue_id, by=actor.name, why=_why(why))
    tallies.forget(issue_id)
    return answer(pages, f"{PATH}/{issue_id}", "send-cancelled")


def _why(text: str) -> str:
    if len(text) > WHY_MOST:
        raise InvalidInput(f"a reason has {WHY_MOST} characters at most; nothing was changed")
    return " ".join(text.split())


@router.api_route("/{issue_id}/resend", methods=READ, dependencies=_OPERATE)
def ask_resend(runtime: TheRuntime, pages: ThePages, issue_id: Number) -> HTMLResponse:
    """Say what would be sent once more and what not, before anything is."""
    issue, newsletter = _issue(runtime, issue_id)
    found = control.resendable(runtime, issue_id, [DeliveryState.FAILED])
    return pages.desk(
        "ops/resend.html",
        line=line_of(issue, newsletter),
        count=found.failed,
        left_out=[(count, reason.in_words) for reason, count in found.left_out.items()],
    )


@router.post("/{issue_id}/resend", dependencies=_OPERATE)
def resend(
    runtime: TheRuntime, pages: ThePages, tallies: TheTallies, actor: TheActor, issue_id: Number
) -> Response:
    """Send once more what failed and may arrive now."""
    again = control.resend(runtime, issue_id, [DeliveryState.FAILED], by=actor.name)
    tallies.forget(issue_id)
    return answer(pages, f"{PATH}/{issue_id}", "failed-resent" if again else "nothing-resent")


@router.api_route("/{issue_id}/unknown", methods=READ, dependencies=_LOOK)
def unknown(
    runtime: TheRuntime,
    pages: ThePages,
    tallies: TheTallies,
    issue_id: Number,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    done: str = "",
) -> HTMLResponse:
    """List the mails of which nobody knows whether they arrived, with the evidence there is."""
    with reading(runtime.engine) as session:
        issue, newsletter = _issue_in(session, issue_id)
        found = list_unknown(session, issue.id, limit=UNKNOWN_PAGE + 1, after=after)
    # To count them here would read the index of a million others.
    told = tallies.of(issue.id, wait=WAIT_SECONDS) if found else None
    total = max(len(found), told.states[DeliveryState.UNKNOWN] if told else 0)
    return pages.desk(
        "ops/unknown.html",
        line=line_of(issue, newsletter),
        mails=unknown_lines(found[:UNKNOWN_PAGE]),
        choices=choices_of(issue, total),
        more=found[UNKNOWN_PAGE - 1].id if len(found) > UNKNOWN_PAGE else None,
        said=said(done),
    )


@router.post("/{issue_id}/unknown", dependencies=_OPERATE)
def judge_unknown(
    runtime: TheRuntime,
    pages: ThePages,
    tallies: TheTallies,
    actor: TheActor,
    issue_id: Number,
    email: Annotated[list[str], Form()] = [],  # noqa: B006  FastAPI copies it
    everybody: Annotated[str, Form()] = "",
    arrived: Annotated[str, Form()] = "",
) -> Response:
    """Let mails that may have arrived count as arrived, or go once more, on somebody's word."""
    chosen = [one.strip() for one in email if one.strip()]
    if not chosen and (arrived or not everybody):
        raise InvalidInput("choose whose mail it is about; nothing was changed")
    if arrived:
        settled = control.arrived(runtime, issue_id, chosen, by=actor.name)
        tallies.forget(IssueId(issue_id))
        said_so = "unknown-arrived" if settled else "nothing-unknown"
        return answer(pages, f"{PATH}/{issue_id}/unknown", said_so)
    emails = () if everybody else chosen
    again = control.resend(runtime, issue_id, [DeliveryState.UNKNOWN], emails=emails, by=actor.name)
    tallies.forget(IssueId(issue_id))
    return answer(pages, f"{PATH}/{issue_id}/unknown", "unknown-resent" if again else "nothing-resent")
