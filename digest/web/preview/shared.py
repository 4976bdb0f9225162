"""A preview for people without an account: the link's token is all the authority there is, and it shows."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from digest.compose.phrases import ENGLISH
from digest.domain.errors import Conflict
from digest.pipeline.preview import page_to_look_at
from digest.pipeline.sharing import Over, shared_link, shown_by
from digest.store.preview_links import PreviewLink
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.headers import PREVIEW, PREVIEW_BARE
from digest.web.preview.chosen import Images, Part, ReaderChosen, TheLook, address, choices
from digest.web.preview.colours import Colours, in_colours
from digest.web.preview.previews import head_view
from digest.web.preview.views import SharedView
from digest.web.words import at_hour

router = APIRouter(prefix="/shown/{token}", tags=[FOR_READERS])


@router.api_route("", methods=READ)
def show(runtime: TheRuntime, pages: ThePages, token: str, look: TheLook) -> Response:
    """Show the issue as the link's reader gets it, and nothing that leads anywhere else."""
    try:
        link = shared_link(runtime, token)
        shown = shown_by(runtime, link)
    except Over:
        return pages.reader("preview/over.html", ENGLISH, status=HTTPStatus.GONE)
    except Conflict:
        return pages.reader("preview/nothing.html", ENGLISH)
    page, path = page_to_look_at(runtime, shown), f"/shown/{token}"
    ways = [group for group in choices(path, ReaderChosen(), look) if group.name != "Form"]
    view = SharedView(
        issue=head_view(shown.pieces),
        subject=page.subject,
        frame=address(f"{path}/mail", f"colours={look.colours}", f"images={look.images}"),
        text=page.text,
        choices=tuple(ways) if look.part is Part.MAIL else (),
        width=look.width,
        until=_until(link),
    )
    return pages.reader("preview/shared.html", ENGLISH, shared=view)


@router.api_route("/mail", methods=READ)
def mail(
    runtime: TheRuntime,
    pages: ThePages,
    token: str,
    colours: Colours | None = None,
    images: Images = Images.ON,
) -> Response:
    """Return the mail itself, for the page's sandboxed frame."""
    try:
        page = page_to_look_at(runtime, shown_by(runtime, shared_link(runtime, token)))
    except (Over, Conflict):
        return pages.reader("preview/over.html", ENGLISH, status=HTTPStatus.GONE)
    html = in_colours(page.html, colours) if colours else page.html
    return HTMLResponse(html, headers=dict(PREVIEW_BARE if images is Images.OFF else PREVIEW))


def _until(link: PreviewLink) -> str:
    return f"{link.made_by} shows it to you. The link works until {at_hour(link.expires_at)}."
