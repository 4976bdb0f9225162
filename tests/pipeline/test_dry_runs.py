"""Dry runs as jobs: done once by a worker, on a copy, with what they found kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from digest.domain.dry_runs import DryRun
from digest.domain.errors import Conflict, NotFound, Unavailable
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Schedule
from digest.pipeline import dry_runs as dry_runs_module
from digest.pipeline.dry_runs import ATTEMPTS, LEASE, ask_dry_run, do_dry_runs, dry_runs_due
from digest.pipeline.run import run_newsletter
from digest.pipeline.scheduling import make_schedule
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.dry_runs import KEPT, get_dry_run, last_dry_runs
from digest.store.suppressions import suppress
from digest.store.tables import metadata
from tests.pipeline.press import CLIMATE, SPACE, Clock, Press, flaky, make_newsletter
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, stored_reader


@pytest.fixture
def weekly(engine: Engine, press: Press) -> Newsletter:
    newsletter = make_newsletter(engine, press)
    press.publish("tides", CLIMATE)
    press.publish("rockets", SPACE)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", CLIMATE, SPACE)
    stored_reader(engine, newsletter, "gone@example.org", CLIMATE)
    stored_reader(engine, newsletter, "none@example.org")
    with writing(engine) as session:
        suppress(session, "gone@example.org", reason="bounce", detail="", now=NOW)
    return newsletter


@pytest.fixture
def schedule(weekly: Newsletter, runtime: Runtime) -> Schedule:
    return make_schedule(runtime, weekly.slug, cron="0 7 * * MON", by="Omar")


def rows(engine: Engine) -> Mapping[str, list[tuple[object, ...]]]:
    with reading(engine) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
            if table.name != "dry_runs"
        }


def done(runtime: Runtime, number: int) -> DryRun:
    with reading(runtime.engine) as session:
        return get_dry_run(session, number)


def test_it_says_what_a_run_would_come_to_and_changes_nothing(
    runtime: Runtime, schedule: Schedule, smtp_sink: SmtpSink
) -> None:
    asked = ask_dry_run(runtime, schedule.id, by="Omar")
    assert dry_runs_due(runtime) == (asked.id,)
    before = rows(runtime.engine)
    do_dry_runs(runtime)
    assert rows(runtime.engine) == before
    assert smtp_sink.connections == 0
    told = done(runtime, asked.id)
    assert (told.problem, told.ended_at, dry_runs_due(runtime)) == ("", NOW, ())
    found = told.found
    assert found is not None
    assert found.note == "this is what a run would make of the days as they stand now"
    assert (found.articles, found.stories) == (2, 2)
    assert [(one.source, one.listed, one.new, one.error) for one in found.sources] == [("Press", 2, 2, "")]
    assert found.topics == (("Climate", 1), ("Space", 1))
    assert sorted((one.title, one.source, one.topics) for one in found.items) == [
        ("rockets", "Press", ("Space",)),
        ("tides", "Press", ("Climate",)),
    ]
    assert (found.readers, dict(found.skipped)) == ((1, 1, 0), {"no_topics": 1, "suppressed": 1})
    assert found.checks is not None
    assert found.errors == 0


def test_it_foretells_what_the_run_then_does(
    runtime: Runtime, schedule: Schedule, smtp_sink: SmtpSink
) -> None:
    asked = ask_dry_run(runtime, schedule.id, by="Omar")
    do_dry_runs(runtime)
    run_newsletter(runtime, "weekly", approve_by="Edda")
    found = done(runtime, asked.id).found
    assert found is not None
    assert sum(found.readers) == smtp_sink.count()
    again = ask_dry_run(runtime, schedule.id, by="Omar")
    do_dry_runs(runtime)
    sent = done(runtime, again.id).found
    assert sent is not None
    assert "is sent already: a run would send nothing again" in sent.note
    assert sent.items == ()


def test_an_empty_week_says_why(runtime: Runtime, schedule: Schedule, press: Press) -> None:
    press.status = 503
    asked = ask_dry_run(runtime, schedule.id, by="Omar")
    do_dry_runs(runtime)
    found = done(runtime, asked.id).found
    assert found is not None
    assert "no issue would be made and nobody mailed" in found.note
    assert "answers 503" in found.sources[0].error


def test_what_cannot_be_reached_is_told(runtime: Runtime, schedule: Schedule) -> None:
    asked = ask_dry_run(runtime, schedule.id, by="Omar")
    do_dry_runs(flaky(runtime, Unavailable("the network is away")))
    assert done(runtime, asked.id).problem == "the network is away"


def test_one_is_enough_at_a_time_and_only_the_last_are_kept(
    runtime: Runtime, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        ask_dry_run(runtime, 4711, by="Omar")
    first = ask_dry_run(runtime, schedule.id, by="Omar")
    with pytest.raises(Conflict, match=f"dry run {first.id} of The Weekly is under way"):
        ask_dry_run(runtime, schedule.id, by="Ada")

    def broken(*_: object, **__: object) -> None:
        raise Unavailable("not now")

    monkeypatch.setattr(dry_runs_module, "try_run", broken)
    do_dry_runs(runtime)
    for _ in range(KEPT):
        last = ask_dry_run(runtime, schedule.id, by="Omar")
        do_dry_runs(runtime)
    with pytest.raises(NotFound, match=f"the last {KEPT} of each newsletter are kept"):
        done(runtime, first.id)
    with reading(runtime.engine) as session:
        assert last_dry_runs(session, [schedule.id])[schedule.id].id == last.id


def test_a_worker_that_is_to_stop_gives_it_back(runtime: Runtime, schedule: Schedule) -> None:
    asked = ask_dry_run(runtime, schedule.id, by="Omar")
    do_dry_runs(runtime, should_stop=lambda: True)
    assert dry_runs_due(runtime) == (asked.id,)
    assert done(runtime, asked.id).began_at is None


def test_one_whose_worker_dies_is_taken_up_again_and_given_up_in_the_end(
    runtime: Runtime, schedule: Schedule, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask_dry_run(runtime, schedule.id, by="Omar")

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(dry_runs_module, "try_run", die)
    for _ in range(ATTEMPTS):
        with pytest.raises(SystemExit):
            do_dry_runs(runtime)
        do_dry_runs(runtime)
        assert dry_runs_due(runtime) == (), "another worker lets it be"
        clock.pass_(seconds=(LEASE + timedelta(seconds=1)).total_seconds())
    do_dry_runs(runtime)
    assert f"it was begun {ATTEMPTS} times and never ended" in done(runtime, asked.id).problem
