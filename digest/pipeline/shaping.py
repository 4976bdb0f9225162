"""Shaping an issue, by whoever may: at the desk, by a command or over the API."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from digest.compose.edits import Change, Edited, edit_issue, undo_act
from digest.condense.editing import edit_takeaways, release_takeaways, restore_takeaways
from digest.domain.errors import Conflict
from digest.domain.issues import IssueId
from digest.intake.names import parse_person
from digest.pipeline.history import stack_of
from digest.runtime import Runtime
from digest.store.articles import ArticleId
from digest.store.condensings import Condensing, versions_of
from digest.store.database import reading
from digest.store.edits import About, Edit, Field, edits_of

log = structlog.get_logger(__name__)


def shape_issue(
    runtime: Runtime, issue_id: int, changes: Sequence[Change], *, by: str, takes_back: bool = False
) -> Edited:
    """Make these changes at once, or none, as `edit_issue` does; `InvalidInput` for a name that is none."""
    by = parse_person(by, "the name of who changes it")
    now = runtime.clock()
    edited = edit_issue(runtime.engine, issue_id, changes, by=by, now=now, takes_back=takes_back)
    _log(issue_id, edited.edits)
    return edited


def change_takeaways(
    runtime: Runtime,
    issue_id: int,
    article_id: ArticleId,
    texts: Sequence[str],
    *,
    by: str,
    seen: int,
    takes_back: bool = False,
) -> Edited:
    """Let these be an article's takeaways, on top of its version `seen`; none hands it back to the program.

    Raises `Conflict` when another version has come to hold since, and as `edit_issue` does.
    """
    by = parse_person(by, "the name of who changes them")
    now = runtime.clock()
    before = _told(_current(runtime, article_id))
    # Nothing new yet: refused here is what may not be changed at all, before a version is made.
    edit_issue(runtime.engine, issue_id, (), by=by, now=now, takes_back=takes_back)
    if texts:
        after = edit_takeaways(runtime.engine, article_id, texts, by=by, now=now, made_from=seen)
    else:
        after = release_takeaways(runtime.engine, article_id, by=by, now=now, seen=seen).version
    change = Change(About(Field.TAKEAWAYS, article_id), _told(after), before=before)
    return shape_issue(runtime, issue_id, [change], by=by, takes_back=takes_back)


def undo(
    runtime: Runtime, issue_id: IssueId, *, by: str, act: int | None = None, takes_back: bool = False
) -> Edited:
    """Take back a change, by its number, or `by`'s own last one. Raises `Conflict` when there is none."""
    by = parse_person(by, "the name of who takes it back")
    number = _next(runtime, issue_id, by, redo=False) if act is None else act
    return _undo(runtime, issue_id, number, by=by, takes_back=takes_back)


def redo(runtime: Runtime, issue_id: IssueId, *, by: str, takes_back: bool = False) -> Edited:
    """Make the change again that `by` took back last. Raises `Conflict` when there is none."""
    by = parse_person(by, "the name of who makes it again")
    number = _next(runtime, issue_id, by, redo=True)
    return _undo(runtime, issue_id, number, by=by, takes_back=takes_back)


def _next(runtime: Runtime, issue_id: IssueId, by: str, *, redo: bool) -> int:
    with reading(runtime.engine) as session:
        stack = stack_of(edits_of(session, issue_id), by)
    number = stack.redo if redo else stack.undo
    if number is None:
        what = "took nothing back" if redo else "changed nothing"
        raise Conflict(
            f"{by} {what} in issue {issue_id}: 'digest issue history {issue_id}' numbers all changes"
        )
    return number


def _undo(runtime: Runtime, issue_id: IssueId, number: int, *, by: str, takes_back: bool) -> Edited:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        made = [edit for edit in edits_of(session, issue_id) if edit.act == number]
    edited = undo_act(runtime.engine, issue_id, number, by=by, now=now, takes_back=takes_back)
    for edit in made:
        if edit.about.field is Field.TAKEAWAYS and edit.about.article_id is not None:
            _back_to(runtime, edit.about.article_id, edit.before, by=by)
    _log(issue_id, edited.edits)
    return edited


def _back_to(runtime: Runtime, article_id: ArticleId, told: str, *, by: str) -> None:
    """Let the version hold that says this, the program's own where it does."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        versions = versions_of(session, article_id)
    seen = versions.current.version
    found = next((one for one in reversed(versions.kept) if _told(one) == told), None)
    if found is None:
        edit_takeaways(runtime.engine, article_id, told.split("\n"), by=by, now=now, made_from=seen)
    elif not found.made_by:
        release_takeaways(runtime.engine, article_id, by=by, now=now, seen=seen)
    else:
        restore_takeaways(runtime.engine, article_id, found.version, by=by, now=now, seen=seen)


def _current(runtime: Runtime, article_id: ArticleId) -> Condensing:
    with reading(runtime.engine) as session:
        return versions_of(session, article_id).current


def _told(version: Condensing) -> str:
    return "\n".join(takeaway.text for takeaway in version.condensed.takeaways)


def _log(issue_id: int, edits: Sequence[Edit]) -> None:
    for edit in edits:
        log.info(
            "issue.edited",
            issue=issue_id,
            field=edit.about.field.value,
            article=edit.about.article_id,
            by=edit.by,
            undoes=edit.undoes,
        )
