"""Addresses that are never mailed, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from digest.domain import suppressions as domain
from digest.domain.accounts import Right
from digest.domain.errors import NotFound
from digest.intake.addresses import parse_address
from digest.store.database import reading, writing
from digest.store.subscribers import suppress
from digest.store.suppressions import find_suppression, list_suppressions, remove_suppression
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import PATH, Address, Given, Line, Listed, Prose, Told, page, required
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Suppressions"])


class Suppression(Told):
    """An address that is never mailed, whichever newsletter it is subscribed to."""

    email: str = Field(description="The address in lower case.", examples=["ada@example.org"])
    reason: str = Field(description="`hard_bounce`, `complaint`, `by_hand` or `imported`.")
    detail: str = Field(description="What was said, by a mail server or by whoever put it there.")
    since: datetime
    issue_id: int | None = Field(description="The issue whose mail came back.")
    by: str = Field(description="Who put it there; '' where the program did.")

    @classmethod
    def of(cls, one: domain.Suppression) -> Suppression:
        """Return a suppression as the API tells it."""
        return cls(
            email=one.email,
            reason=one.reason,
            detail=one.detail,
            since=one.since,
            issue_id=one.issue_id,
            by=one.by,
        )


Suppressed = Annotated[Address, Path(description="The address.", examples=["ada@example.org"])]


@router.get("/suppressions", **asks(Right.LOOK))
def list_all_suppressions(
    runtime: TheRuntime,
    reason: Annotated[domain.SuppressionReason | None, Query(description="Only for this reason.")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Listed[Suppression]:
    """Return the addresses that are never mailed, by address."""
    after = read_cursor(cursor, str)
    with reading(runtime.engine) as session:
        rows = list_suppressions(
            session, limit=limit + 1, after=str(after[0]) if after else "", reason=reason or ""
        )
    return page(rows, Suppression.of, limit=limit, key=lambda one: (one.email,))


@router.get("/suppressions/{email}", **asks(Right.LOOK))
def show_suppression(runtime: TheRuntime, email: Suppressed) -> Suppression:
    """Return why an address is never mailed."""
    with reading(runtime.engine) as session:
        found = find_suppression(session, email)
    if found is None:
        raise NotFound(f"'{email}' is not suppressed: it may be mailed")
    return Suppression.of(found)


class NewSuppression(Given):
    """An address that is never to be mailed again."""

    email: Address = Field(examples=["ada@example.org"])
    why: Prose = Field(min_length=1, max_length=2_000, examples=["asked by phone"])


@router.post("/suppressions", status_code=201, **asks(Right.OPERATE))
def add_suppression(
    runtime: TheRuntime, caller: TheCaller, response: Response, new: NewSuppression
) -> Suppression:
    """Never mail an address again, whichever newsletter it is subscribed to.

    200 for one that was suppressed before: it stays as it was.
    """
    email, why = parse_address(new.email), required(new.why, "why")
    with writing(runtime.engine) as session:
        is_new = suppress(
            session,
            email,
            reason=domain.SuppressionReason.BY_HAND,
            detail=why,
            now=runtime.clock(),
            by=caller.name,
        )
        found = find_suppression(session, email)
    assert found is not None
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = f"{PATH}/suppressions/{quote(found.email)}"
    return Suppression.of(found)


@router.delete("/suppressions/{email}", status_code=204, **asks(Right.OPERATE))
def remove_suppressed(
    runtime: TheRuntime,
    caller: TheCaller,
    email: Suppressed,
    why: Annotated[
        Line, Query(min_length=1, description="Why it may be mailed again.", examples=["they wrote to us"])
    ],
) -> None:
    """Let an address be mailed again. Who wanted that and why is kept."""
    said = required(why, "why")
    with writing(runtime.engine) as session:
        remove_suppression(session, email, by=caller.name, why=said, now=runtime.clock())
