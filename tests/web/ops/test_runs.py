"""Runs in the ops room: what needs a person, stage by stage, tried again, settled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.domain.accounts import Role
from digest.domain.schedules import OccurrenceState, Stage
from digest.pipeline.control import hold
from digest.store.database import reading, writing
from digest.store.ordered_runs import begin_anew
from digest.store.schedules import claim_occurrence, get_occurrence
from digest.store.stage_runs import begin_stage
from digest.web.ops.times import away, span
from tests.web.ops.reading import buttons, follow, read, text_of
from tests.web.ops.world import FAILED, MISSED, REASON, WAITING
from tests.web.site import Site
from tests.web.world import NOW


def test_the_first_page_says_what_needs_a_person_what_goes_on_and_what_comes(ops: Site) -> None:
    told = read(ops, "/ops")
    assert (
        told.index("Missed, held for you") < told.index("Failed · Compose") < told.index("Waits for approval")
    )
    assert "The Saturday Reader Issue 1 · 16–22 November 2026 Going out" in told
    assert "Monday 30 November 2026, 07:00 CET in 6 days 23 h" in told
    assert buttons(ops, "/ops") == {"Run it now", "Leave it out", "Try “Compose” again", "Hold everything"}
    with ops.seen_by(Role.EDITOR) as editor:
        assert buttons(editor, "/ops") == set()


def test_where_all_is_well_the_first_page_says_so(site: Site, empty_site: Site) -> None:
    assert "Nothing needs you: no run was missed or has failed" in read(site, "/ops")
    assert "There is no newsletter. The desk says how to make the first one" in read(empty_site, "/ops")


def test_what_holds_everything_stands_first(ops: Site) -> None:
    hold(ops.runtime, by="Ada", why="the address is being moved")
    assert "Needs you Everything is held by Ada: the address is being moved." in read(ops, "/ops")


def test_a_run_tells_what_each_stage_came_to_and_how_long_it_took(ops: Site) -> None:
    told = read(ops, f"/ops/runs/{FAILED}")
    assert "Gather Done 2026-11-21 07:00:00 UTC · 41 s 14 articles" in told
    assert f"Compose Failed 2026-11-21 07:01:22 UTC · 41 s {REASON}" in told
    assert "Took 2 min 3 s" in told
    assert f"run={FAILED}" in told
    assert "There is no run 99." in read(ops, "/ops/runs/99", 404)


def test_a_stage_under_way_and_one_whose_worker_ended_are_told_apart(ops: Site) -> None:
    with writing(ops.runtime.engine) as session:
        run = get_occurrence(session, FAILED)
        begin_anew(session, run, stage=Stage.GATHER, due_at=run.due_at, note="")
        begin_stage(session, FAILED, Stage.GATHER, attempt=1, now=NOW - timedelta(minutes=9))
        begin_stage(session, FAILED, Stage.GATHER, attempt=2, now=NOW - timedelta(seconds=20))
        claim_occurrence(session, FAILED, now=NOW, lease_until=NOW + timedelta(minutes=5))
    told = read(ops, f"/ops/runs/{FAILED}")
    assert "Gather Its worker ended 2026-11-23 06:51:00 UTC" in told
    assert "Gather attempt 2 Under way 2026-11-23 06:59:40 UTC · 20 s so far" in told


def test_a_run_that_failed_is_tried_again_from_the_stage_that_is_chosen(ops: Site) -> None:
    told = follow(ops, f"/ops/runs/{FAILED}/retry", stage="gather")
    assert "The run goes on where it stopped." in told
    assert "tried again by Omar Haddad" in told
    with reading(ops.runtime.engine) as session:
        run = get_occurrence(session, FAILED)
    assert (run.state, run.stage) == (OccurrenceState.RUNNING, Stage.GATHER)
    again = ops.submit(f"/ops/runs/{FAILED}/retry")
    assert again.status_code == 409
    assert "only one that failed can be tried again" in text_of(again.text)
    assert ops.submit(f"/ops/runs/{WAITING}/retry", stage="bake").status_code == 422


@pytest.mark.parametrize(
    ("choice", "state", "words"),
    [
        ("run", OccurrenceState.RUNNING, "The missed run is on its way."),
        ("skip", OccurrenceState.SKIPPED, "The missed run is left out."),
    ],
)
def test_a_missed_run_is_settled_once(choice: str, state: OccurrenceState, words: str, ops: Site) -> None:
    assert ops.submit(f"/ops/runs/{MISSED}/settle").status_code == 422
    assert words in follow(ops, f"/ops/runs/{MISSED}/settle", choice=choice)
    with reading(ops.runtime.engine) as session:
        assert get_occurrence(session, MISSED).state is state
    assert ops.submit(f"/ops/runs/{MISSED}/settle", choice="run").status_code == 404


def test_runs_are_listed_by_state_and_page_by_page(ops: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.web.ops.run_views.PAGE", 2)
    first = ops.get("/ops/runs").text
    assert f'href="/ops/runs/{WAITING}"' in first
    assert f'href="/ops/runs/{FAILED}"' not in first
    assert f"/ops/runs?before={MISSED}" in first
    earlier = ops.get(f"/ops/runs?before={MISSED}").text
    assert f'href="/ops/runs/{FAILED}"' in earlier
    assert "Earlier runs" not in earlier
    failed = ops.get("/ops/runs?state=failed").text
    assert f'href="/ops/runs/{FAILED}"' in failed
    assert f'href="/ops/runs/{WAITING}"' not in failed
    assert "No run is “done”." in read(ops, "/ops/runs?state=done")
    assert "runs are in no state 'odd'" in read(ops, "/ops/runs?state=odd", 422)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.44, "0.4 s"), (12, "12 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (273_600, "3 days 4 h")],
)
def test_spans_are_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_a_moment_is_told_by_how_far_off_it_is() -> None:
    assert away(NOW + timedelta(hours=2), NOW) == "in 2 h"
    assert away(NOW - timedelta(minutes=5), NOW) == "5 min ago"
    assert away(NOW + timedelta(seconds=3), NOW) == "now"
