"""Whoever looked before another's change is told what was changed, and overwrites nothing."""

from __future__ import annotations

from typing import Any

import pytest

from digest.store.database import writing
from digest.store.sources import SourceRow
from tests.web.api.conftest import Api, problem
from tests.web.world import NOW

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "/newsletters/saturday": ({"max_items": 11}, {"welcome": False}, "max_items"),
    "/newsletters/saturday/topics/food": ({"name": "Kitchen"}, {"description": "Plates"}, "name"),
    "/sources/1": ({"weight": 2.0}, {"name": "Post"}, "weight"),
    "/schedules/1": ({"window_days": 3}, {"cron": "0 8 * * tue"}, "window_days"),
    "/newsletters/saturday/look": ({"font": "serif"}, {"heading_font": "serif"}, "font"),
}


@pytest.fixture(autouse=True)
def schedule(api: Api) -> None:
    api.call("POST", "/newsletters/saturday/schedules", json={"cron": "0 7 * * mon"})


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_on_top_of_anothers_is_refused_with_what_was_changed(path: str, api: Api) -> None:
    theirs, ours, field = CHANGES[path]
    seen = {"If-Match": api.call("GET", path).headers["etag"]}
    first = api.call("PATCH", path, json=theirs, headers=seen)
    assert first.status_code == 200, first.text
    stands = api.get(path)
    late = api.call("PATCH", path, json=ours, headers=seen)
    assert problem(late, 412, "changed-since").startswith(f"{field} was changed since you looked")
    (wrong,) = late.json()["errors"]
    assert (wrong["where"], str(theirs[field]) in wrong["what"]) == (field, True)
    assert api.get(path) == stands
    again = api.call("PATCH", path, json=ours, headers={"If-Match": first.headers["etag"]})
    assert again.status_code == 200, again.text
    assert api.call("GET", path).headers["etag"] == again.headers["etag"]


def test_a_poll_makes_no_other_version_of_a_source(api: Api) -> None:
    seen = {"If-Match": api.call("GET", "/sources/1").headers["etag"]}
    with writing(api.runtime.engine) as session:
        row = session.get_one(SourceRow, 1)
        row.polled_at, row.failures, row.last_error = NOW, 3, "away"
    assert api.get("/sources/1")["failures"] == 3
    assert api.call("PATCH", "/sources/1", json={"weight": 2.0}, headers=seen).status_code == 200


@pytest.mark.parametrize("tag", ['"x"', "x", '"', "", '"' + "0" * 200 + '"'])
def test_a_tag_of_another_kind_is_taken_for_an_older_version(tag: str, api: Api) -> None:
    late = api.call("PATCH", "/sources/1", json={"weight": 2.0}, headers={"If-Match": tag})
    assert problem(late, 412, "changed-since").startswith("it was changed")


def test_one_of_several_tags_is_enough_and_a_star_is_any(api: Api) -> None:
    tag = api.call("GET", "/sources/1").headers["etag"]
    for match in (f'"x", {tag}', "*"):
        change = {"weight": 2.0 if match == "*" else 3.0}
        assert api.call("PATCH", "/sources/1", json=change, headers={"If-Match": match}).status_code == 200
