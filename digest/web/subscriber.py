"""A mail as its reader was sent it, online. The link's token is all the authority there is: no session."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.pipeline.preview import page_sent
from digest.web.dependencies import READ, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.headers import ONLINE

router = APIRouter(tags=[FOR_READERS])

_HEAD = re.compile("<head[^<>]*>", re.IGNORECASE)
_UNINDEXED = (
    r'\g<0><meta name="robots" content="noindex, nofollow, noarchive">'
    r'<meta name="referrer" content="no-referrer">'
)
"""What the headers say as well: a copy that somebody saved or passed on still says it."""


@router.api_route("/online/{token}", methods=READ)
def online(runtime: TheRuntime, token: str) -> HTMLResponse:
    """Show the very edition that was sent to this subscriber."""
    link = runtime.tokens.read_online(token)
    page = page_sent(runtime, link.issue_id, link.subscriber_id)
    return HTMLResponse(_HEAD.sub(_UNINDEXED, page.html, count=1), headers=dict(ONLINE))
