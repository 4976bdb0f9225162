"""Which links of an issue's mail were followed."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from pydantic import Field

from digest.domain.accounts import Right
from digest.pipeline import clicks
from digest.web.api.access import Call, asks
from digest.web.api.shapes import Number, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Issues"])


class ArticleClicks(Told):
    """How often an article of an issue was followed."""

    position: int = Field(description="From 0, in the issue's order.")
    title: str
    followed: int


class NamedClicks(Told):
    """How often links of a topic, a source or a place were followed."""

    name: str
    followed: int


class Clicks(Told):
    """What was followed in an issue's mail. Nothing of it says by whom."""

    are_counted: bool = Field(description="Whether clicks of its newsletter are counted now.")
    followed: int
    left_out: int = Field(description="Links that scanners opened.")
    articles: list[ArticleClicks] = Field(description="What there is most of first.")
    topics: list[NamedClicks]
    sources: list[NamedClicks]
    places: list[NamedClicks] = Field(
        description="By which article of its mail a link stood in, from the top."
    )

    @classmethod
    def of(cls, one: clicks.IssueClicks) -> Clicks:
        """Return what was followed as the API tells it."""

        def named(found: Iterable[clicks.NamedClicks]) -> list[NamedClicks]:
            return [NamedClicks(name=each.name, followed=each.followed) for each in found]

        return cls(
            are_counted=one.are_counted,
            followed=one.followed,
            left_out=one.left_out,
            articles=[
                ArticleClicks(position=each.position, title=each.title, followed=each.followed)
                for each in one.articles
            ],
            topics=named(one.topics),
            sources=named(one.sources),
            places=named(one.places),
        )


@router.get("/issues/{issue_id}/clicks", **asks(Right.LOOK))
def read_clicks(runtime: TheRuntime, issue_id: Number) -> Clicks:
    """Return how often links of an issue's mail were followed."""
    return Clicks.of(clicks.clicks_in(runtime, issue_id))
