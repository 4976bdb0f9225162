"""The preview of an issue, and the mail itself in each of its forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.web.access import needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.headers import PREVIEW, PREVIEW_BARE
from digest.web.preview.chosen import Images, TheLook, TheReader
from digest.web.preview.colours import Colours, in_colours
from digest.web.preview.previews import head_view, mail_page, mail_source, pieces, preview_view

router = APIRouter(prefix="/issues/{issue_id}/preview", dependencies=[needs(Right.LOOK)])

# Larger numbers do not fit the column, and PostgreSQL would call them an error.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.api_route("", methods=READ)
def preview(
    runtime: TheRuntime, pages: ThePages, issue_id: Number, reader: TheReader, look: TheLook
) -> HTMLResponse:
    """Show an issue as one reader gets it, with the reason for each article."""
    found = pieces(runtime, issue_id)
    return pages.desk(
        "preview/page.html", issue=head_view(found), preview=preview_view(runtime, found, reader, look)
    )


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
