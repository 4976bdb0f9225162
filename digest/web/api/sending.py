"""Everything that would be sent: whether it is held, and by whom."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from digest.domain import pauses as domain
from digest.domain.accounts import Right
from digest.pipeline import control
from digest.store.database import reading
from digest.store.holds import open_holds
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import Given, Line, Listed, Told, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Sending"])


class Hold(Told):
    """What keeps everything from being sent."""

    cause: domain.HoldCause
    by: str
    why: str
    since: datetime

    @classmethod
    def of(cls, one: domain.Hold) -> Hold:
        """Return a hold as the API tells it."""
        return cls(cause=one.cause, by=one.by, why=one.why, since=one.since)


class NewHold(Given):
    """Why nothing is to be sent."""

    why: Line = Field("", examples=["the mail server moves"])


@router.get("/holds", **asks(Right.LOOK))
def list_holds(runtime: TheRuntime) -> Listed[Hold]:
    """Return what keeps everything from being sent now: nothing, most of the time."""
    with reading(runtime.engine) as session:
        return whole(open_holds(session), Hold.of)


@router.post("/holds", status_code=201, **asks(Right.OPERATE))
def hold_everything(runtime: TheRuntime, caller: TheCaller, new: NewHold | None = None) -> Hold:
    """Send nothing at all, of any issue, until this is ended. What is under way ends."""
    return Hold.of(control.hold(runtime, by=caller.name, why=new.why.strip() if new else ""))


@router.delete("/holds", **asks(Right.OPERATE))
def end_all_holds(runtime: TheRuntime, caller: TheCaller) -> Listed[Hold]:
    """Let everything go on; return what had held it."""
    return whole(control.let_go(runtime, by=caller.name), Hold.of)
