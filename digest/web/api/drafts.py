"""Drafts shaped: their texts, their articles and takeaways, and the history of it, which can be undone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool, StrictInt

from digest.compose.edits import Change, mark_of
from digest.compose.shape import YES, Place
from digest.domain.accounts import Right
from digest.domain.issues import IssueId
from digest.pipeline.adding import add_to_issue
from digest.pipeline.history import Act, history_of
from digest.pipeline.shaping import change_takeaways, redo, shape_issue, undo
from digest.store.articles import ArticleId
from digest.store.database import reading
from digest.store.edits import About, edits_of, standing_values
from digest.store.edits import Field as Edited
from digest.store.issues import get_issue
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.issues import Issue, issue_now, issue_of
from digest.web.api.shapes import (
    NUMBER_MOST,
    PATH,
    Given,
    Line,
    Listed,
    Number,
    Prose,
    Slug,
    Told,
    Url,
    whole,
)
from digest.web.api.takeaways import Texts
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Drafts"])

TakeBack = Annotated[
    StrictBool, Field(description="Of an approved issue: take the approval back to change it.")
]


class IssueChange(Given):
    """What changes of a draft's texts, and of whom it is for.

    What is left out or null stays; of texts, '' lets each edition name its own.
    """

    subject: Line | None = None
    preheader: Line | None = None
    intro: Prose | None = Field(None, description="A few lines above the articles.")
    only: Slug | Literal[""] | None = Field(
        None, description="The segment whose readers alone it is for; '' for all readers."
    )
    without: Slug | Literal[""] | None = Field(
        None, description="The segment whose readers get nothing of it; '' leaves nobody out."
    )
    take_back: TakeBack = False


class ArticleChange(Given):
    """What an editor wants of an article in a draft. What is left out or null stays; '' takes it back."""

    wish: Literal["pin", "drop", ""] | None = Field(
        None, description="`pin`: in it whatever it scores. `drop`: never."
    )
    topic: Slug | Literal[""] | None = Field(None, description="The topic it stands under.")
    headline: Line | None = Field(None, description="In place of its publisher's.")
    lead: StrictBool | None = Field(None, description="Whether it is the report of its story that is shown.")
    before: StrictInt | None = Field(None, ge=1, le=NUMBER_MOST, description="The article it stands before.")
    after: StrictInt | None = Field(None, ge=1, le=NUMBER_MOST, description="The article it stands after.")
    take_back: TakeBack = False


class NewArticle(Given):
    """An article that a draft is to hold, whenever it was published."""

    url: Url = Field(examples=["https://example.org/2026/11/tides"])
    topic: Slug = Field(description="The topic it stands under.")
    take_back: TakeBack = False


class ArticleAdded(Told):
    """An article that was added to a draft."""

    article_id: int
    title: str
    is_in: bool = Field(description="False while it waits to be condensed; it comes in by itself then.")


class OwnTakeaways(Given):
    """What an article's takeaways are to be, in this order; none hands them back to the program."""

    takeaways: Texts
    from_version: StrictInt = Field(
        ge=1, le=NUMBER_MOST, description="The version they were made from: refused when another came since."
    )
    take_back: TakeBack = False


class Undone(Given):
    """What is taken back."""

    number: StrictInt | None = Field(
        None, ge=1, le=NUMBER_MOST, description="A change, by its number; null: this caller's own last."
    )
    take_back: TakeBack = False


class Redone(Given):
    """What was taken back last is made again."""

    take_back: TakeBack = False


class Edit(Told):
    """One thing that was changed. '' is nothing: no wish, no place, no headline but the publisher's."""

    field: Edited
    article_id: int | None = Field(description="The article; null for the issue's own texts.")
    before: str
    after: str


class ActTold(Told):
    """What somebody changed of an issue at once."""

    number: int = Field(description="The number by which it is undone.")
    at: datetime
    by: str
    what: str = Field(description="In words, as they follow the name.", examples=["pinned 'Tides'"])
    undoes: int | None = Field(description="The change that it takes back.")
    edits: list[Edit]

    @classmethod
    def of(cls, one: Act) -> ActTold:
        """Return a change as the API tells it."""
        first = one.edits[0]
        return cls(
            number=one.number,
            at=first.at,
            by=first.by,
            what=one.in_words,
            undoes=first.undoes,
            edits=[
                Edit(
                    field=edit.about.field,
                    article_id=edit.about.article_id,
                    before=edit.before,
                    after=edit.after,
                )
                for edit in one.edits
            ],
        )


@router.patch("/issues/{issue_id}", **asks(Right.SHAPE))
def change_issue(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    issue_id: Number,
    change: IssueChange,
    if_match: IfMatch = None,
) -> Issue:
    """Change a draft's subject, preheader and opening lines, and whom it is for."""
    with reading(runtime.engine) as session:
        before = get_issue(session, issue_id)
        stands = standing_values(before, edits_of(session, before.id))
    require_unchanged(if_match, issue_of(runtime, before))
    changes = [
        Change(About(field), to.strip(), seen=None if if_match is None else mark_of(was))
        for field, to, was in (
            (Edited.SUBJECT, change.subject, before.subject),
            (Edited.PREHEADER, change.preheader, before.preheader),
            (Edited.INTRO, change.intro, before.intro),
            (Edited.ONLY, change.only, stands.get(About(Edited.ONLY), "")),
            (Edited.WITHOUT, change.without, stands.get(About(Edited.WITHOUT), "")),
        )
        if to is not None
    ]
    shape_issue(runtime, issue_id, changes, by=caller.name, takes_back=change.take_back)
    told = issue_now(runtime, issue_id)
    response.headers["ETag"] = etag_of(told)
    return told


@router.patch("/issues/{issue_id}/articles/{article_id}", **asks(Right.SHAPE))
def change_article(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, article_id: Number, change: ArticleChange
) -> Issue:
    """Pin, drop, place, move or head an article in a draft, which is filled anew."""
    wanted = {
        Edited.WISH: change.wish,
        Edited.TOPIC: change.topic,
        Edited.HEADLINE: None if change.headline is None else " ".join(change.headline.split()),
        Edited.LEAD: None if change.lead is None else YES if change.lead else "",
        Edited.PLACE: _place(change),
    }
    number = ArticleId(article_id)
    changes = [Change(About(field, number), to) for field, to in wanted.items() if to is not None]
    shape_issue(runtime, issue_id, changes, by=caller.name, takes_back=change.take_back)
    return issue_now(runtime, issue_id)


def _place(change: ArticleChange) -> str | None:
    if change.before is None and change.after is None:
        return None
    after, before = (None if one is None else ArticleId(one) for one in (change.after, change.before))
    return str(Place(after, before))


@router.post("/issues/{issue_id}/articles", status_code=201, **asks(Right.SHAPE))
def add_issue_article(
    runtime: TheRuntime, caller: TheCaller, response: Response, issue_id: Number, new: NewArticle
) -> ArticleAdded:
    """Fetch an article and pin it in a draft. That takes some seconds."""
    added = add_to_issue(
        runtime, issue_id, new.url, topic=new.topic, by=caller.name, takes_back=new.take_back
    )
    response.headers["Location"] = f"{PATH}/articles/{added.id}"
    return ArticleAdded(article_id=added.id, title=added.title, is_in=added.is_in)


@router.put("/issues/{issue_id}/articles/{article_id}/takeaways", **asks(Right.SHAPE))
def set_issue_takeaways(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, article_id: Number, own: OwnTakeaways
) -> Issue:
    """Change an article's takeaways as part of a draft's history, where it can be undone."""
    change_takeaways(
        runtime,
        issue_id,
        ArticleId(article_id),
        own.takeaways,
        by=caller.name,
        seen=own.from_version,
        takes_back=own.take_back,
    )
    return issue_now(runtime, issue_id)


@router.get("/issues/{issue_id}/history", **asks(Right.LOOK))
def show_history(runtime: TheRuntime, issue_id: Number) -> Listed[ActTold]:
    """Return who changed what of an issue, the newest first."""
    with reading(runtime.engine) as session:
        acts = history_of(session, get_issue(session, issue_id).id)
    return whole(acts[::-1], ActTold.of)


@router.post("/issues/{issue_id}/undo", **asks(Right.SHAPE))
def undo_change(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, undone: Undone | None = None
) -> Issue:
    """Take back a change of a draft: by its number, or this caller's own last one."""
    wanted = undone or Undone()
    undo(runtime, IssueId(issue_id), by=caller.name, act=wanted.number, takes_back=wanted.take_back)
    return issue_now(runtime, issue_id)


@router.post("/issues/{issue_id}/redo", **asks(Right.SHAPE))
def redo_change(
    runtime: TheRuntime, caller: TheCaller, issue_id: Number, redone: Redone | None = None
) -> Issue:
    """Make the change again that this caller took back last."""
    redo(runtime, IssueId(issue_id), by=caller.name, takes_back=redone is not None and redone.take_back)
    return issue_now(runtime, issue_id)
