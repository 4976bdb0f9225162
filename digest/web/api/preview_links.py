"""Preview links: an issue shown to people without an account, until a link ends or is taken back."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field, StrictInt

from digest.domain.accounts import Right
from digest.domain.topics import TOPICS_MAX
from digest.intake.addresses import parse_address
from digest.pipeline.sharing import DAYS, DAYS_MAX, Share, share_issue, shares_of, take_link_back
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import PATH, Address, Given, Listed, Number, Slug, Told, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class PreviewLink(Told):
    """A link that shows an issue as one reader gets it: a subscriber, or a reader of these topics."""

    id: int
    url: str = Field(description="Where it leads; '' once it is over.")
    email: str = Field(description="The subscriber; '' for a reader of topics, and for one who was removed.")
    topics: list[str] = Field(description="The topics; none: all of them.")
    made_by: str
    made_at: datetime
    expires_at: datetime
    is_open: bool
    revoked_by: str = Field(description="Who took it back; '' while nobody did.")
    revoked_at: datetime | None

    @classmethod
    def of(cls, one: Share) -> PreviewLink:
        """Return a link as the API tells it."""
        link = one.link
        return cls(
            id=link.id,
            url=one.url if one.is_open else "",
            email=one.email,
            topics=list(link.topics),
            made_by=link.made_by,
            made_at=link.made_at,
            expires_at=link.expires_at,
            is_open=one.is_open,
            revoked_by=link.revoked_by,
            revoked_at=link.revoked_at,
        )


class NewPreviewLink(Given):
    """As whom, and for how long, an issue is to be shown."""

    days: StrictInt = Field(DAYS, ge=1, le=DAYS_MAX, description="How long it shows the issue.")
    email: Address | None = Field(None, description="As this subscriber gets it.")
    topics: list[Slug] = Field(
        default_factory=list, max_length=TOPICS_MAX, description="As a reader of these gets it; none: of all."
    )


@router.get("/issues/{issue_id}/preview-links", **asks(Right.LOOK))
def list_preview_links(runtime: TheRuntime, issue_id: Number) -> Listed[PreviewLink]:
    """Return an issue's preview links, the newest first, also those that are over."""
    return whole(shares_of(runtime, issue_id), PreviewLink.of)


@router.post("/issues/{issue_id}/preview-links", status_code=201, **asks(Right.SHAPE))
def add_preview_link(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    issue_id: Number,
    new: NewPreviewLink | None = None,
) -> PreviewLink:
    """Make a link that shows an issue to whoever has it. No account is needed."""
    wanted = new or NewPreviewLink()
    made = share_issue(
        runtime,
        issue_id,
        by=caller.name,
        days=wanted.days,
        email=parse_address(wanted.email) if wanted.email else "",
        topics=wanted.topics,
    )
    response.headers["Location"] = f"{PATH}/issues/{issue_id}/preview-links"
    return PreviewLink.of(made)


@router.delete("/issues/{issue_id}/preview-links/{link_id}", status_code=204, **asks(Right.SHAPE))
def revoke_preview_link(runtime: TheRuntime, caller: TheCaller, issue_id: Number, link_id: Number) -> None:
    """Let a preview link show nothing any more."""
    take_link_back(runtime, issue_id, link_id, by=caller.name)
