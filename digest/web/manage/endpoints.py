"""Endpoints: programs that are told what happens. Listed, added, changed, tried, paused, their log read."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from digest.domain.accounts import Right
from digest.domain.endpoints import Endpoint
from digest.domain.errors import InvalidInput
from digest.pipeline.managing import endpoints as managing
from digest.runtime import Runtime
from digest.store.announcements import calls_of
from digest.store.database import reading
from digest.store.endpoints import get_endpoint, list_endpoints
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.handed import Kind, hand_over, handed, shown
from digest.web.manage.endpoint_views import KINDS, call_views, line_of
from digest.web.manage.forms import Form, TheTyped, form_of, refused, saved
from digest.web.manage.words import DONE, called
from digest.web.templating import Pages

router = APIRouter(dependencies=[needs(Right.ADMINISTER)])

PATH = "/manage/endpoints"
PAGE = 25
FIELDS = ("url", "about", "kinds")
_USUAL = {"kinds": "issue.sent\nissue.paused\ndelivery.failed"}

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.api_route(PATH, methods=READ)
def overview(runtime: TheRuntime, pages: ThePages, done: str = "") -> HTMLResponse:
    """Show every endpoint."""
    with reading(runtime.engine) as session:
        found = list_endpoints(session)
    lines = tuple(line_of(one, runtime.clock()) for one in found)
    return pages.desk("manage/endpoints.html", endpoints=lines, done=DONE.get(done, ""))


@router.api_route(f"{PATH}/new", methods=READ)
def new(pages: ThePages) -> HTMLResponse:
    """Show the form of an endpoint that is not there yet."""
    return _new(pages, form_of(_USUAL))


@router.post(f"{PATH}/new")
def add(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped) -> Response:
    """Add an endpoint, and show its secret, once."""
    given = typed.of(FIELDS, ["kinds"])
    try:
        made, secret = managing.add(runtime, given.texts, by=actor.name, called=called)
    except InvalidInput as exc:
        return _new(pages, refused(given.texts, {}, exc))
    return hand_over(runtime, pages, f"{PATH}/{made.id}", Kind.ENDPOINT, made.id, secret)


@router.api_route(PATH + "/{endpoint_id}", methods=READ)
def endpoint(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    endpoint_id: Number,
    done: str = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> HTMLResponse:
    """Show one endpoint and its log, from before a call on; once its secret, where it is new."""
    number, secret = handed(runtime, request, Kind.ENDPOINT)
    if number != endpoint_id:
        return _page(runtime, pages, endpoint_id, done=done, before=before)
    response = _page(runtime, pages, endpoint_id, done=done, before=before, secret=secret)
    shown(runtime, response)
    return response


@router.post(PATH + "/{endpoint_id}")
def change(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, endpoint_id: Number
) -> Response:
    """Change where and of what an endpoint is told."""
    form = saved(
        typed.of(FIELDS, ["kinds"]),
        managing.texts_of,
        lambda propose: managing.change(runtime, endpoint_id, propose, by=actor.name, called=called),
    )
    return _page(runtime, pages, endpoint_id, form=form) if form else _to(pages, endpoint_id, "changed")


@router.post(PATH + "/{endpoint_id}/rotate")
def rotate(runtime: TheRuntime, pages: ThePages, actor: TheActor, endpoint_id: Number) -> Response:
    """Sign with a new secret, and show it, once."""
    _, secret = managing.rotate(runtime, endpoint_id, by=actor.name)
    return hand_over(runtime, pages, f"{PATH}/{endpoint_id}", Kind.ENDPOINT, endpoint_id, secret)


@router.post(PATH + "/{endpoint_id}/test")
def test(runtime: TheRuntime, pages: ThePages, actor: TheActor, endpoint_id: Number) -> Response:
    """Tell an endpoint of a test."""
    managing.test(runtime, endpoint_id, by=actor.name)
    return _to(pages, endpoint_id, "endpoint-tested")


@router.post(PATH + "/{endpoint_id}/pause")
def pause(runtime: TheRuntime, pages: ThePages, actor: TheActor, endpoint_id: Number) -> Response:
    """Tell an endpoint nothing more for now."""
    managing.set_off(runtime, endpoint_id, True, by=actor.name)
    return _to(pages, endpoint_id, "endpoint-paused")


@router.post(PATH + "/{endpoint_id}/resume")
def resume(runtime: TheRuntime, pages: ThePages, actor: TheActor, endpoint_id: Number) -> Response:
    """Tell an endpoint again what happens."""
    managing.set_off(runtime, endpoint_id, False, by=actor.name)
    return _to(pages, endpoint_id, "endpoint-resumed")


@router.post(PATH + "/{endpoint_id}/calls/{call_id}/again")
def again(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, endpoint_id: Number, call_id: Number
) -> Response:
    """Tell an endpoint once more of what it took or missed."""
    managing.tell_again(runtime, endpoint_id, call_id, by=actor.name)
    return _to(pages, endpoint_id, "endpoint-told-again")


@router.post(PATH + "/{endpoint_id}/remove")
def remove(runtime: TheRuntime, pages: ThePages, actor: TheActor, endpoint_id: Number) -> Response:
    """Remove an endpoint with its log."""
    managing.remove(runtime, endpoint_id, by=actor.name)
    return RedirectResponse(f"{pages.base}{PATH}?done=removed", HTTPStatus.SEE_OTHER)


def _to(pages: Pages, endpoint_id: int, done: str) -> Response:
    return RedirectResponse(f"{pages.base}{PATH}/{endpoint_id}?done={done}", HTTPStatus.SEE_OTHER)


def _new(pages: Pages, form: Form) -> HTMLResponse:
    return pages.desk("manage/new_endpoint.html", status=form.status, form=form, kinds=KINDS)


def _page(
    runtime: Runtime,
    pages: Pages,
    endpoint_id: int,
    *,
    form: Form | None = None,
    done: str = "",
    secret: str = "",
    before: int | None = None,
) -> HTMLResponse:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        stored: Endpoint = get_endpoint(session, endpoint_id)
        calls = calls_of(session, stored.id, limit=PAGE + 1, before=before)
    form = form or form_of(managing.texts_of(stored))
    return pages.desk(
        "manage/endpoint.html",
        status=form.status,
        endpoint=line_of(stored, now),
        form=form,
        kinds=KINDS,
        calls=call_views(calls[:PAGE], now),
        older=calls[PAGE - 1].id if len(calls) > PAGE else None,
        is_first=before is None,
        secret=secret,
        done=DONE.get(done, ""),
    )
