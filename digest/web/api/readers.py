"""What readers may ask for by law: all that is stored of them, and that it is erased."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from digest.domain import erasing as domain
from digest.domain.accounts import Right
from digest.pipeline.erasing import address_data, erase_address
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import Address, Given, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Subscribers"])


class Reader(Given):
    """Somebody by their address, which so stands in no address of a request and in no server's log."""

    email: Address = Field(examples=["ada@example.org"])


@router.post("/readers/data", **asks(Right.ADMINISTER))
def tell_reader_data(runtime: TheRuntime, reader: Reader) -> dict[str, Any]:
    """Return all that is stored of somebody, in every newsletter: for themselves, who may ask for it."""
    return dict(address_data(runtime, reader.email))


class Erased(Told):
    """What was erased, in every newsletter."""

    newsletters: int = Field(description="Subscriptions, in whatever state.")
    mails: int = Field(
        description="Mails that were sent to them, or were to be: they count on, without a name."
    )
    stopped: int = Field(description="Of these, how many are not sent any more.")
    letters: int
    reports: int = Field(description="What came back of their mails.")
    mentions: int = Field(description="Entries of the record and other texts that named them.")
    sign_ups: int = Field(description="Sign-up forms of theirs that waited to be looked at.")
    was_suppressed: bool
    has_account: bool = Field(description="The address can still sign in: that is no reader's.")
    goes_on: bool = Field(
        description="It is kept and not done yet (202): a worker carries it out to its end, mostly within "
        "some minutes. Nothing is counted here then. Sent again, with a new `Idempotency-Key`, the request "
        "is answered with 404 once it is done."
    )

    @classmethod
    def of(cls, one: domain.Erased) -> Erased:
        """Return what was erased as the API tells it."""
        return cls(
            newsletters=one.newsletters,
            mails=one.mails,
            stopped=one.stopped,
            letters=one.letters,
            reports=one.reports,
            mentions=one.mentions,
            sign_ups=one.sign_ups,
            was_suppressed=one.was_suppressed,
            has_account=one.has_account,
            goes_on=one.goes_on,
        )


_GOES_ON: dict[int | str, dict[str, Any]] = {
    202: {"model": Erased, "description": "It is kept, and a worker carries it out to its end."}
}


@router.post("/readers/erase", **asks(Right.ADMINISTER), responses=_GOES_ON)
def erase_reader(runtime: TheRuntime, caller: TheCaller, reader: Reader, response: Response) -> Erased:
    """Remove all that is stored of somebody, in every newsletter. It cannot be undone.

    Nothing is sent to them afterwards but what a mail server has already. No list brings them back; they
    themselves may come.
    """
    done = erase_address(runtime, reader.email, by=caller.name)
    if done.goes_on:
        response.status_code = HTTPStatus.ACCEPTED
    return Erased.of(done)
