"""Takeaways changed from an issue, with the version that an editor looked at, and back again."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from digest.domain.articles import Origin
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue
from digest.pipeline.history import history_of
from digest.pipeline.shaping import change_takeaways, redo, undo
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.articles import ArticleId
from digest.store.condensings import Condensing, versions_of
from digest.store.database import reading
from digest.store.items import items_of
from tests.compose.test_steps import Week
from tests.stored import NOW


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    url = engine.url.render_as_string(hide_password=False)
    return Runtime(Settings(database_url=url), clock=lambda: NOW)


@pytest.fixture
def issue(engine: Engine) -> Issue:
    week = Week(engine)
    week.add("tides")
    return week.compose()


@pytest.fixture
def tides(engine: Engine, issue: Issue) -> ArticleId:
    with reading(engine) as session:
        return items_of(session, issue.id)[0].article_id


def held(engine: Engine, article_id: ArticleId) -> Condensing:
    with reading(engine) as session:
        return versions_of(session, article_id).current


def texts(version: Condensing) -> list[str]:
    return [takeaway.text for takeaway in version.condensed.takeaways]


def told(engine: Engine, issue: Issue) -> list[str]:
    with reading(engine) as session:
        return [f"{act.edits[0].by} {act.in_words}" for act in history_of(session, issue.id)]


def test_changed_takeaways_stand_in_the_issues_history_and_are_undone_and_redone_from_there(
    engine: Engine, runtime: Runtime, issue: Issue, tides: ArticleId
) -> None:
    programs = held(engine, tides)
    edited = change_takeaways(
        runtime, issue.id, tides, ["Ours.", *texts(programs)], by="Ada", seen=programs.version
    )
    assert edited.edits[0].before.split("\n") == texts(programs)
    assert texts(held(engine, tides)) == ["Ours.", *texts(programs)]
    assert held(engine, tides).condensed.takeaways[1].origin is not Origin.EDITOR, (
        "what was kept keeps its support"
    )
    undo(runtime, issue.id, by="Ada")
    assert (texts(held(engine, tides)), held(engine, tides).made_by) == (texts(programs), "")
    redo(runtime, issue.id, by="Ada")
    assert texts(held(engine, tides)) == ["Ours.", *texts(programs)]
    assert told(engine, issue) == [
        "Ada changed the takeaways of 'Tides'",
        "Ada took back: changed the takeaways of 'Tides'",
        "Ada made again: changed the takeaways of 'Tides'",
    ]


def test_takeaways_that_another_changed_meanwhile_are_not_overwritten(
    engine: Engine, runtime: Runtime, issue: Issue, tides: ArticleId
) -> None:
    seen = held(engine, tides).version
    change_takeaways(runtime, issue.id, tides, ["Ben's."], by="Ben", seen=seen)
    with pytest.raises(Conflict):
        change_takeaways(runtime, issue.id, tides, ["Ada's."], by="Ada", seen=seen)
    assert texts(held(engine, tides)) == ["Ben's."]
    change_takeaways(runtime, issue.id, tides, [], by="Ada", seen=held(engine, tides).version)
    assert held(engine, tides).made_by == "", "no takeaways hand the article back"
    assert len(told(engine, issue)) == 2


def test_a_name_that_breaks_histories_is_refused(
    engine: Engine, runtime: Runtime, issue: Issue, tides: ArticleId
) -> None:
    with pytest.raises(InvalidInput, match="holds a line break"):
        change_takeaways(runtime, issue.id, tides, ["Ours."], by="A\nB", seen=held(engine, tides).version)
    assert told(engine, issue) == []
