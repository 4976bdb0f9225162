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
from digest.pipeline.suppressing import let_be_mailed, suppress_by_hand, suppress_listed
from digest.store.database import reading
from digest.store.suppressions import find_suppression, list_suppressions
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import PATH, Address, Given, Line, Listed, Prose, Text, Told, page
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
    found, is_new = suppress_by_hand(runtime, new.email, why=new.why, by=caller.name)
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
    let_be_mailed(runtime, email, why=why, by=caller.name)


class SuppressionsListed(Given):
    """A list of addresses that are never to be mailed."""

    csv: Text = Field(
        min_length=1,
        max_length=1_000_000,
        description="CSV with the columns email and, if wanted, reason, detail, since and by; or an address "
        "on each line.",
        examples=["ada@example.org\nben@example.org"],
    )


class SuppressionsImported(Told):
    """What a list came to."""

    added: int
    known: int = Field(description="Addresses that were there before. They stay as they were.")
    notes: list[str] = Field(description="What there is to know of its columns.")


@router.post("/suppressions/import", **asks(Right.OPERATE))
def import_list(runtime: TheRuntime, caller: TheCaller, listed: SuppressionsListed) -> SuppressionsImported:
    """Never mail the addresses of a list again: all of them, or none when a line is wrong."""
    done = suppress_listed(runtime, listed.csv, by=caller.name)
    return SuppressionsImported(added=done.added, known=done.known, notes=list(done.notes))
