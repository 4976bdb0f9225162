"""Pages about a reader's address: a new one is asked for, both mailboxes agree, the old one takes it back.

The links' tokens are all the authority there is. GET and HEAD show; what changes something is a POST.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse

from digest.compose.phrases import Phrases
from digest.domain.errors import InvalidInput
from digest.domain.letters import CONFIRM_WITHIN
from digest.pipeline.readdressing import (
    Asked,
    Asking,
    Moved,
    agree,
    ask_new_address,
    get_change,
    standing_of,
    undo_new_address,
    undoing_of,
)
from digest.pipeline.reader_pauses import zone_of_reader
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


async def _leave_address(runtime: TheRuntime, token: str) -> tuple[int, int]:
    return runtime.tokens.read_change(Purpose.LEAVE_ADDRESS, token)


async def _old_address(runtime: TheRuntime, token: str) -> tuple[int, int]:
    return runtime.tokens.read_change(Purpose.OLD_ADDRESS, token)


NewAddressLink = Annotated[tuple[int, int], Depends(_new_address)]
LeaveAddressLink = Annotated[tuple[int, int], Depends(_leave_address)]
OldAddressLink = Annotated[tuple[int, int], Depends(_old_address)]


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
    """Mail both addresses a link. Whether somebody has the new one already, nobody learns here."""
    try:
        asking = ask_new_address(runtime, link.newsletter_id, link.subscriber_id, email)
    except InvalidInput:
        return _form(runtime, pages, link, token, told="wrong", email=email, status=422)
    return _form(runtime, pages, link, token, told=asking.outcome.name.lower(), asking=asking, email=email)


@router.api_route("/new-address/{token}", methods=READ)
def show_new_address(runtime: TheRuntime, pages: ThePages, link: NewAddressLink, token: str) -> HTMLResponse:
    """Ask whether mail is to come to the address that the link was sent to, or say what is still missing."""
    change = get_change(runtime, *link)
    stands = standing_of(runtime, change, is_new=True)
    return _change(runtime, pages, change, Purpose.NEW_ADDRESS, token, stands)


@router.post("/new-address/{token}")
def use_new_address(runtime: TheRuntime, pages: ThePages, link: NewAddressLink, token: str) -> HTMLResponse:
    """Agree from the new mailbox. Twice is the same as once."""
    change = get_change(runtime, *link)
    return _change(runtime, pages, change, Purpose.NEW_ADDRESS, token, agree(runtime, change, is_new=True))


@router.api_route("/leave-address/{token}", methods=READ)
def show_leaving_address(
    runtime: TheRuntime, pages: ThePages, link: LeaveAddressLink, token: str
) -> HTMLResponse:
    """Ask whether mail is to go elsewhere from now on, or say what is still missing."""
    change = get_change(runtime, *link)
    stands = standing_of(runtime, change, is_new=False)
    return _change(runtime, pages, change, Purpose.LEAVE_ADDRESS, token, stands)


@router.post("/leave-address/{token}")
def leave_address(runtime: TheRuntime, pages: ThePages, link: LeaveAddressLink, token: str) -> HTMLResponse:
    """Agree from the mailbox that mail goes to. Twice is the same as once."""
    change = get_change(runtime, *link)
    return _change(runtime, pages, change, Purpose.LEAVE_ADDRESS, token, agree(runtime, change, is_new=False))


@router.api_route("/old-address/{token}", methods=READ)
def show_old_address(runtime: TheRuntime, pages: ThePages, link: OldAddressLink, token: str) -> HTMLResponse:
    """Ask whether a change of address is to be taken back."""
    change = get_change(runtime, *link)
    return _change(runtime, pages, change, Purpose.OLD_ADDRESS, token, undoing_of(runtime, change))


@router.post("/old-address/{token}")
def take_back(runtime: TheRuntime, pages: ThePages, link: OldAddressLink, token: str) -> HTMLResponse:
    """Let mail come to the old address again. Twice is the same as once."""
    change = get_change(runtime, *link)
    return _change(runtime, pages, change, Purpose.OLD_ADDRESS, token, undo_new_address(runtime, change))


def _form(
    runtime: Runtime,
    pages: Pages,
    link: SubscriptionLink,
    token: str,
    *,
    told: str = "",
    asking: Asking | None = None,
    email: str = "",
    status: int = 200,
) -> HTMLResponse:
    reader = reader_view(runtime, link)
    spoken = pages.phrases(*reader.languages)
    if reader.is_suppressed and not told:
        told = Asked.UNREACHABLE.name.lower()
    tz = zone_of_reader(runtime.engine, link.newsletter_id, link.subscriber_id)

    def written(moment: datetime | None) -> str:
        return _moment(moment.astimezone(tz), spoken) if moment else ""

    asked_at = asking.asked_at if asking else None
    return pages.reader(
        "address.html",
        spoken,
        status=status,
        reader=reader,
        token=token,
        told=told,
        email=email.strip(),
        asked=written(asked_at),
        good_until=written(asked_at and asked_at + CONFIRM_WITHIN),
        again=written(asking.again_at if asking else None),
        sign_up=reader.sign_up,
    )


def _moment(moment: datetime, spoken: Phrases) -> str:
    return f"{spoken.day(moment.date())}, {moment:%H:%M}"


def _change(
    runtime: Runtime, pages: Pages, change: AddressChange, purpose: Purpose, token: str, stands: Moved
) -> HTMLResponse:
    link = SubscriptionLink(change.newsletter_id, change.subscriber_id)
    reader = reader_view(runtime, link)
    is_new = purpose is Purpose.NEW_ADDRESS
    email = change.new_email if is_new else change.old_email
    settings = runtime.tokens.sign_preferences(link.newsletter_id, link.subscriber_id, email)
    return pages.reader(
        "address_change.html",
        pages.phrases(*reader.languages),
        reader=reader,
        token=token,
        path=purpose.value,
        stands=stands.name.lower(),
        has_other=bool(change.old_agreed_at if is_new else change.new_agreed_at),
        email=email,
        # Whoever gives an address up is told for which. The new mailbox may be a stranger's, after a slip.
        other=change.new_email if purpose is Purpose.LEAVE_ADDRESS else "",
        # Only who holds the reader's address is led on to what its reader gets.
        settings=settings if stands is Moved.DONE and purpose is not Purpose.LEAVE_ADDRESS else "",
    )
