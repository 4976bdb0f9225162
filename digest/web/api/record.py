"""The record of who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from digest.domain.accounts import Right
from digest.store import audit
from digest.store.database import reading
from digest.web.api.access import Call, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import Line, Listed, Told, page
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Record"])


class Entry(Told):
    """Something that somebody did."""

    id: int
    at: datetime
    by: str
    account_id: int | None = Field(description="Their account, where it is known.")
    what: str = Field(examples=["issue.approved"])
    about: str = Field(examples=["issue 12"])
    detail: str

    @classmethod
    def of(cls, one: audit.Entry) -> Entry:
        """Return an entry as the API tells it."""
        return cls(
            id=one.id,
            at=one.at,
            by=one.by,
            account_id=one.account_id,
            what=one.what,
            about=one.about,
            detail=one.detail,
        )


@router.get("/record", **asks(Right.ADMINISTER))
def list_record(
    runtime: TheRuntime,
    by: Annotated[Line, Query(description="Only what this person or token did.")] = "",
    what: Annotated[Line, Query(description="Only of this kind: `issue`, or `issue.approved`.")] = "",
    limit: Limit = 50,
    cursor: After = None,
) -> Listed[Entry]:
    """Return who did what, the newest first."""
    after = read_cursor(cursor, int)
    with reading(runtime.engine) as session:
        rows = audit.list_entries(
            session,
            limit=limit + 1,
            before=int(after[0]) if after else None,
            by=by.strip(),
            what=what.strip(),
        )
    return page(rows, Entry.of, limit=limit, key=lambda one: (one.id,))
