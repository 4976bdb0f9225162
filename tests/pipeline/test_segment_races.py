"""An approval is of whom the issue was for when it was looked at, also while somebody changes the segment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import Engine

from digest.compose.edits import Change, edit_issue
from digest.compose.steps import pieces_of
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueState
from digest.pipeline import approval
from digest.pipeline.approval import Changed, approve_issue
from digest.pipeline.managing import segments
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issue_segments import limits_of
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.segments import change_segment, get_segment
from tests.pipeline.press import CLIMATE, Press, make_newsletter
from tests.pipeline.test_preflight import compose_week
from tests.stored import NOW, stored_reader


@pytest.fixture
def draft(engine: Engine, runtime: Runtime, press: Press) -> Issue:
    """A draft that is for newcomers alone."""
    newsletter = make_newsletter(engine, press)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    segments.add(runtime, newsletter.slug, {"slug": "new", "query": "days:<9"}, by="Ada")
    draft = compose_week(engine, press, newsletter, tides=CLIMATE)
    edit_issue(engine, draft.id, [Change(About(Field.ONLY), "new")], by="Ada", now=NOW)
    return draft


def asked(engine: Engine, draft: Issue) -> tuple[IssueState, str]:
    with reading(engine) as session:
        issue = get_issue(session, draft.id)
        only = limits_of(session, issue).only
    assert only
    return issue.state, only.query


def change(runtime: Runtime, draft: Issue, query: str = "days:<90") -> bool:
    with reading(runtime.engine) as session:
        slug = newsletter_by_id(session, draft.newsletter_id).slug
    return segments.change(runtime, slug, "new", lambda _: {"query": query}, by="Ben")


def test_a_question_that_changed_since_it_was_looked_at_is_looked_at_again(
    engine: Engine, runtime: Runtime, draft: Issue
) -> None:
    seen = pieces_of(engine, draft.id, template_of=runtime.template).content_hash
    change(runtime, draft)
    with pytest.raises(Changed, match="was changed since you looked at it"):
        approve_issue(runtime, draft.id, by="Ben", seen=seen)
    assert asked(engine, draft) == (IssueState.DRAFT, "days:<90")


def test_nobody_changes_the_question_while_it_is_approved(
    engine: Engine, runtime: Runtime, draft: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change begins once the approval has looked at the question, and before the approval is there."""
    has_looked, was_asked = Event(), Event()

    def slowly(*args: object, **kwargs: object) -> None:
        has_looked.set()
        # As long as a change takes that waits for nobody; one that waits cannot end before this does.
        was_asked.wait(0.5)

    monkeypatch.setattr(approval, "record", slowly)
    seen = pieces_of(engine, draft.id, template_of=runtime.template).content_hash

    def change_meanwhile() -> None:
        assert has_looked.wait(30)
        try:
            change(runtime, draft)
        finally:
            was_asked.set()

    with ThreadPoolExecutor(2) as threads:
        changing = threads.submit(change_meanwhile)
        approve_issue(runtime, draft.id, by="Ben", seen=seen)
        with pytest.raises(Conflict, match=f"issue {draft.id} names the segment 'new'"):
            changing.result()
    assert asked(engine, draft) == (IssueState.APPROVED, "days:<9")


def test_no_issue_is_limited_by_a_question_that_is_changed_meanwhile_to_who_reads(
    engine: Engine, runtime: Runtime, draft: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draft names it once the change has found no draft that does, and before the change is there."""
    edit_issue(engine, draft.id, [Change(About(Field.ONLY), "")], by="Ada", now=NOW)
    has_looked, was_named = Event(), Event()

    def slowly(*args: object, **kwargs: object) -> None:
        has_looked.set()
        was_named.wait(0.5)

    monkeypatch.setattr(segments, "record", slowly)

    def name_meanwhile() -> None:
        assert has_looked.wait(30)
        try:
            edit_issue(engine, draft.id, [Change(About(Field.ONLY), "new")], by="Ada", now=NOW)
        finally:
            was_named.set()

    with ThreadPoolExecutor(2) as threads:
        naming = threads.submit(name_meanwhile)
        change(runtime, draft, "opened:<9")
        with pytest.raises(InvalidInput, match="an issue cannot be for it alone"):
            naming.result()


def test_no_approval_is_of_a_limit_that_none_can_be(engine: Engine, runtime: Runtime, draft: Issue) -> None:
    """Without a question held while it was named, or by an undo, a draft can come to be so."""
    with writing(engine) as session:
        segment = get_segment(session, draft.newsletter_id, "new")
        change_segment(session, segment.id, name="New", query="NOT opened:<9")
    with pytest.raises(Conflict, match="an issue cannot be for it alone"):
        approve_issue(runtime, draft.id, by="Ben")
    assert asked(engine, draft) == (IssueState.DRAFT, "NOT opened:<9")


def test_nobody_approves_while_the_question_is_changed(
    engine: Engine, runtime: Runtime, draft: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The approval begins once the change has found no approved issue, and before it is there."""
    has_looked, was_approved = Event(), Event()

    def slowly(*args: object, **kwargs: object) -> None:
        has_looked.set()
        was_approved.wait(0.5)

    monkeypatch.setattr(segments, "record", slowly)
    seen = pieces_of(engine, draft.id, template_of=runtime.template).content_hash

    def approve_meanwhile() -> None:
        assert has_looked.wait(30)
        try:
            approve_issue(runtime, draft.id, by="Ben", seen=seen)
        finally:
            was_approved.set()

    with ThreadPoolExecutor(2) as threads:
        approving = threads.submit(approve_meanwhile)
        change(runtime, draft)
        with pytest.raises(Changed):
            approving.result()
    assert asked(engine, draft) == (IssueState.DRAFT, "days:<90")
