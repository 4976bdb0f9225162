"""An issue approved before the hour of its schedule leaves at that hour, once, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from digest.address.explain import explain
from digest.address.steps import address_issue
from digest.compose.edits import Change, edit_issue
from digest.compose.steps import compose
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Approval, Newsletter, NewsletterId
from digest.domain.schedules import Occurrence, OccurrenceState, Schedule, ScheduleId, Stage
from digest.domain.sources import SourceState
from digest.pipeline import control, scheduling
from digest.pipeline import scheduled as scheduled_module
from digest.pipeline.approval import approve_issue, take_back
from digest.pipeline.dry_run import rehearse
from digest.pipeline.hours import Course, hour_of, leaves_at, leaves_in_words, send_now, would_leave_in_words
from digest.pipeline.progress import Waits, progress_of
from digest.pipeline.scheduled import RETRY_AFTER, advance, due_occurrences
from digest.pipeline.sending import open_issues, send, send_for_a_while
from digest.runtime import Runtime
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.edits import About, Field
from digest.store.issues import get_issue, list_issues
from digest.store.newsletters import change_newsletter
from digest.store.schedules import add_schedule, find_own_hour, list_occurrences, list_schedules
from digest.store.sources import SourceRow
from digest.store.subscribers import SubscriberRow
from tests.pipeline.press import Clock, Press
from tests.servers.smtp_sink import SmtpSink
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
        """Do what a worker does from minute to minute."""
        for run in due_occurrences(self.runtime):
            while advance(self.runtime, run):
                pass
        for issue_id in open_issues(self.runtime):
            send_for_a_while(self.runtime, issue_id)


@pytest.fixture
def desk(engine: Engine, runtime: Runtime, clock: Clock) -> Desk:
    return Desk(engine, runtime, clock)


def test_approved_before_its_hour_it_leaves_at_its_hour(desk: Desk, smtp_sink: SmtpSink) -> None:
    assert desk.told() == "Once approved, it waits for its hour and leaves at 07:00 UTC on Monday 23 Nov."
    approved = desk.approve()
    assert (approved.state, approved.awaits_hour) == (IssueState.APPROVED, True)
    assert desk.told() == "It leaves at 07:00 UTC on Monday 23 Nov."
    with reading(desk.engine) as session:
        assert leaves_at(session, approved, now=desk.clock()) == HOUR
    for moment in (THURSDAY, HOUR - timedelta(minutes=1)):
        desk.clock.now = moment
        desk.work()
        assert (smtp_sink.count(), desk.issue.state) == (0, IssueState.APPROVED)
    desk.clock.now = HOUR
    desk.work()
    assert smtp_sink.copies() == {"anna@example.org": 1}
    assert (desk.run.state, desk.run.stage, desk.run.issue_id) == (
        OccurrenceState.DONE,
        Stage.SEND,
        desk.number,
    )
    with reading(desk.engine) as session:
        assert [one.state for one in list_issues(session)] == [IssueState.SENT]
    desk.clock.pass_(hours=1)
    desk.work()
    assert smtp_sink.count() == 1


def test_a_hint_that_comes_late_sends_nothing_before_the_hour(desk: Desk, smtp_sink: SmtpSink) -> None:
    issue = desk.approve()
    assert send_for_a_while(desk.runtime, issue.id) == {}
    with pytest.raises(Conflict, match=f"waits for its schedule's hour: 'digest send {issue.id}' sends it"):
        address_issue(desk.engine, issue.id, now=desk.clock())
    assert (desk.issue.state, smtp_sink.count()) == (IssueState.APPROVED, 0)


def test_progress_says_what_it_waits_for(desk: Desk) -> None:
    desk.approve()
    told = progress_of(desk.runtime, desk.number)
    assert (told.waits, told.because) == (Waits.ITS_HOUR, "It leaves at 07:00 UTC on Monday 23 Nov.")


def test_readers_get_it_at_their_own_hour_even_where_the_worker_dies_as_it_lets_it_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(desk.engine) as session:
        change_newsletter(session, desk.newsletter.id, local_time=True)
        session.execute(update(SubscriberRow).values(timezone="America/New_York"))
    desk.approve()
    before = explain(desk.engine, desk.number, "anna@example.org").not_before
    assert before == HOUR + timedelta(hours=5)
    desk.clock.now = HOUR
    (run,) = due_occurrences(desk.runtime)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(scheduled_module, "record_stage", die)
        with pytest.raises(SystemExit):
            advance(desk.runtime, run)
    assert (desk.run.state, desk.run.stage) == (OccurrenceState.RUNNING, Stage.GATHER)
    assert open_issues(desk.runtime) == (desk.number,)
    send_for_a_while(desk.runtime, desk.issue.id)
    with reading(desk.engine) as session:
        assert session.scalars(select(DeliveryRow.next_at)).all() == [HOUR + timedelta(hours=5)]
    desk.clock.now = HOUR + RETRY_AFTER + timedelta(seconds=1)
    desk.work()
    assert (desk.run.state, desk.run.issue_id) == (OccurrenceState.DONE, desk.number)


def test_an_approval_that_is_taken_back_leaves_nothing_to_wait_for(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    take_back(desk.runtime, desk.number, by="Edda")
    assert not desk.issue.awaits_hour
    with pytest.raises(Conflict, match="approve it first"):
        send_now(desk.runtime, desk.number, by="Omar")
    desk.clock.now = HOUR
    desk.work()
    assert (desk.run.state, desk.issue.state) == (OccurrenceState.WAITING, IssueState.DRAFT)
    assert "approved, it goes out at once" in desk.told()
    assert not desk.approve().awaits_hour, "its run waits for nothing else"
    desk.work()
    assert smtp_sink.copies()["anna@example.org"] == 1
    assert desk.run.state is OccurrenceState.DONE


def test_a_take_back_at_the_very_hour_is_no_approval(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.approve()
    desk.clock.now = HOUR
    (run,) = due_occurrences(desk.runtime)
    lock = scheduled_module.lock_issue

    def overtaken(session: object, issue_id: int) -> Issue:
        monkeypatch.setattr(scheduled_module, "lock_issue", lock)
        session.rollback()  # type: ignore[attr-defined]
        take_back(desk.runtime, issue_id, by="Edda")
        return desk.issue

    monkeypatch.setattr(scheduled_module, "lock_issue", overtaken)
    while advance(desk.runtime, run):
        pass
    assert (desk.run.state, desk.issue.state) == (OccurrenceState.WAITING, IssueState.DRAFT)


@pytest.mark.parametrize("way", ["send_now", "digest send"])
def test_somebody_sends_it_before_its_hour_and_its_hour_sends_no_other(
    desk: Desk, smtp_sink: SmtpSink, way: str
) -> None:
    desk.approve()
    if way == "send_now":
        send_now(desk.runtime, desk.number, by="Omar")
        with pytest.raises(Conflict, match="goes out next"):
            send_now(desk.runtime, desk.number, by="Omar")
        desk.work()
    else:
        send(desk.runtime, desk.issue.id, by="Omar")
    assert (desk.issue.state, smtp_sink.count()) == (IssueState.SENT, 1)
    with pytest.raises(Conflict, match="no hour that it waits for"):
        send_now(desk.runtime, desk.number, by="Omar")
    with reading(desk.engine) as session:
        told = [(one.what, one.by) for one in list_entries(session, limit=10)]
    assert told.count(("issue.sent_early", "Omar")) == 1
    desk.clock.now = HOUR
    desk.work()
    assert (desk.run.state, smtp_sink.count()) == (OccurrenceState.DONE, 1)
    with reading(desk.engine) as session:
        assert len(list_issues(session)) == 1


def test_a_run_begun_before_its_hour_lets_it_go(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    desk.clock.now = HOUR - timedelta(hours=2)
    scheduling.start_now(desk.runtime, desk.schedule.id, by="Omar")
    desk.work()
    assert (desk.issue.state, smtp_sink.count()) == (IssueState.SENT, 1)


def test_approved_while_its_run_waits_it_goes_at_once_though_its_hour_is_to_come(desk: Desk) -> None:
    desk.clock.now = HOUR - timedelta(hours=2)
    scheduling.start_now(desk.runtime, desk.schedule.id, by="Omar")
    desk.work()
    assert (desk.run.state, desk.schedule.next_due) == (OccurrenceState.WAITING, HOUR)
    assert not desk.approve().awaits_hour


def test_an_automatic_approval_in_its_run_waits_for_nothing(desk: Desk, smtp_sink: SmtpSink) -> None:
    with writing(desk.engine) as session:
        change_newsletter(session, desk.newsletter.id, approval=Approval.AUTOMATIC)
    desk.clock.now = HOUR
    desk.work()
    assert (desk.issue.state, smtp_sink.count()) == (IssueState.SENT, 1)


def test_what_no_schedule_makes_goes_at_once(desk: Desk) -> None:
    with writing(desk.engine) as session:
        scheduling.remove_schedule(session, desk.schedule.id)
    assert desk.told() == "No schedule makes an issue of these days: approved, it goes out at once."
    assert not desk.approve().awaits_hour
    assert open_issues(desk.runtime) == (desk.number,)


def test_of_two_schedules_of_the_same_days_the_first_lets_it_go(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.add_schedule(HOUR + timedelta(hours=10), "0 17 * * MON")
    desk.approve()
    assert "07:00 UTC on Monday" in desk.told()
    desk.clock.now = HOUR
    desk.work()
    desk.clock.now = HOUR + timedelta(hours=10)
    desk.work()
    assert smtp_sink.count() == 1


# --- what may come between


def test_a_schedule_that_rests_keeps_it(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    scheduling.set_resting(desk.runtime, desk.schedule.id, True, by="Omar")
    assert (desk.course(), desk.told()) == (
        Course.RESTS,
        "Its schedule rests, so nothing sends it by itself.",
    )
    scheduling.set_resting(desk.runtime, desk.schedule.id, False, by="Omar")
    assert desk.course() is Course.COMING
    scheduling.set_resting(desk.runtime, desk.schedule.id, True, by="Omar")
    desk.clock.now = HOUR + timedelta(days=1)
    desk.work()
    scheduling.set_resting(desk.runtime, desk.schedule.id, False, by="Omar")
    desk.work()
    assert (desk.course(), smtp_sink.count()) == (Course.BY_HAND, 0)
    assert desk.told() == "No schedule is to send it any more."


def test_a_date_that_is_left_out_keeps_it_and_put_back_lets_it_go(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    skipped = scheduling.skip_next(desk.runtime, desk.schedule.id, by="Omar")
    assert desk.course() is Course.LEFT_OUT
    assert "left out" in desk.told()
    scheduling.take_back_skip(desk.runtime, skipped.id, by="Omar")
    assert desk.course() is Course.COMING
    desk.clock.now = HOUR
    desk.work()
    assert smtp_sink.count() == 1


def test_another_hour_of_the_same_day_is_its_hour(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    scheduling.reschedule(desk.runtime, desk.schedule.id, cron="30 9 * * MON", by="Omar")
    assert desk.told() == "It leaves at 09:30 UTC on Monday 23 Nov."
    desk.clock.now = HOUR
    desk.work()
    assert smtp_sink.count() == 0
    desk.clock.now = HOUR + timedelta(hours=2, minutes=30)
    desk.work()
    assert smtp_sink.count() == 1


@pytest.mark.parametrize("change", ["another day", "removed"])
def test_a_schedule_that_makes_other_days_sends_it_not(desk: Desk, smtp_sink: SmtpSink, change: str) -> None:
    desk.approve()
    if change == "removed":
        scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    else:
        scheduling.reschedule(desk.runtime, desk.schedule.id, cron="0 7 * * TUE", by="Omar")
    assert desk.told() == "No schedule is to send it any more."
    for day in range(4):
        desk.clock.now = HOUR + timedelta(days=day, minutes=1)
        desk.work()
    assert "anna@example.org" not in smtp_sink.copies()
    send_now(desk.runtime, desk.number, by="Omar")
    desk.work()
    assert smtp_sink.copies()["anna@example.org"] == 1


def test_a_rule_of_more_days_lets_it_go_on_its_own_day(desk: Desk, smtp_sink: SmtpSink) -> None:
    """Its days are those before Monday: a run on Friday makes another issue."""
    desk.approve()
    scheduling.reschedule(desk.runtime, desk.schedule.id, cron="0 7 * * FRI,MON", by="Omar")
    assert desk.told() == "It leaves at 07:00 UTC on Monday 23 Nov."
    desk.clock.now = HOUR - timedelta(days=3)
    desk.work()
    assert "anna@example.org" not in smtp_sink.copies()
    desk.clock.now = HOUR
    desk.work()
    assert smtp_sink.copies()["anna@example.org"] == 1


def test_a_worker_that_is_back_within_the_grace_lets_it_go(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    desk.clock.now = HOUR + timedelta(hours=5)
    desk.work()
    assert smtp_sink.count() == 1


@pytest.mark.parametrize("choice", ["run", "skip"])
def test_what_was_missed_waits_for_a_word(desk: Desk, smtp_sink: SmtpSink, choice: str) -> None:
    desk.approve()
    desk.clock.now = HOUR + timedelta(hours=7)
    desk.work()
    assert (desk.run.state, desk.course()) == (OccurrenceState.HELD, Course.MISSED)
    assert desk.told() == (
        f"Its hour, 07:00 UTC on Monday 23 Nov, was missed: run {desk.run.id} is to be done now, or left out."
    )
    assert "anna@example.org" not in smtp_sink.copies()
    scheduling.settle_missed(desk.runtime, desk.run.id, run=choice == "run", by="Omar")
    desk.work()
    assert smtp_sink.copies().get("anna@example.org", 0) == (1 if choice == "run" else 0)
    if choice == "skip":
        assert desk.course() is Course.LEFT_OUT
        send_now(desk.runtime, desk.number, by="Omar")
        desk.work()
        assert smtp_sink.copies()["anna@example.org"] == 1


def test_paused_over_its_hour_it_goes_when_it_is_let_go_on(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    control.pause(desk.runtime, desk.number, by="Omar")
    control.resume(desk.runtime, desk.number, by="Omar")
    desk.work()
    assert (desk.issue.awaits_hour, smtp_sink.count()) == (True, 0)
    control.pause(desk.runtime, desk.number, by="Omar")
    desk.clock.now = HOUR
    desk.work()
    assert (desk.run.state, desk.issue.state, smtp_sink.count()) == (
        OccurrenceState.DONE,
        IssueState.PAUSED,
        0,
    )
    control.resume(desk.runtime, desk.number, by="Omar")
    desk.work()
    assert smtp_sink.count() == 1


def test_everything_held_at_its_hour_goes_when_it_is_let_go(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    control.hold(desk.runtime, by="Omar")
    desk.clock.now = HOUR
    desk.work()
    assert (desk.run.state, smtp_sink.count()) == (OccurrenceState.DONE, 0)
    control.let_go(desk.runtime, by="Omar")
    desk.work()
    assert smtp_sink.count() == 1


def test_a_cancelled_one_is_not_made_again_at_its_hour(desk: Desk, smtp_sink: SmtpSink) -> None:
    desk.approve()
    control.cancel(desk.runtime, desk.number, by="Omar")
    desk.clock.now = HOUR
    desk.work()
    assert (desk.run.state, smtp_sink.count()) == (OccurrenceState.DONE, 0)
    with reading(desk.engine) as session:
        assert len(list_issues(session)) == 1


def test_a_dry_run_says_who_would_get_it_and_leaves_it_waiting(desk: Desk) -> None:
    desk.approve()
    _, plans = rehearse(desk.runtime, desk.newsletter.slug, window=WINDOW)
    assert [(plan.email, plan.titles) for plan in plans] == [("anna@example.org", ("Tides",))]
    assert (desk.issue.state, desk.issue.awaits_hour) == (IssueState.APPROVED, True)


@pytest.mark.parametrize(
    ("timezone", "due"),
    [
        ("Europe/Zurich", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("Europe/Zurich", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        ("America/St_Johns", datetime(2026, 11, 2, 10, 30, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 11, 22, 17, tzinfo=UTC)),
    ],
)
def test_the_date_of_an_issues_days_is_found_again_where_clocks_change(
    timezone: str, due: datetime, make_schedule_at: Callable[[str, datetime], Schedule]
) -> None:
    schedule = make_schedule_at(timezone, due)
    window = schedule.covered_at(due)
    assert schedule.date_of(window) is not None
    assert schedule.covered_at(due + timedelta(days=1)) != window
    assert make_schedule_at("Asia/Kathmandu", due).date_of(window) is None


@pytest.fixture
def make_schedule_at() -> Callable[[str, datetime], Schedule]:
    def make(timezone: str, due: datetime) -> Schedule:
        return Schedule(ScheduleId(1), NewsletterId(1), "0 7 * * *", timezone, 7, due)

    return make


def test_its_own_hour_is_known_before_and_no_longer_once_it_was_sent_by_hand(desk: Desk) -> None:
    with reading(desk.engine) as session:
        before = find_own_hour(session, desk.issue.id)
    assert before is not None
    assert before.at.hour == 7
    desk.approve()
    send_now(desk.runtime, desk.number, by="Omar")
    with reading(desk.engine) as session:
        assert find_own_hour(session, desk.issue.id) is None


def test_nothing_of_the_press_is_asked_for_what_is_approved(desk: Desk, press: Press, engine: Engine) -> None:
    """What is approved is what is sent: its run gathers nothing and is over at once."""
    stored_source(engine, desk.newsletter, "Press", url=f"{press.url}/feed")
    desk.approve()
    desk.clock.now = HOUR
    (run,) = due_occurrences(desk.runtime)
    assert not advance(desk.runtime, run)
    assert press.server.log == []


# --- what a schedule leaves behind


@pytest.mark.parametrize("way", ["another day", "removed", "left out", "resumed late"])
def test_a_draft_that_nobody_touched_goes_with_the_date_that_made_it(desk: Desk, way: str) -> None:
    change_date(desk, way)
    with reading(desk.engine) as session:
        assert list_issues(session) == ()
        told = [(one.what, one.by) for one in list_entries(session, limit=10)]
    assert ("issue.removed", "Omar") in told


def change_date(desk: Desk, way: str) -> None:
    if way == "another day":
        scheduling.reschedule(desk.runtime, desk.schedule.id, cron="0 7 * * TUE", by="Omar")
    elif way == "removed":
        scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    elif way == "left out":
        scheduling.skip_next(desk.runtime, desk.schedule.id, by="Omar")
    else:
        scheduling.set_resting(desk.runtime, desk.schedule.id, True, by="Omar")
        desk.clock.now = HOUR + timedelta(days=1)
        scheduling.set_resting(desk.runtime, desk.schedule.id, False, by="Omar")


@pytest.mark.parametrize("way", ["another day", "removed", "left out", "resumed late"])
def test_a_draft_that_somebody_worked_on_stays_and_says_what_sends_it(desk: Desk, way: str) -> None:
    edits = [Change(About(Field.SUBJECT), "Tides")]
    edit_issue(desk.engine, desk.issue.id, edits, by="Ada", now=THURSDAY)
    change_date(desk, way)
    assert desk.issue.subject == "Tides"
    assert ("No schedule makes an issue of these days" in desk.told()) is (way != "left out")


def test_a_draft_stays_that_is_still_made(desk: Desk) -> None:
    scheduling.reschedule(desk.runtime, desk.schedule.id, cron="30 9 * * MON", by="Omar")
    scheduling.set_resting(desk.runtime, desk.schedule.id, True, by="Omar")
    assert desk.issue.state is IssueState.DRAFT
    desk.add_schedule(HOUR + timedelta(hours=10), "0 17 * * MON")
    scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    assert desk.issue.state is IssueState.DRAFT


def test_a_draft_that_a_run_came_to_waits_for_its_approval_whatever_becomes_of_the_schedule(
    desk: Desk,
) -> None:
    desk.clock.now = HOUR - timedelta(hours=2)
    scheduling.start_now(desk.runtime, desk.schedule.id, by="Omar")
    desk.work()
    assert desk.run.state is OccurrenceState.WAITING
    scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    assert desk.issue.state is IssueState.DRAFT
