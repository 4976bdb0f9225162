"""Addresses that are never mailed, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from digest.domain import suppressions as domain
from digest.domain.accounts import Right
from digest.domain.errors import NotFound
from digest.store.database import reading
from digest.store.suppressions import find_suppression, list_suppressions
from digest.web.api.access import Call, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import Address, Listed, Told, page
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
