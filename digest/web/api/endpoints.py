"""Endpoints: programs that are told what happens here, and the log of what they were told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool

from digest.domain import endpoints as domain
from digest.domain.accounts import Right
from digest.domain.endpoints import EventKind
from digest.pipeline.managing import endpoints as managing
from digest.store.announcements import calls_of
from digest.store.database import reading
from digest.store.endpoints import get_endpoint, list_endpoints
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import PATH, Given, Line, Listed, Number, Told, Url, page, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Endpoints"])

Kinds = Annotated[list[EventKind], Field(min_length=1, max_length=len(EventKind))]


class Endpoint(Told):
    """An address that is told what happens."""

    id: int
    url: str = Field(examples=["https://hooks.example.org/digest"])
    kinds: list[EventKind]
    about: str
    made_by: str
    made_at: datetime
    failing_since: datetime | None = Field(description="Since when it took nothing; null while it does.")
    is_off: bool = Field(description="Whether it is told nothing.")
    why_off: str

    @classmethod
    def of(cls, one: domain.Endpoint) -> Endpoint:
        """Return an endpoint as the API tells it."""
        return cls(
            id=one.id,
            url=one.url,
            kinds=sorted(one.kinds),
            about=one.about,
            made_by=one.made_by,
            made_at=one.made_at,
            failing_since=one.failing_since,
            is_off=one.is_off,
            why_off=one.why_off,
        )


class Secret(Told):
    """What an endpoint's calls are signed with (Standard Webhooks). It is told once."""

    endpoint: Endpoint
    secret: str = Field(examples=["whsec_…"])


class NewEndpoint(Given):
    """A program that wants to be told."""

    url: Url = Field(examples=["https://hooks.example.org/digest"])
    kinds: Kinds = Field(description="What it is told of.", examples=[["issue.sent", "delivery.failed"]])
    about: Line = Field("", description="What it is for.")


class EndpointChange(Given):
    """What changes of an endpoint. What is left out or null stays."""

    url: Url | None = None
    kinds: Kinds | None = None
    about: Line | None = None
    is_off: StrictBool | None = Field(None, description="false turns it on again.")


class EndpointCall(Told):
    """An event that was told to an endpoint, and what came of it."""

    id: int
    event_id: str = Field(description="The same at each try: who has seen it has seen the event.")
    kind: EventKind
    body: str = Field(description="What was sent, to the byte.")
    made_at: datetime
    state: domain.CallState
    tries: int
    tried_at: datetime | None
    next_at: datetime | None = Field(description="When it is tried next.")
    status: int | None = Field(description="The status of the last answer; null when there was none.")
    answer: str = Field(description="How the last answer began, or what went wrong.")

    @classmethod
    def of(cls, one: domain.Call) -> EndpointCall:
        """Return a call as the API tells it."""
        return cls(
            id=one.id,
            event_id=one.event_id,
            kind=one.kind,
            body=one.body,
            made_at=one.made_at,
            state=one.state,
            tries=one.tries,
            tried_at=one.tried_at,
            next_at=one.next_at,
            status=one.status,
            answer=one.answer,
        )


@router.get("/endpoints", **asks(Right.ADMINISTER))
def list_all_endpoints(runtime: TheRuntime) -> Listed[Endpoint]:
    """Return every endpoint, the oldest first."""
    with reading(runtime.engine) as session:
        return whole(list_endpoints(session), Endpoint.of)


@router.post("/endpoints", status_code=201, **asks(Right.ADMINISTER))
def add_new_endpoint(runtime: TheRuntime, caller: TheCaller, response: Response, new: NewEndpoint) -> Secret:
    """Have a program told what happens from now on. The secret is told once."""
    made, secret = managing.add(runtime, new.model_dump(), by=caller.name)
    response.headers["Location"] = f"{PATH}/endpoints/{made.id}"
    return Secret(endpoint=Endpoint.of(made), secret=secret)


@router.get("/endpoints/{endpoint_id}", **asks(Right.ADMINISTER))
def show_endpoint(runtime: TheRuntime, endpoint_id: Number) -> Endpoint:
    """Return an endpoint."""
    with reading(runtime.engine) as session:
        return Endpoint.of(get_endpoint(session, endpoint_id))


@router.patch("/endpoints/{endpoint_id}", **asks(Right.ADMINISTER))
def change_one_endpoint(
    runtime: TheRuntime, caller: TheCaller, endpoint_id: Number, change: EndpointChange
) -> Endpoint:
    """Change where and of what an endpoint is told, or turn it off and on."""
    given = change.model_dump(exclude_none=True, exclude={"is_off"})
    changed = managing.change(runtime, endpoint_id, lambda _: given, by=caller.name)
    if change.is_off is not None:
        changed = managing.set_off(runtime, endpoint_id, change.is_off, by=caller.name)
    return Endpoint.of(changed)


@router.delete("/endpoints/{endpoint_id}", status_code=204, **asks(Right.ADMINISTER))
def remove_one_endpoint(runtime: TheRuntime, caller: TheCaller, endpoint_id: Number) -> None:
    """Remove an endpoint with its log."""
    managing.remove(runtime, endpoint_id, by=caller.name)


@router.post("/endpoints/{endpoint_id}/rotate", **asks(Right.ADMINISTER))
def rotate_endpoint_secret(runtime: TheRuntime, caller: TheCaller, endpoint_id: Number) -> Secret:
    """Sign with a new secret; for 24 hours calls are signed with the one before, too."""
    found, secret = managing.rotate(runtime, endpoint_id, by=caller.name)
    return Secret(endpoint=Endpoint.of(found), secret=secret)


@router.post("/endpoints/{endpoint_id}/test", status_code=202, **asks(Right.ADMINISTER))
def test_endpoint(runtime: TheRuntime, caller: TheCaller, endpoint_id: Number) -> EndpointCall:
    """Tell an endpoint of a test. A worker calls it within seconds; its log says what came of it."""
    return EndpointCall.of(managing.test(runtime, endpoint_id, by=caller.name))


@router.get("/endpoints/{endpoint_id}/calls", **asks(Right.ADMINISTER))
def list_endpoint_calls(
    runtime: TheRuntime, endpoint_id: Number, limit: Limit = 50, cursor: After = None
) -> Listed[EndpointCall]:
    """Return what an endpoint was told, the newest first: the log of thirty days."""
    after = read_cursor(cursor, int)
    with reading(runtime.engine) as session:
        found = get_endpoint(session, endpoint_id)
        rows = calls_of(session, found.id, limit=limit + 1, before=int(after[0]) if after else None)
    return page(rows, EndpointCall.of, limit=limit, key=lambda one: (one.id,))


@router.post("/endpoints/{endpoint_id}/calls/{call_id}/again", status_code=202, **asks(Right.ADMINISTER))
def make_call_again(
    runtime: TheRuntime, caller: TheCaller, endpoint_id: Number, call_id: Number
) -> EndpointCall:
    """Have an endpoint told once more of what it took or missed, under the same id."""
    return EndpointCall.of(managing.tell_again(runtime, endpoint_id, call_id, by=caller.name))
