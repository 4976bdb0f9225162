"""Whether this process serves, and whether what it stands on is there."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from digest.domain.errors import DigestError
from digest.store.database import reading
from digest.store.newsletters import list_newsletters
from digest.web.dependencies import READ, TheRuntime

log = structlog.get_logger(__name__)

router = APIRouter()


@router.api_route("/healthz", methods=READ)
async def healthz() -> PlainTextResponse:
    """Answer as long as this process serves.

    On the event loop: a thread pool that is busy is no reason to restart the process.
    """
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=READ)
def readyz(runtime: TheRuntime) -> PlainTextResponse:
    """Answer 200 once the database answers with this version's schema, else 503; the log says why."""
    try:
        with reading(runtime.engine) as session:
            list_newsletters(session)
    except DigestError as exc:
        log.warning("web.not_ready", reason=str(exc))
        return PlainTextResponse("not ready: see the log\n", HTTPStatus.SERVICE_UNAVAILABLE)
    return PlainTextResponse("ready\n")
