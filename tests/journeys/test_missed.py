"""Nobody was at work when an issue was due: it is held for a person, who sends it late or leaves it out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from digest.domain.accounts import Role
from digest.domain.issues import IssueState
from digest.domain.sources import SourceState
from digest.pipeline.scheduled import advance, due_occurrences, unattended_runs
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.sign_ins import SignInRow
from digest.store.sources import SourceRow
from tests.journeys.person import signed_in
from tests.servers.browser import ChromiumBrowser
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.world import ADA, BEN, DRAFT, NOW


@dataclass(slots=True)
class Clock:
    """The time it is for the pages and for the worker."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Week:
    """The pages of the sample newsletter, the clock on the wall, and a worker that is called."""

    site: Site
    clock: Clock

    def becomes(self, now: datetime) -> None:
        """Let time pass; whoever is signed in stays so."""
        self.clock.now = now
        with writing(self.site.runtime.engine) as session:
            session.execute(update(SignInRow).values(seen_at=now, ends_at=now + timedelta(days=1)))

    def work(self) -> None:
        """Do what is due, as the worker's tasks would, until nothing is left to do."""
        # In a thread of its own: the browser keeps an event loop in this one.
        worker = Thread(target=self._work)
        worker.start()
        worker.join()

    def _work(self) -> None:
        runtime = self.site.runtime
        due_occurrences(runtime)
        for run in unattended_runs(runtime):
            while advance(runtime, run):
                pass
        for issue in open_issues(runtime):
            send_for_a_while(runtime, issue)


@pytest.fixture
def week(filled_database: Path, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Week]:
    """Monday the 23rd at seven; what was going out is gone, and its sources say nothing new."""
    file, port, clock = shutil.copy(filled_database, tmp_path / "week.db"), free_port(), Clock()
    settings = runtime_on(f"sqlite:///{file}", port, mail_url=smtp_sink.url).settings
    runtime = Runtime(settings, clock=clock)
    with writing(runtime.engine) as session:
        session.execute(update(SourceRow).values(state=SourceState.PAUSED))
    with serving(runtime, port) as site:
        week = Week(site, clock)
        week.work()
        yield week
    runtime.engine.dispose()


def state_of(site: Site) -> IssueState:
    with reading(site.runtime.engine) as session:
        return get_issue(session, DRAFT).state


def test_a_missed_issue_is_sent_late_and_the_next_one_left_out(
    week: Week, browser: ChromiumBrowser, smtp_sink: SmtpSink
) -> None:
    assert smtp_sink.copies() == {ADA: 1, BEN: 1}, "the issue before"
    with signed_in(browser, week.site, Role.OPS) as omar:
        omar.opens("/ops")
        omar.comes_to("Ops room")
        omar.follows("Make a schedule")
        omar.comes_to("New schedule")
        omar.presses("Make the schedule")
        omar.comes_to("Schedules")
        omar.reads("Every Monday at 07:00")

        week.becomes(datetime(2026, 11, 30, 16, 20, tzinfo=UTC))
        week.work()
        assert state_of(week.site) is IssueState.DRAFT, "nothing goes out by itself nine hours late"
        omar.follows("Ops")
        omar.comes_to("Ops room")
        omar.reads("found 9 h late")
        omar.presses("Run it now")
        omar.reads("The missed run is on its way")
        week.work()
        omar.opens("/ops")
        omar.reads("Waits for approval")

    with signed_in(browser, week.site, Role.EDITOR) as edith:
        edith.opens("/")
        edith.reads("waits for approval, with 3 articles")
        edith.follows("Shape it")
        edith.comes_to("Draft of 23–29 November 2026")
        edith.follows("Preview as a reader")
        edith.comes_to("Preview – 23–29 November 2026")
        edith.presses("Approve what is shown")
        edith.reads("what you saw is what is sent")
    week.work()
    assert state_of(week.site) is IssueState.SENT
    assert smtp_sink.copies() == {ADA: 2, BEN: 2}

    with signed_in(browser, week.site, Role.OPS, width=375) as omar:
        week.becomes(datetime(2026, 12, 7, 15, 20, tzinfo=UTC))
        week.work()
        omar.opens("/ops")
        omar.reads("found 8 h late")
        omar.presses("Leave it out")
        omar.comes_to("Run 2")
        omar.follows("Now")
        omar.reads("Nothing needs you")
        omar.follows("Runs")
        omar.reads("Left out")
        expect(omar.page.get_by_role("button", name="Run it now")).to_have_count(0)
    week.work()
    assert smtp_sink.copies() == {ADA: 2, BEN: 2}, "what was left out is not sent"
