"""Where mail providers tell what became of mails. A signature is all the authority there is: no session.

Answered in words for programs, and nothing of the inside. What was not recorded is asked for again.
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from digest.domain.errors import DigestError, InvalidInput, NotFound, Refused
from digest.web.dependencies import TheHooks
from digest.web.error_pages import FOR_VISITORS

log = structlog.get_logger(__name__)

router = APIRouter(tags=[FOR_VISITORS])

_TRY_AGAIN = {"Retry-After": "60"}


@router.post("/hooks/{provider}")
async def take(request: Request, provider: str, hooks: TheHooks, later: BackgroundTasks) -> PlainTextResponse:
    """Take in what a provider tells: 200 when it is recorded, 403 (Mailgun: 406) when it is not believed.

    503 when it could not be recorded; every provider tries again then, for hours.
    """
    try:
        taken = await hooks.take(provider, request.headers, await request.body())
    except HTTPException as exc:
        return _answer(HTTPStatus(exc.status_code))
    except NotFound:
        return _answer(HTTPStatus.NOT_FOUND)
    except Refused:
        return _answer(_no(provider, HTTPStatus.FORBIDDEN))
    except InvalidInput as exc:
        log.error("webhook.unread", provider=provider, reason=str(exc))
        return _answer(_no(provider, HTTPStatus.BAD_REQUEST))
    except DigestError as exc:
        log.warning("webhook.not_recorded", provider=provider, reason=str(exc))
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, _TRY_AGAIN)
    later.add_task(hooks.tell, taken)
    return _answer(HTTPStatus.OK)


def _no(provider: str, status: HTTPStatus) -> HTTPStatus:
    """Return the status that says 'never again': Mailgun tries anything but 200 and 406 for eight hours."""
    return HTTPStatus.NOT_ACCEPTABLE if provider == "mailgun" else status


def _answer(status: HTTPStatus, headers: dict[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(f"{status.phrase}\n", status, headers=headers)
