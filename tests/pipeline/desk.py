"""A newsletter whose issue is due on Monday, as it stands on the Thursday before, and its worker."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, update

from digest.compose.steps import compose
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Occurrence, Schedule
from digest.domain.sources import SourceState
from digest.pipeline.approval import approve_issue
from digest.pipeline.hours import Course, hour_of, leaves_in_words, would_leave_in_words
from digest.pipeline.scheduled import advance, due_occurrences
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.schedules import add_schedule, list_occurrences, list_schedules
from digest.store.sources import SourceRow
from tests.pipeline.press import Clock
from tests.stored import (
    CLIMATE,
    NOW,
    WINDOW,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_reader,
    stored_source,
)

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
HOUR = NOW
"""Monday at seven, when the issue of `WINDOW` is due."""


class Desk:
    """A newsletter that is due on Monday, its draft on the Thursday before, and a worker."""

    def __init__(self, engine: Engine, runtime: Runtime, clock: Clock) -> None:
        self.engine, self.runtime, self.clock = engine, runtime, clock
        clock.now = THURSDAY
        self.newsletter: Newsletter = stored_newsletter(engine, timezone="UTC")
        source = stored_source(engine, self.newsletter, "Meridian")
        stored_article(engine, self.newsletter, source, sample_article("tides"))
        with writing(engine) as session:
            session.execute(update(SourceRow).values(state=SourceState.PAUSED))
        stored_reader(engine, self.newsletter, "anna@example.org", CLIMATE)
        self.add_schedule()
        draft = compose(engine, self.newsletter, WINDOW, now=THURSDAY).issue
        assert draft
        self.number = draft.id

    def add_schedule(self, due: datetime = HOUR, cron: str = "0 7 * * MON", timezone: str = "UTC") -> None:
        with writing(self.engine) as session:
            add_schedule(
                session,
                self.newsletter.id,
                cron=cron,
                timezone=timezone,
                window_days=7,
                next_due=due,
                now=THURSDAY,
            )

    def approve(self) -> Issue:
        return approve_issue(self.runtime, self.number, by="Edda")

    @property
    def issue(self) -> Issue:
        with reading(self.engine) as session:
            return get_issue(session, self.number)

    @property
    def schedule(self) -> Schedule:
        with reading(self.engine) as session:
            return list_schedules(session)[0]

    @property
    def run(self) -> Occurrence:
        with reading(self.engine) as session:
            return list_occurrences(session, self.schedule.id, limit=1)[0]

    def course(self) -> Course:
        with reading(self.engine) as session:
            return hour_of(session, self.issue, now=self.clock()).course

    def told(self) -> str:
        with reading(self.engine) as session:
            hour = hour_of(session, self.issue, now=self.clock())
        return leaves_in_words(self.issue, hour) or would_leave_in_words(hour)

    def work(self) -> None:
        """Work as `work` does."""
        work(self.runtime)


def work(runtime: Runtime) -> None:
    """Do what a worker does from minute to minute."""
    for run in due_occurrences(runtime):
        while advance(runtime, run):
            pass
    for issue_id in open_issues(runtime):
        send_for_a_while(runtime, issue_id)
