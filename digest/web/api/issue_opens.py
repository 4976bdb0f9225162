"""How many readers who agreed to be measured opened an issue."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from digest.domain import measuring
from digest.domain.accounts import Right
from digest.pipeline import opens
from digest.web.api.access import Call, asks
from digest.web.api.shapes import Number, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class Rate(Told):
    """How many of the readers who agreed to be measured, and were delivered to, did something."""

    did: int
    of: int
    percent: int

    @classmethod
    def of_all(cls, rate: measuring.Rate | None) -> Rate | None:
        """Return a rate as the API tells it."""
        return None if rate is None else cls(did=rate.did, of=rate.of, percent=rate.percent)


class Opens(Told):
    """What was measured of an issue, of readers who agreed alone. Nothing of it says who they are."""

    issue_id: int
    is_asked: bool = Field(description="Whether readers of its newsletter are asked now.")
    measured: int = Field(description="Mails that were delivered to readers who agreed.")
    opened: Rate | None = Field(
        description=f"Null where fewer than {measuring.LEAST} agreed. Of mails that can tell: text cannot."
    )
    followed: Rate | None = Field(
        description=f"Who followed a link. Null where fewer than {measuring.LEAST} agreed, or none counts."
    )
    left_out: int = Field(description="Pictures that were loaded by programs.")
    has_links: bool = Field(description="Whether links of its mails can tell who follows them.")

    @classmethod
    def of(cls, one: opens.IssueOpens) -> Opens:
        """Return what was measured as the API tells it."""
        return cls(
            issue_id=one.issue_id,
            is_asked=one.is_asked,
            measured=one.measured,
            opened=Rate.of_all(one.opened),
            followed=Rate.of_all(one.followed),
            left_out=one.left_out,
            has_links=one.has_links,
        )


@router.get("/issues/{issue_id}/opens", **asks(Right.LOOK))
def read_opens(runtime: TheRuntime, issue_id: Number) -> Opens:
    """Return how many readers who agreed to be measured opened an issue or followed a link of it."""
    return Opens.of(opens.opens_in(runtime, issue_id))
