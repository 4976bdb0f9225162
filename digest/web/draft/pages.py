"""The pages of a draft: the board of its articles, one article, its history; and what their forms change."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Header, Path, Response
from fastapi.responses import RedirectResponse

from digest.compose.edits import Change, ChangedMeanwhile, mark_of
from digest.domain.accounts import Actor, Right
from digest.domain.errors import Conflict, DigestError, InvalidInput, NotFound, Refused, Unavailable
from digest.domain.topics import TopicSlug
from digest.pipeline.adding import add_to_issue
from digest.pipeline.drafts import Draft, draft_of, held_of, left_out_of
from digest.pipeline.history import history_of
from digest.pipeline.shaping import change_takeaways, redo, shape_issue, undo
from digest.runtime import Runtime
from digest.store.articles import ArticleId
from digest.store.condensings import Versions, versions_of
from digest.store.database import reading
from digest.store.edits import LIMITS, OF_THE_ISSUE, About, Field, edits_of
from digest.store.issues import get_issue
from digest.web.access import TheActor, needs
from digest.web.coming import course_of
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.draft import showing
from digest.web.draft.moving import Do, changes_of
from digest.web.draft.views import FieldView, MergeView
from digest.web.templating import Pages

router = APIRouter(prefix="/issues/{issue_id}/draft", dependencies=[needs(Right.LOOK)])
_shaping = [needs(Right.SHAPE)]

# Larger numbers do not fit the column, and PostgreSQL would call them an error.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Given = Annotated[str, Form()]
Neighbour = Annotated[int, Form(ge=0, le=2**31 - 1)]
IsPart = Annotated[bool, Header(alias="HX-Request")]
"""Whether htmx asks, which puts a part of the page in place, or a browser, which wants a whole one."""
TakesBack = Annotated[bool, Form()]

_WRITTEN = (*OF_THE_ISSUE, Field.HEADLINE, Field.TOPIC, Field.TAKEAWAYS)
"""What is typed or chosen; the rest is done by buttons."""


@router.api_route("", methods=READ)
def draft(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number, is_part: IsPart = False
) -> Response:
    """Show a draft to be shaped, or its board alone; what is on its way is shown as an issue."""
    found = _draft(runtime, issue_id)
    if found.issue.state not in showing.CHANGEABLE:
        return RedirectResponse(f"{pages.base}/issues/{issue_id}", HTTPStatus.SEE_OTHER)
    head, board = showing.head_of(found, actor), showing.board_of(found, actor)
    if is_part:
        return pages.desk("draft/board.html", issue=head, board=board)
    with reading(runtime.engine) as session:
        course = course_of(session, found.issue, found.newsletter, now=runtime.clock())
    return pages.desk(
        "draft/page.html",
        issue=head,
        board=board,
        texts=showing.texts_of(found),
        limits=showing.limits_of(found),
        course=course,
        subjects=found.subjects,
    )


@router.api_route("/news", methods=READ)
def news(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number, since: int = 0, held: str = ""
) -> Response:
    """Say what others changed since; nothing to say is 204, which leaves the page as it is."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        new = [edit for edit in edits_of(session, issue.id) if edit.number > since]
        ids = held_of(session, issue.id)
    others = sorted({edit.by for edit in new if edit.by != actor.name})
    is_filled = not new and mark_of(",".join(map(str, ids))) != held
    if not others and not is_filled:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    words = (
        f"{' and '.join(others)} changed something."
        if others
        else "The articles have changed: new ones came in."
    )
    return pages.desk("draft/news.html", issue_id=issue_id, words=words)


@router.api_route("/history", methods=READ)
def history(runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number) -> Response:
    """Show who changed what, newest first."""
    found = _draft(runtime, issue_id)
    with reading(runtime.engine) as session:
        titles = {
            edit.about.article_id: act.title
            for act in history_of(session, found.issue.id)
            for edit in act.edits[:1]
        }
    head = showing.head_of(found, actor)
    acts = showing.history_of(found, titles, can_shape=head.can_shape)
    return pages.desk("draft/history.html", issue=head, acts=acts)


@router.api_route("/others", methods=READ)
def others(runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number) -> Response:
    """Show what is not in the draft, and why, to be pinned; and take in an article by its address."""
    return _others(runtime, pages, actor, issue_id)


def _others(
    runtime: Runtime,
    pages: Pages,
    actor: Actor,
    issue_id: int,
    *,
    problem: DigestError | None = None,
    url: str = "",
    topic: str = "",
) -> Response:
    """Show what is not in the draft; with a `problem` why the address that was typed was not taken."""
    found = _draft(runtime, issue_id)
    view = showing.others_of(found, left_out_of(runtime.engine, issue_id))
    said = str(problem) if problem else ""
    return pages.desk(
        "draft/others.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        issue=showing.head_of(found, actor),
        others=view,
        problem=said[:1].upper() + said[1:],
        url=url[:2048],
        chosen=topic,
    )


@router.post("/articles", dependencies=_shaping)
def add(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    url: Given = "",
    topic: Given = "",
    takes_back: TakesBack = False,
) -> Response:
    """Take in an article by its address, whenever it was published."""
    try:
        added = add_to_issue(
            runtime, issue_id, url.strip(), topic=topic, by=actor.name, takes_back=takes_back
        )
    except (NotFound, Conflict):
        raise
    except (InvalidInput, Refused, Unavailable) as exc:
        return _others(runtime, pages, actor, issue_id, problem=exc, url=url, topic=topic)
    if added.is_in:
        return _back(pages, f"/issues/{issue_id}/draft#article-{added.id}")
    found = _draft(runtime, issue_id)
    return pages.desk("draft/added.html", issue=showing.head_of(found, actor), title=added.title)


@router.api_route("/articles/{article_id}", methods=READ)
def article(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, issue_id: Number, article_id: Number
) -> Response:
    """Show an article to work on: its headline, topic and takeaways, and where each is from."""
    found = _draft(runtime, issue_id)
    item = found.get(article_id)
    view = showing.article_of(found, item, _versions(runtime, item.id))
    return pages.desk("draft/article.html", issue=showing.head_of(found, actor), article=view)


@router.post("/articles/{article_id}", dependencies=_shaping)
def act(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    article_id: Number,
    do: Annotated[Do, Form()],
    seen: Given = "",
    after: Neighbour = 0,
    before: Neighbour = 0,
    topic: Given = "",
    takes_back: TakesBack = False,
    is_part: IsPart = False,
) -> Response:
    """Do what a button of an article says."""
    found, number = _draft(runtime, issue_id), ArticleId(article_id)
    changes = changes_of(found, do, number, seen=seen or None, after=after, before=before, topic=topic)
    try:
        edited = shape_issue(runtime, issue_id, changes, by=actor.name, takes_back=takes_back)
    except ChangedMeanwhile as exc:
        if not is_part:
            raise
        said = f"{exc}: the articles are shown as they are now."
        return _board(runtime, pages, actor, issue_id, said=said, status=HTTPStatus.CONFLICT)
    if is_part:
        return _board(runtime, pages, actor, issue_id, done=showing.done(found, edited.edits))
    there = f"#article-{article_id}" if do not in (Do.DROP, Do.LEAD) else ""
    return _back(pages, f"/issues/{issue_id}/draft{there}")


@router.post("/undo", dependencies=_shaping)
def step(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    do: Given = "undo",
    number: Neighbour = 0,
    way: Given = "draft",
    takes_back: TakesBack = False,
    is_part: IsPart = False,
) -> Response:
    """Take a change back, by its number or one's own last, or make again what was taken back."""
    found = _draft(runtime, issue_id)
    issue = found.issue
    if do == "redo":
        edited = redo(runtime, issue.id, by=actor.name, takes_back=takes_back)
    else:
        edited = undo(runtime, issue.id, by=actor.name, act=number or None, takes_back=takes_back)
    if not is_part:
        return _back(pages, f"/issues/{issue_id}/draft" + ("/history" if way == "history" else ""))
    answer = _board(runtime, pages, actor, issue_id, done=showing.done(found, edited.edits))
    if any(edit.about.field in OF_THE_ISSUE for edit in edited.edits):
        # The texts stand beside the board: the whole page shows what they are now.
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.post("/fields/{field}", dependencies=_shaping)
def write(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    issue_id: Number,
    field: Field,
    to: Given = "",
    seen: Given = "",
    over: Given = "",
    article_id: Annotated[int, Form(alias="article", ge=0, le=2**31 - 1)] = 0,
    takes_back: TakesBack = False,
    is_part: IsPart = False,
) -> Response:
    """Keep what was written. `over` is the mark of another's text that is to be replaced all the same."""
    found = _draft(runtime, issue_id)
    about = About(field, ArticleId(article_id) if article_id else None)
    if field not in _WRITTEN or (about.article_id is None) is not (field in OF_THE_ISSUE):
        raise InvalidInput(f"the {field} is not of this; nothing was changed")
    to = _written(found, about, to)
    change = Change(about, to, seen=over or seen or None)
    try:
        if field is Field.TAKEAWAYS:
            _write_takeaways(runtime, found, change, by=actor.name, takes_back=takes_back)
        else:
            shape_issue(runtime, issue_id, [change], by=actor.name, takes_back=takes_back)
    except ChangedMeanwhile as exc:
        now_found = _draft(runtime, issue_id)
        return _merge(pages, now_found, actor, exc, is_part=is_part)
    if is_part:
        now_found = _draft(runtime, issue_id)
        head, view = showing.head_of(now_found, actor), _field(now_found, about)
        bar = showing.bar_of(now_found, actor)
        return pages.desk("draft/saved.html", issue=head, field=view, bar=bar)
    there = f"/articles/{article_id}" if article_id else ""
    return _back(pages, f"/issues/{issue_id}/draft{there}")


def _written(found: Draft, about: About, to: str) -> str:
    """Return what was typed as it is kept: on one line where it is one, the publisher's own as nothing."""
    if about.field in (Field.INTRO, Field.TAKEAWAYS):
        # No text, and PostgreSQL takes none: pasted with it from elsewhere.
        to = to.replace("\x00", "")
    if about.field is Field.INTRO:
        return to.replace("\r\n", "\n").strip()
    if about.field is Field.TAKEAWAYS:
        return "\n".join(filter(None, (" ".join(line.split()) for line in to.splitlines())))
    to = " ".join(to.split())
    if about.article_id is None:
        return to
    candidate = found.get(about.article_id).candidate
    if about.field is Field.HEADLINE and to == candidate.stored.article.title:
        return ""
    if about.field is Field.TOPIC and candidate.topics and TopicSlug(to) == candidate.topics[0].slug:
        return ""
    return to


def _write_takeaways(runtime: Runtime, found: Draft, change: Change, *, by: str, takes_back: bool) -> None:
    assert change.about.article_id is not None
    item = found.get(change.about.article_id)
    current = showing.takeaways_of(item)
    if change.to == current.value:
        return
    if change.seen and change.seen != current.seen:
        log = [edit for edit in found.edits if edit.about == change.about]
        raise ChangedMeanwhile(change, current=current.value, edit=log[-1] if log else None)
    versions = _versions(runtime, item.id)
    if versions is None:
        raise NotFound(f"article {item.id} was not condensed yet: it can be edited in a few minutes")
    change_takeaways(
        runtime,
        found.issue.id,
        item.id,
        change.to.split("\n") if change.to else (),
        by=by,
        seen=versions.current.version,
        takes_back=takes_back,
    )


def _merge(
    pages: ThePages, found: Draft, actor: TheActor, refused: ChangedMeanwhile, *, is_part: bool
) -> Response:
    """Show what both wrote, for the second to choose; nothing of theirs is lost."""
    edit = refused.edit
    merge = MergeView(
        field=_field(found, refused.change.about, value=refused.change.to),
        by=edit.by if edit else "Somebody",
        at=showing.moment(edit.at) if edit else "",
        theirs=refused.current,
        mark_of_theirs=mark_of(refused.current),
    )
    page = "draft/merge.html" if is_part else "draft/merge_page.html"
    head = showing.head_of(found, actor)
    return pages.desk(page, status=HTTPStatus.CONFLICT, issue=head, merge=merge)


def _field(found: Draft, about: About, *, value: str | None = None) -> FieldView:
    """Return a field as it is now, or with another `value` in it."""
    if about.article_id is None:
        view = (showing.limit_of if about.field in LIMITS else showing.text_of)(found, about.field)
    else:
        item = found.get(about.article_id)
        view = {
            Field.HEADLINE: lambda: showing.headline_of(found, item),
            Field.TAKEAWAYS: lambda: showing.takeaways_of(item),
            Field.TOPIC: lambda: showing.topic_of(found, item),
        }[about.field]()
    return view if value is None else showing.with_value(view, value)


def _board(
    runtime: Runtime,
    pages: ThePages,
    actor: TheActor,
    issue_id: int,
    *,
    said: str = "",
    done: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    found = _draft(runtime, issue_id)
    head, board = showing.head_of(found, actor), showing.board_of(found, actor)
    return pages.desk("draft/board.html", status=status, issue=head, board=board, said=said, done=done)


def _draft(runtime: Runtime, issue_id: int) -> Draft:
    with reading(runtime.engine) as session:
        return draft_of(session, issue_id)


def _versions(runtime: Runtime, article_id: ArticleId) -> Versions | None:
    with reading(runtime.engine) as session:
        try:
            return versions_of(session, article_id)
        except NotFound:
            return None


def _back(pages: ThePages, path: str) -> Response:
    return RedirectResponse(pages.base + path, HTTPStatus.SEE_OTHER)
