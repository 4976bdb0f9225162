"""Takeaways of an article: every version there is, an editor's own, and the way back to an earlier one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictInt, StringConstraints

from digest.condense.editing import (
    LENGTH_MAX,
    TAKEAWAYS_MAX,
    edit_takeaways,
    release_takeaways,
    restore_takeaways,
)
from digest.domain.accounts import Right
from digest.runtime import Runtime
from digest.store import condensings as store
from digest.store.articles import ArticleId
from digest.store.database import reading
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.articles import Takeaway
from digest.web.api.shapes import NO_CONTROLS, NUMBER_MOST, Given, Number, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Articles"])

Text = Annotated[str, StringConstraints(pattern=NO_CONTROLS, min_length=1, max_length=LENGTH_MAX)]
Texts = Annotated[list[Text], Field(max_length=TAKEAWAYS_MAX, examples=[["The quay gets a tide mill."]])]
Version = Annotated[StrictInt, Field(ge=1, le=NUMBER_MOST)]
Seen = Annotated[
    StrictInt | None,
    Field(
        ge=1,
        le=NUMBER_MOST,
        description="The version you looked at: refused when another came since. null: whichever holds, "
        "unless it is another editor's.",
    ),
]


class TakeawaysVersion(Told):
    """One version of an article's takeaways."""

    version: int
    made_at: datetime
    made_by: str = Field(description="The editor; '' for the program.")
    made_from: int | None = Field(description="The version that an editor changed or went back to.")
    takeaways: list[Takeaway]
    why_none: str | None = Field(description="Why there are none, where there are none.")
    note: str = Field(description="Why a language model had no part in it, though one was asked for.")
    released_by: str = Field(description="Who handed it back to the program; '' while nobody did.")
    released_at: datetime | None

    @classmethod
    def of(cls, one: store.Condensing) -> TakeawaysVersion:
        """Return a version as the API tells it."""
        return cls(
            version=one.version,
            made_at=one.made_at,
            made_by=one.made_by,
            made_from=one.made_from,
            takeaways=list(map(Takeaway.of, one.condensed.takeaways)),
            why_none=one.condensed.why_none,
            note=one.condensed.note,
            released_by=one.released_by,
            released_at=one.released_at,
        )


class Takeaways(Told):
    """An article's takeaways: which version holds, and every one that is kept."""

    article_id: int
    current: int = Field(description="The version that holds.")
    editors: int | None = Field(description="The editor's version that goes before the program's.")
    outdated: str = Field(
        description="What has changed since an editor made the one that holds; '': nothing."
    )
    versions: list[TakeawaysVersion] = Field(description="The newest first.")

    @classmethod
    def of(cls, one: store.Versions) -> Takeaways:
        """Return an article's versions as the API tells them."""
        return cls(
            article_id=one.article_id,
            current=one.current.version,
            editors=one.editors.version if one.editors else None,
            outdated=one.outdated,
            versions=[TakeawaysVersion.of(each) for each in reversed(one.kept)],
        )


class NewTakeaways(Given):
    """What an article's takeaways are to be, in this order. What stays word for word keeps its origin."""

    takeaways: Annotated[Texts, Field(min_length=1)]
    from_version: Seen = None


class Restored(Given):
    """The version to go back to."""

    version: Version
    from_version: Seen = None


class Released(Given):
    """An editor's takeaways that are to be the program's again."""

    from_version: Seen = None


@router.get("/articles/{article_id}/takeaways", **asks(Right.LOOK))
def show_takeaways(runtime: TheRuntime, article_id: Number) -> Takeaways:
    """Return every version of an article's takeaways, and which one holds."""
    return _told(runtime, article_id)


@router.put("/articles/{article_id}/takeaways", **asks(Right.SHAPE))
def set_takeaways(runtime: TheRuntime, caller: TheCaller, article_id: Number, new: NewTakeaways) -> Takeaways:
    """Let an article have these takeaways and no others; condensing it again leaves them as they are."""
    edit_takeaways(
        runtime.engine,
        ArticleId(article_id),
        new.takeaways,
        by=caller.name,
        now=runtime.clock(),
        made_from=new.from_version,
    )
    return _told(runtime, article_id)


@router.post("/articles/{article_id}/takeaways/restore", **asks(Right.SHAPE))
def restore_version(
    runtime: TheRuntime, caller: TheCaller, article_id: Number, restored: Restored
) -> Takeaways:
    """Go back to an earlier version, as a new one that says the same."""
    restore_takeaways(
        runtime.engine,
        ArticleId(article_id),
        restored.version,
        by=caller.name,
        now=runtime.clock(),
        seen=restored.from_version,
    )
    return _told(runtime, article_id)


@router.post("/articles/{article_id}/takeaways/release", **asks(Right.SHAPE))
def release_version(
    runtime: TheRuntime, caller: TheCaller, article_id: Number, released: Released | None = None
) -> Takeaways:
    """Hand an article's takeaways back to the program, which renews them when it condenses again."""
    release_takeaways(
        runtime.engine,
        ArticleId(article_id),
        by=caller.name,
        now=runtime.clock(),
        seen=released.from_version if released else None,
    )
    return _told(runtime, article_id)


def _told(runtime: Runtime, article_id: int) -> Takeaways:
    with reading(runtime.engine) as session:
        return Takeaways.of(store.versions_of(session, ArticleId(article_id)))
