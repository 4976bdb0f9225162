"""The preview of an issue, and the mail itself in each of its forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.domain.issues import Issue
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.web.access import TheActor
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.headers import PREVIEW, PREVIEW_BARE
from digest.web.preview.chosen import Images, ReaderChosen, TheLook, TheReader
from digest.web.preview.colours import Colours, in_colours
from digest.web.preview.outlooks import outlook_view
from digest.web.preview.place import Number, router
from digest.web.preview.previews import head_view, mail_page, mail_source, pieces
from digest.web.preview.search import search_view
from digest.web.preview.views import Said
from digest.web.preview.whole import whole_page

_DONE = {
    "approved": Said("approval", "It is approved: what you saw is what is sent."),
    "asked": Said("approval", "You asked for its approval."),
    "reopened": Said("approval", "It is a draft again. Approve it anew once it is as it should be."),
    "shared": Said("links", "The link is made: it stands first in the list."),
    "revoked": Said("links", "The link shows nothing any more."),
}


@router.api_route("", methods=READ)
def preview(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    reader: TheReader,
    look: TheLook,
    done: Annotated[str, Query(max_length=20)] = "",
    q: str = "",
    after: Annotated[str, Query(max_length=320)] = "",
) -> Response:
    """Show an issue as one reader gets it, with the reason for each article.

    `q` is a part of the address of a subscriber who is looked for.
    """
    if q and (exact := search_view(runtime, _issue(runtime, issue_id), q).exact):
        return RedirectResponse(
            f"{pages.base}/issues/{issue_id}/preview?{ReaderChosen(exact).query}#mail", 303
        )
    said = _DONE.get(done)
    return whole_page(
        runtime, pages, issue_id, actor, reader=reader, look=look, search=q, after=after, said=said
    )


@router.api_route("/readers", methods=READ)
def readers(
    runtime: TheRuntime,
    pages: ThePages,
    issue_id: Number,
    q: str = "",
    after: Annotated[str, Query(max_length=320)] = "",
) -> HTMLResponse:
    """Return the subscribers whose address has `q`, for their place in the page."""
    search = search_view(runtime, _issue(runtime, issue_id), q, after=after)
    return pages.desk("preview/readers.html", search=search)


def _issue(runtime: Runtime, issue_id: int) -> Issue:
    with reading(runtime.engine) as session:
        return get_issue(session, issue_id)


@router.api_route("/outlook", methods=READ)
def outlook(runtime: TheRuntime, pages: ThePages, issue_id: Number) -> HTMLResponse:
    """Return what the issue is to come to, for its place in the page, which asks until it is current."""
    found = pieces(runtime, issue_id)
    return pages.desk("preview/outlook.html", issue=head_view(found), outlook=outlook_view(runtime, found))


@router.api_route("/mail", methods=READ)
def mail(
    runtime: TheRuntime,
    issue_id: Number,
    reader: TheReader,
    colours: Colours | None = None,
    images: Images = Images.ON,
) -> HTMLResponse:
    """Return the mail itself, made by the code that sends it, for a sandboxed frame.

    Without `colours` it is as it is sent, and whoever looks at it sees what their system prefers.
    """
    page = mail_page(runtime, issue_id, reader)
    html = in_colours(page.html, colours) if colours else page.html
    return HTMLResponse(html, headers=dict(PREVIEW_BARE if images is Images.OFF else PREVIEW))


@router.api_route("/source", methods=READ)
def source(runtime: TheRuntime, issue_id: Number, reader: TheReader) -> Response:
    """Return the message as a file that mail programs open."""
    name = f'attachment; filename="issue-{issue_id}-preview.eml"'
    return Response(
        mail_source(runtime, issue_id, reader),
        media_type="message/rfc822",
        headers={"Content-Disposition": name},
    )
