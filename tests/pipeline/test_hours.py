"""An issue approved before the hour of its schedule leaves at that hour, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from digest.address.explain import explain
from digest.address.steps import address_issue
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Approval, NewsletterId
from digest.domain.schedules import OccurrenceState, Schedule, ScheduleId, Stage
from digest.pipeline import scheduled as scheduled_module
from digest.pipeline import scheduling
from digest.pipeline.approval import take_back
from digest.pipeline.hours import leaves_at, send_now
from digest.pipeline.progress import Waits, progress_of
from digest.pipeline.scheduled import RETRY_AFTER, advance, due_occurrences
from digest.pipeline.sending import open_issues, send, send_for_a_while
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import list_issues
from digest.store.newsletters import change_newsletter
from digest.store.schedules import find_own_hour
from digest.store.subscribers import SubscriberRow
from tests.pipeline.desk import HOUR, THURSDAY, Desk
from tests.pipeline.press import Press
from tests.servers.smtp_sink import SmtpSink
from tests.stored import stored_source


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
