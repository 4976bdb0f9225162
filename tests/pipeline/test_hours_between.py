"""What comes between an approval and its hour: a rest, another date, a pause, a missed hour."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.domain.issues import IssueState
from digest.domain.schedules import OccurrenceState
from digest.pipeline import control, scheduling
from digest.pipeline.dry_run import rehearse
from digest.pipeline.hours import Course, send_now
from digest.store.database import reading
from digest.store.issues import list_issues
from tests.pipeline.desk import HOUR, Desk
from tests.servers.smtp_sink import SmtpSink
from tests.stored import WINDOW


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
