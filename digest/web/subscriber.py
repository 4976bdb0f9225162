"""What subscribers reach from their mail. The link's token is all the authority there is: no session.

Mail scanners open every link, so GET and HEAD only show; what changes something is a POST.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from digest.pipeline.preview import page_sent
from digest.runtime import Runtime
from digest.track import steps
from digest.track.steps import Change
from digest.track.tokens import Purpose, SubscriptionLink
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.headers import ONLINE
from digest.web.readers import reader_view
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])


async def _unsubscribe_link(runtime: TheRuntime, token: str) -> SubscriptionLink:
    return runtime.tokens.read_subscription(Purpose.UNSUBSCRIBE, token)


UnsubscribeLink = Annotated[SubscriptionLink, Depends(_unsubscribe_link)]

ON_THE_PAGE = "on-the-page"
"""What our own form has in its address, as nothing of its body is read."""

_HEAD = re.compile("<head[^<>]*>", re.IGNORECASE)
_UNINDEXED = (
    r'\g<0><meta name="robots" content="noindex, nofollow, noarchive">'
    r'<meta name="referrer" content="no-referrer">'
)
"""What the headers say as well: a copy that somebody saved or passed on still says it."""

_RETURN = {
    Change.DONE: "returned",
    Change.SUPPRESSED: "returned",
    Change.ALREADY: "returned",
    Change.NOT_FROM_HERE: "not_returned",
    # Nobody is there to be told: showing them is what says so.
    Change.REMOVED: "",
}
"""What a page tells those who come back. That their address is never mailed, it sees by itself."""


@router.api_route("/unsubscribe/{token}", methods=READ)
@router.api_route("/unsubscribe/{token}/undo", methods=READ)  # what a form's answer leaves in the address bar
def show_unsubscribe(runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink) -> HTMLResponse:
    """Ask whether to unsubscribe."""
    return _unsubscribe_page(runtime, pages, link, "")


@router.post("/unsubscribe/{token}")
def unsubscribe(
    request: Request, runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink
) -> HTMLResponse:
    """Unsubscribe: the page's own form, and a mail program's one click (RFC 8058 §3.2).

    Whoever used the page may get a goodbye. After one click none is sent: the mail program said it for them.

    The body is not read, so no encoding of it can be wrong; nor is the answer a redirect, which mail
    programs are known to stumble over (§3.1). Twice is the same as once.
    """
    steps.unsubscribe(
        runtime.engine,
        link.newsletter_id,
        link.subscriber_id,
        now=runtime.clock(),
        says_goodbye=ON_THE_PAGE in request.query_params,
    )
    return _unsubscribe_page(runtime, pages, link, "")


@router.post("/unsubscribe/{token}/undo")
def undo_unsubscribe(runtime: TheRuntime, pages: ThePages, link: UnsubscribeLink) -> HTMLResponse:
    """Take an unsubscription back."""
    change = steps.resubscribe(runtime.engine, link.newsletter_id, link.subscriber_id, now=runtime.clock())
    return _unsubscribe_page(runtime, pages, link, _RETURN[change])


@router.api_route("/online/{token}", methods=READ)
def online(runtime: TheRuntime, token: str) -> HTMLResponse:
    """Show the very edition that was sent to this subscriber."""
    link = runtime.tokens.read_online(token)
    page = page_sent(runtime, link.issue_id, link.subscriber_id)
    return HTMLResponse(_HEAD.sub(_UNINDEXED, page.html, count=1), headers=dict(ONLINE))


def _unsubscribe_page(runtime: Runtime, pages: Pages, link: SubscriptionLink, told: str) -> HTMLResponse:
    reader = reader_view(runtime, link)
    return pages.reader("unsubscribe.html", pages.phrases(*reader.languages), reader=reader, told=told)
