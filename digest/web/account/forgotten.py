"""The page for who forgot their password: one answer, whoever asks for whichever address."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, BackgroundTasks, Form, Request
from fastapi.responses import HTMLResponse

from digest.admit.attempts import must_wait, tries_to_ask
from digest.admit.entering import OWN_WITHIN
from digest.domain.errors import DigestError, InvalidInput
from digest.intake.addresses import parse_address
from digest.pipeline.account_letters import link_post, mail_forgotten
from digest.runtime import Runtime
from digest.web.access import require_same_origin
from digest.web.account.places import place_of
from digest.web.account.turns import in_minutes
from digest.web.clients import network_of
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.templating import Pages

log = structlog.get_logger(__name__)

router = APIRouter()


@router.api_route("/forgot", methods=READ)
def show_forgotten(runtime: TheRuntime, pages: ThePages) -> HTMLResponse:
    """Ask for the address of somebody who forgot their password."""
    return _page(runtime, pages)


@router.post("/forgot")
def ask(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    later: BackgroundTasks,
    email: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Mail a link to whom the address belongs, if to anybody; the answer is the same for all."""
    require_same_origin(request, runtime.settings.public_url)
    typed = email[:320]
    try:
        address = parse_address(typed)
    except InvalidInput as exc:
        problem = f"{str(exc).rstrip('.')}."
        return _page(runtime, pages, status=HTTPStatus.UNPROCESSABLE_ENTITY, email=typed, problem=problem)
    network = network_of(place_of(request, runtime).network)
    wait = must_wait(
        runtime.engine,
        tries_to_ask(runtime.door_key, email=address, network=network),
        now=runtime.clock(),
    )
    if wait:
        log.warning("web.tried_too_often", network=network)
        problem = f"That was asked for too often. Try again in {in_minutes(wait)}."
        page = _page(runtime, pages, status=HTTPStatus.TOO_MANY_REQUESTS, email=typed, problem=problem)
        page.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
        return page
    # Once the answer is out: not even the time it takes tells whether there is such an account.
    later.add_task(_mail, runtime, address)
    return _page(runtime, pages, asked=address)


def _mail(runtime: Runtime, address: str) -> None:
    try:
        mail_forgotten(runtime, address)
    except DigestError as exc:
        log.error("account.link_not_queued", reason=str(exc))


def _page(
    runtime: Runtime,
    pages: Pages,
    *,
    status: int = HTTPStatus.OK,
    email: str = "",
    problem: str = "",
    asked: str = "",
) -> HTMLResponse:
    return pages.door(
        "account/forgot.html",
        status=status,
        email=email,
        problem=problem,
        asked=asked,
        minutes=int(OWN_WITHIN.total_seconds()) // 60,
        can_mail=link_post(runtime) is not None,
    )
