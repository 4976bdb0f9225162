"""Pages about a reader's address: a new one is asked for, confirmed there, taken back from the old one.

The links' tokens are all the authority there is. GET and HEAD show; what changes something is a POST.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse

from digest.domain.errors import InvalidInput
from digest.pipeline.readdressing import (
    Asked,
    Moved,
    ask_new_address,
    confirm_new_address,
    get_change,
    undo_new_address,
)
from digest.runtime import Runtime
from digest.store.address_changes import AddressChange
from digest.track.tokens import Purpose, SubscriptionLink
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.links import PreferencesLink
from digest.web.readers import reader_view
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])


async def _new_address(runtime: TheRuntime, token: str) -> tuple[int, int]:
    return runtime.tokens.read_change(Purpose.NEW_ADDRESS, token)


async def _old_address(runtime: TheRuntime, token: str) -> tuple[int, int]:
    return runtime.tokens.read_change(Purpose.OLD_ADDRESS, token)


NewAddressLink = Annotated[tuple[int, int], Depends(_new_address)]
OldAddressLink = Annotated[tuple[int, int], Depends(_old_address)]

_ASKED = {Asked.ASKED: "asked", Asked.SAME: "same", Asked.TOO_OFTEN: "too_often"}
_MOVED = {
    Moved.DONE: "done",
    Moved.ALREADY: "done",
    Moved.TOO_LATE: "too_late",
    Moved.TAKEN: "taken",
    Moved.OVER: "over",
}
"""What a page tells of what came of it: a second click reads as the first."""


@router.api_route("/preferences/{token}/address", methods=READ)
def show_address(runtime: TheRuntime, pages: ThePages, link: PreferencesLink, token: str) -> HTMLResponse:
    """Show the address mail goes to, and ask for another."""
    return _form(runtime, pages, link, token)


@router.post("/preferences/{token}/address")
def ask_address(
    runtime: TheRuntime,
    pages: ThePages,
    link: PreferencesLink,
    token: str,
    email: Annotated[str, Form(max_length=400)] = "",
) -> HTMLResponse:
    """Mail the new address a link that confirms it. Whether somebody has it already, nobody learns here."""
    try:
        asked = ask_new_address(runtime, link.newsletter_id, link.subscriber_id, email)
    except InvalidInput:
        return _form(runtime, pages, link, token, "wrong", email, status=422)
    return _form(runtime, pages, link, token, _ASKED[asked], email)


@router.api_route("/new-address/{token}", methods=READ)
def show_new_address(runtime: TheRuntime, pages: ThePages, link: NewAddressLink, token: str) -> HTMLResponse:
    """Ask whether mail is to come to the address that the link was sent to."""
    return _change(runtime, pages, get_change(runtime, *link), Purpose.NEW_ADDRESS, token, "")


@router.post("/new-address/{token}")
def use_new_address(runtime: TheRuntime, pages: ThePages, link: NewAddressLink, token: str) -> HTMLResponse:
    """Make it the reader's. Twice is the same as once."""
    change = get_change(runtime, *link)
    told = _MOVED[confirm_new_address(runtime, change)]
    return _change(runtime, pages, change, Purpose.NEW_ADDRESS, token, told)


@router.api_route("/old-address/{token}", methods=READ)
def show_old_address(runtime: TheRuntime, pages: ThePages, link: OldAddressLink, token: str) -> HTMLResponse:
    """Ask whether a change of address is to be taken back."""
    return _change(runtime, pages, get_change(runtime, *link), Purpose.OLD_ADDRESS, token, "")


@router.post("/old-address/{token}")
def take_back(runtime: TheRuntime, pages: ThePages, link: OldAddressLink, token: str) -> HTMLResponse:
    """Let mail come to the old address again. Twice is the same as once."""
    change = get_change(runtime, *link)
    told = _MOVED[undo_new_address(runtime, change)]
    return _change(runtime, pages, change, Purpose.OLD_ADDRESS, token, told)


def _form(
    runtime: Runtime,
    pages: Pages,
    link: SubscriptionLink,
    token: str,
    told: str = "",
    email: str = "",
    *,
    status: int = 200,
) -> HTMLResponse:
    reader = reader_view(runtime, link)
    spoken = pages.phrases(*reader.languages)
    return pages.reader(
        "address.html",
        spoken,
        status=status,
        reader=reader,
        token=token,
        told=told,
        email=email.strip(),
    )


def _change(
    runtime: Runtime, pages: Pages, change: AddressChange, purpose: Purpose, token: str, told: str
) -> HTMLResponse:
    link = SubscriptionLink(change.newsletter_id, change.subscriber_id)
    reader = reader_view(runtime, link)
    settings = runtime.tokens.sign(Purpose.PREFERENCES, link.newsletter_id, link.subscriber_id)
    is_new = purpose is Purpose.NEW_ADDRESS
    return pages.reader(
        "address_change.html",
        pages.phrases(*reader.languages),
        reader=reader,
        token=token,
        told=told,
        is_new=is_new,
        email=change.new_email if is_new else change.old_email,
        # Only who holds the address by now is led on to what its reader gets.
        settings=settings if told == "done" else "",
    )
