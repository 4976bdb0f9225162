"""What readers told after an issue."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from digest.domain.accounts import Right
from digest.domain.departures import Reason
from digest.pipeline.heard import heard_after
from digest.web.api.access import Call, asks
from digest.web.api.shapes import Number, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class LeavingReason(Told):
    """A reason to leave, and how many chose it."""

    reason: Reason
    in_words: str
    readers: int


class ArticleHeard(Told):
    """What readers said of an article."""

    position: int = Field(description="From 0, in the issue's order.")
    title: str
    useful: int
    not_useful: int


class Heard(Told):
    """What readers told after an issue. Nothing of it says who they are."""

    left: int = Field(
        description="How many unsubscribed after this issue was the last they were sent, but for those who "
        "took it back."
    )
    reasons: list[LeavingReason] = Field(description="Of those who said why, the most frequent first.")
    articles: list[ArticleHeard] = Field(description="Those of which anything was said.")
    words: list[str] = Field(description="What some of them wrote, the newest 50, the newest first.")


@router.get("/issues/{issue_id}/heard", **asks(Right.LOOK))
def read_heard(runtime: TheRuntime, issue_id: Number) -> Heard:
    """Return what readers told after an issue: of its articles, how many left, and why."""
    heard = heard_after(runtime, issue_id)
    left = heard.departures
    return Heard(
        left=left.count,
        reasons=[
            LeavingReason(reason=reason, in_words=reason.in_words, readers=count)
            for reason, count in left.reasons.items()
        ],
        articles=[
            ArticleHeard(
                position=one.position,
                title=one.title,
                useful=one.feedback.useful,
                not_useful=one.feedback.not_useful,
            )
            for one in heard.articles
        ],
        words=list(left.words),
    )
