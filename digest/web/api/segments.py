"""Segments: saved questions about a newsletter's readers, and whom a question fits before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from digest.domain import segments as domain
from digest.domain.accounts import Right
from digest.pipeline.managing import segments as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.segments import get_segment, list_segments
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import PATH, Given, Line, Listed, NewsletterName, Prose, Slug, Told, whole
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Segments"])


class Segment(Told):
    """A question about a newsletter's readers, saved under a name."""

    unversioned = frozenset({"readers", "counted_at"})

    slug: str
    name: str
    query: str = Field(examples=["language:de NOT topic:sport"])
    readers: int | None = Field(description="How many it fitted when last counted; null: not counted yet.")
    is_coarse: bool = Field(
        description="It asks who reads: `readers` is in twenties, rounded down, and 0 is fewer than 20."
    )
    counted_at: datetime | None

    @classmethod
    def of(cls, one: domain.Segment) -> Segment:
        """Return a segment as the API tells it."""
        return cls(
            slug=one.slug,
            name=one.name,
            query=one.query,
            readers=one.readers,
            is_coarse=domain.asks_who_reads(one.query),
            counted_at=one.counted_at,
        )


class SegmentChange(Given):
    """What changes of a segment. What is left out or null stays."""

    name: Line | None = Field(None, examples=["New here"])
    query: Prose | None = Field(None, description="In the query language of segments.", examples=["days:<30"])


class NewSegment(SegmentChange):
    """A segment to be added; without a name it has its short one."""

    slug: Slug = Field(examples=["newcomers"])
    query: Prose = Field(description="In the query language of segments.", examples=["days:<30"])


class Question(Given):
    """A question to be asked."""

    query: Prose = Field(examples=["language:de days:<30"])


class Fitting(Told):
    """Whom a question fits. Where readers are many, the numbers are worked out from a look at some."""

    readers: int
    active: int = Field(description="Those of them whose subscription is active.")
    of: int = Field(description="How many readers there are, in any state.")
    looked_at: int
    is_estimate: bool
    is_coarse: bool = Field(
        description="It asks who reads: numbers are in twenties, rounded down, and there are no examples. "
        "0 is fewer than 20; with `is_estimate`, few or none of those looked at."
    )
    examples: list[str] = Field(description="Addresses of up to ten of them.")


@router.get("/newsletters/{newsletter}/segments", **asks(Right.LOOK))
def list_newsletter_segments(runtime: TheRuntime, newsletter: NewsletterName) -> Listed[Segment]:
    """Return a newsletter's segments by name."""
    with reading(runtime.engine) as session:
        rows = list_segments(session, get_newsletter(session, newsletter).id)
    return whole(rows, Segment.of)


@router.post("/newsletters/{newsletter}/segments", status_code=201, **asks(Right.SHAPE))
def add_segment(
    runtime: TheRuntime, caller: TheCaller, response: Response, newsletter: NewsletterName, new: NewSegment
) -> Segment:
    """Save a question about a newsletter's readers."""
    made = managing.add(runtime, newsletter, new.model_dump(exclude_none=True), by=caller.name)
    response.headers["Location"] = f"{PATH}/newsletters/{newsletter}/segments/{made.slug}"
    return Segment.of(made)


@router.post("/newsletters/{newsletter}/segments/ask", **asks(Right.LOOK))
def ask_segment(runtime: TheRuntime, newsletter: NewsletterName, asked: Question) -> Fitting:
    """Say whom a question fits. Nothing is saved."""
    found = managing.ask(runtime, newsletter, asked.query)
    return Fitting(
        readers=found.answer.readers,
        active=found.answer.active,
        of=found.answer.of,
        looked_at=found.answer.looked_at,
        is_estimate=found.answer.is_estimate,
        is_coarse=found.answer.is_coarse,
        examples=[one.subscriber.email for one in found.examples],
    )


@router.get("/newsletters/{newsletter}/segments/{segment}", **asks(Right.LOOK))
def show_segment(
    runtime: TheRuntime, response: Response, newsletter: NewsletterName, segment: Slug
) -> Segment:
    """Return a segment."""
    told = _segment(runtime, newsletter, segment)
    response.headers["ETag"] = etag_of(told)
    return told


@router.patch("/newsletters/{newsletter}/segments/{segment}", **asks(Right.SHAPE))
def change_segment(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    newsletter: NewsletterName,
    segment: Slug,
    change: SegmentChange,
    if_match: IfMatch = None,
) -> Segment:
    """Change a segment's name or question."""

    def propose(stands: domain.Segment) -> Mapping[str, object]:
        require_unchanged(if_match, Segment.of(stands))
        return change.model_dump(exclude_none=True)

    managing.change(runtime, newsletter, segment, propose, by=caller.name)
    told = _segment(runtime, newsletter, segment)
    response.headers["ETag"] = etag_of(told)
    return told


@router.delete("/newsletters/{newsletter}/segments/{segment}", status_code=204, **asks(Right.SHAPE))
def remove_segment(runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, segment: Slug) -> None:
    """Remove a segment. Nobody's subscription changes."""
    managing.remove(runtime, newsletter, segment, by=caller.name)


def _segment(runtime: Runtime, newsletter: str, segment: str) -> Segment:
    with reading(runtime.engine) as session:
        return Segment.of(get_segment(session, get_newsletter(session, newsletter).id, segment))
