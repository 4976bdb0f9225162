"""Dry runs in the ops room: asked for beside a schedule, watched, and shown with what they found."""

from __future__ import annotations

from digest.domain.accounts import Role
from digest.store.database import reading, writing
from digest.store.dry_runs import DryRunRow, end_dry_run, pending_dry_runs
from tests.web.ops.reading import buttons, follow, read, text_of
from tests.web.ops.world import WEEKLY
from tests.web.site import Site
from tests.web.world import NOW

TRY, LAST = f"/ops/schedules/{WEEKLY}/try", "/ops/dry-runs/1"


def test_what_a_run_would_come_to_is_shown(ops: Site) -> None:
    told = read(ops, LAST)
    assert "The Saturday Reader, 16–22 November 2026" in told
    assert "Omar Haddad asked for it on Monday 23 November 2026, 07:57 CET" in told
    assert "It ended 2 min ago and took 1 min." in told
    assert "articles of these days 14 stories they tell 9 articles in the issue 2" in told
    assert "3 readers of 6 would get it How much of it 1 article 2 66.7 % 2 to 5 articles 1 33.3 %" in told
    assert "Who gets nothing, and why" in told
    assert "1 warning in 2 editions for 3 readers" in told
    assert "Tidal turbines for the strait Harbour Herald · Climate & energy · 3 takeaways" in told
    assert "5 articles an earlier issue carried its story" in told
    assert "Kettle & Cloud 0 listed, 0 new" in told
    assert "Tried 3 min ago. What the dry run found" in read(ops, "/ops/schedules")


def test_one_is_asked_for_watched_and_ended(ops: Site) -> None:
    assert "Try it now" in buttons(ops, "/ops/schedules")
    told = follow(ops, TRY)
    assert "The dry run is asked for. Nothing is sent and nothing changed by it." in told
    assert "It waits for a worker, which takes it up within seconds when one is there." in told
    with reading(ops.runtime.engine) as session:
        (number,) = pending_dry_runs(session, now=NOW)
    path = f"/ops/dry-runs/{number}"
    assert f'hx-get="{path}/state" hx-trigger="every 2s"' in ops.get(path).text
    again = ops.submit(TRY)
    assert again.status_code == 409
    assert f"ry run {number} of The Saturday Reader is under way" in text_of(again.text)
    with writing(ops.runtime.engine) as session:
        end_dry_run(session, number, found=None, problem="the network is away", now=NOW)
    state = ops.get(f"{path}/state").text
    assert "The network is away. Nothing was sent and nothing changed." in text_of(state)
    assert "hx-get" not in state
    assert ops.get("/ops/dry-runs/99").status_code == 404


def test_who_may_only_look_asks_for_none(ops: Site) -> None:
    with ops.seen_by(Role.VIEWER) as viewer:
        assert "Try it now" not in buttons(viewer, "/ops/schedules")
        assert viewer.submit(TRY).status_code == 403
        assert "would get it" in read(viewer, LAST)
    with reading(ops.runtime.engine) as session:
        assert session.get(DryRunRow, 2) is None
