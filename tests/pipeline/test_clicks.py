"""What was followed in an issue's mail, as the command line and programs are told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.domain.clicks import Clicks
from digest.domain.errors import NotFound
from digest.domain.newsletters import NewsletterId
from digest.pipeline.clicks import NamedClicks, clicks_in
from digest.runtime import Runtime
from digest.store.clicks import Hit, count_clicks
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.newsletters import change_newsletter
from digest.store.revisions import get_rendered
from tests.web.conftest import runtime_on
from tests.web.world import NOW, SENDING, populate


@pytest.fixture(scope="module")
def runtime(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    file = shutil.copy(migrated_file, tmp_path_factory.mktemp("clicks") / "digest.db")
    runtime = runtime_on(f"sqlite:///{file}")
    populate(runtime)
    yield runtime
    runtime.engine.dispose()


def test_without_clicks_there_is_nothing_and_it_says_why(runtime: Runtime) -> None:
    found = clicks_in(runtime, SENDING)
    assert (found.are_counted, found.followed, found.articles, found.places) == (False, 0, (), ())
    with pytest.raises(NotFound):
        clicks_in(runtime, 99)


def test_clicks_are_summed_by_article_topic_source_and_place(runtime: Runtime) -> None:
    def hits(position: int, topic: str, source: str, place: int, times: int) -> list[Hit]:
        return [Hit("", SENDING, NOW, position, topic, source, place)] * times

    followed = [
        *hits(2, "climate", "Meridian", 10, 2),
        *hits(2, "climate", "Northlight", 9, 1),
        *hits(0, "space", "Meridian", 0, 4),
    ]
    with writing(runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), clicks=Clicks.COUNTED)
        count_clicks(session, followed, hits(5, "food", "Harbour Post", 3, 6))
    with reading(runtime.engine) as session:
        titles = get_rendered(session, get_issue(session, SENDING)).titles
    found = clicks_in(runtime, SENDING)
    assert (found.are_counted, found.followed, found.left_out) == (True, 7, 6)
    assert [(one.position, one.title, one.followed) for one in found.articles] == [
        (0, titles[0], 4),
        (2, titles[2], 3),
    ]
    assert found.topics == (NamedClicks("space", 4), NamedClicks("climate", 3))
    assert found.sources == (NamedClicks("Meridian", 6), NamedClicks("Northlight", 1))
    assert found.places == (NamedClicks("9", 1), NamedClicks("10", 2)), "from the top of the mail"
