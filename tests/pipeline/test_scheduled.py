from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.domain.errors import Overtaken, Refused, Unavailable
from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import Approval, Newsletter
from digest.domain.schedules import Occurrence, OccurrenceId, OccurrenceState, Schedule, Stage
from digest.pipeline.run import approve_issue, run_newsletter
from digest.pipeline.scheduled import ATTEMPTS, advance, due_occurrences, unattended_runs
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime
from digest.schedule.cron import next_due
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.issues import get_issue, list_issues
from digest.store.schedules import add_schedule, list_occurrences, settle_held
from tests.pipeline.press import CLIMATE, SPACE, Clock, Press, flaky, make_newsletter
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, WINDOW, change, stored_reader

MINUTE = timedelta(minutes=1)
STAGES = [Stage.CONDENSE, Stage.COMPOSE, Stage.APPROVE, Stage.SEND]


class Weekly:
    """A newsletter that is due now, and a worker that looks after it."""

    def __init__(self, engine: Engine, runtime: Runtime, press: Press, approval: Approval) -> None:
        self.engine = engine
        self.runtime = runtime
        self.newsletter: Newsletter = make_newsletter(engine, press, approval=approval)
        press.publish("tides", CLIMATE)
        stored_reader(engine, self.newsletter, "anna@example.org", CLIMATE)
        stored_reader(engine, self.newsletter, "ben@example.org", SPACE, CLIMATE)
        with writing(engine) as session:
            self.schedule: Schedule = add_schedule(
                session,
                self.newsletter.id,
                cron="0 7 * * MON",
                timezone="UTC",
                window_days=7,
                next_due=next_due("0 7 * * MON", "UTC", after=NOW - MINUTE),
                now=NOW,
            )

    def due(self) -> OccurrenceId:
        (occurrence_id,) = due_occurrences(self.runtime)
        return occurrence_id

    @property
    def occurrence(self) -> Occurrence:
        with reading(self.engine) as session:
            return list_occurrences(session, self.schedule.id, limit=1)[0]

    def drive(self, occurrence_id: OccurrenceId) -> None:
        while advance(self.runtime, occurrence_id):
            pass

    def send(self) -> tuple[IssueId, ...]:
        found = open_issues(self.runtime)
        for issue_id in found:
            send_for_a_while(self.runtime, issue_id)
        return found


@pytest.fixture
def weekly(engine: Engine, runtime: Runtime, press: Press) -> Weekly:
    return Weekly(engine, runtime, press, Approval.AUTOMATIC)


@pytest.fixture
def edited(engine: Engine, runtime: Runtime, press: Press) -> Weekly:
    """The same with an editor who has to approve."""
    return Weekly(engine, runtime, press, Approval.MANUAL)


def test_a_run_goes_stage_by_stage_to_the_mail(weekly: Weekly, smtp_sink: SmtpSink) -> None:
    run = weekly.due()
    seen = []
    while advance(weekly.runtime, run):
        seen.append(weekly.occurrence.stage)
    assert [*seen, weekly.occurrence.stage] == STAGES
    assert weekly.occurrence.state is OccurrenceState.DONE
    assert smtp_sink.count() == 0
    (issue_id,) = weekly.send()
    assert smtp_sink.copies() == {"anna@example.org": 1, "ben@example.org": 1}
    with reading(weekly.engine) as session:
        issue = get_issue(session, issue_id)
    assert (issue.state, issue.window, issue.approved_by) == (
        IssueState.SENT,
        WINDOW,
        "automatic approval",
    )
    assert weekly.send() == ()
    assert not advance(weekly.runtime, run)
    assert smtp_sink.count() == 2


def test_nothing_is_due_twice(weekly: Weekly, clock: Clock) -> None:
    run = weekly.due()
    assert weekly.due() == run
    weekly.drive(run)
    assert due_occurrences(weekly.runtime) == ()
    clock.pass_(days=7)
    assert weekly.due() != run


def test_a_run_that_somebody_is_at_is_left_to_them(weekly: Weekly, clock: Clock) -> None:
    run = weekly.due()
    assert not advance(flaky(weekly.runtime, Unavailable("no network")), run)
    assert due_occurrences(weekly.runtime) == ()
    assert not advance(weekly.runtime, run)
    assert weekly.occurrence.stage is Stage.GATHER


def test_what_cannot_be_reached_is_tried_again_later(
    weekly: Weekly, clock: Clock, smtp_sink: SmtpSink
) -> None:
    run = weekly.due()
    for seconds in (5, 20, 80):
        assert not advance(flaky(weekly.runtime, Unavailable("no network")), run)
        clock.pass_(seconds=seconds)
        assert unattended_runs(weekly.runtime) == (), "not before its pause is over"
        clock.pass_(seconds=1)
    assert weekly.due() == run
    weekly.drive(run)
    assert weekly.occurrence.state is OccurrenceState.DONE
    weekly.send()
    assert smtp_sink.count() == 2


def test_what_somebody_changed_at_the_same_moment_is_tried_again(weekly: Weekly, clock: Clock) -> None:
    run = weekly.due()
    assert not advance(flaky(weekly.runtime, Overtaken("somebody else stored it")), run)
    clock.pass_(seconds=6)
    weekly.drive(run)
    assert weekly.occurrence.state is OccurrenceState.DONE


def test_what_stays_away_ends_the_run_and_ops_are_told(
    weekly: Weekly, clock: Clock, smtp_sink: SmtpSink
) -> None:
    run, away = weekly.due(), flaky(weekly.runtime, Unavailable("the network is away"))
    for attempt in range(ATTEMPTS):
        assert (weekly.occurrence.state, smtp_sink.count()) == (OccurrenceState.RUNNING, 0), attempt
        assert not advance(away, run)
        clock.pass_(minutes=6)
    assert (weekly.occurrence.state, weekly.occurrence.stage) == (OccurrenceState.FAILED, Stage.GATHER)
    assert weekly.occurrence.note == "the network is away"
    assert smtp_sink.copies() == {"ops@example.org": 1}
    assert b"a scheduled run failed at 'gather'" in smtp_sink.contents()[0]
    assert due_occurrences(weekly.runtime) == ()


def test_what_is_wrong_ends_the_run_at_once(weekly: Weekly, smtp_sink: SmtpSink) -> None:
    run = weekly.due()
    assert not advance(flaky(weekly.runtime, Refused("the proxy says no")), run)
    assert (weekly.occurrence.state, weekly.occurrence.note) == (OccurrenceState.FAILED, "the proxy says no")
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_a_stage_that_never_ends_well_is_given_up(weekly: Weekly, clock: Clock, smtp_sink: SmtpSink) -> None:
    """Its worker dies each time, as for want of memory, and can tell nobody."""
    run, dying = weekly.due(), flaky(weekly.runtime, MemoryError())
    for _ in range(ATTEMPTS):
        with pytest.raises(MemoryError):
            advance(dying, run)
        clock.pass_(minutes=6)
    assert not advance(dying, run)
    assert weekly.occurrence.state is OccurrenceState.FAILED
    assert "was begun 7 times and never ended" in weekly.occurrence.note
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_a_manual_issue_waits_for_its_approval_and_then_goes_out(edited: Weekly, smtp_sink: SmtpSink) -> None:
    run = edited.due()
    edited.drive(run)
    waiting = edited.occurrence
    assert (waiting.state, waiting.stage) == (OccurrenceState.WAITING, Stage.APPROVE)
    assert waiting.issue_id is not None
    assert f"'digest issue approve {waiting.issue_id}'" in waiting.note
    assert smtp_sink.copies() == {"ops@example.org": 1}
    assert edited.send() == ()
    assert edited.occurrence.state is OccurrenceState.WAITING

    approve_issue(edited.runtime, waiting.issue_id, by="Edda")
    assert edited.send() == (waiting.issue_id,)
    assert edited.occurrence.state is OccurrenceState.DONE
    assert smtp_sink.copies() == {"ops@example.org": 1, "anna@example.org": 1, "ben@example.org": 1}


def test_waiting_ends_when_the_issue_is_cancelled(edited: Weekly, smtp_sink: SmtpSink) -> None:
    edited.drive(edited.due())
    assert edited.occurrence.issue_id is not None
    change(edited.engine, edited.occurrence.issue_id, IssueState.CANCELLED)
    assert edited.send() == ()
    assert edited.occurrence.state is OccurrenceState.DONE
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_an_empty_week_ends_the_run_and_ops_are_told_which_source_failed(
    weekly: Weekly, press: Press, smtp_sink: SmtpSink
) -> None:
    press.status = 503
    weekly.drive(weekly.due())
    assert (weekly.occurrence.state, weekly.occurrence.issue_id) == (OccurrenceState.DONE, None)
    assert "has nothing to send" in weekly.occurrence.note
    assert f"Press could not be read: {press.url}/feed answers 503" in weekly.occurrence.note
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_a_week_that_was_sent_by_hand_is_not_sent_again(weekly: Weekly, smtp_sink: SmtpSink) -> None:
    run_newsletter(weekly.runtime, "weekly")
    weekly.drive(weekly.due())
    assert weekly.occurrence.state is OccurrenceState.DONE
    assert weekly.send() == ()
    assert smtp_sink.copies() == {"anna@example.org": 1, "ben@example.org": 1}


def test_a_run_that_was_missed_waits_for_ops(weekly: Weekly, clock: Clock, smtp_sink: SmtpSink) -> None:
    clock.pass_(days=1)
    assert due_occurrences(weekly.runtime) == ()
    assert due_occurrences(weekly.runtime) == ()
    held = weekly.occurrence
    assert held.state is OccurrenceState.HELD
    assert smtp_sink.copies() == {"ops@example.org": 1}
    with reading(weekly.engine) as session:
        assert list_issues(session) == ()
    with writing(weekly.engine) as session:
        settle_held(session, held.id, run=True)
    weekly.drive(weekly.due())
    weekly.send()
    with reading(weekly.engine) as session:
        (issue,) = list_issues(session)
    assert (issue.state, issue.window) == (IssueState.SENT, WINDOW)


def test_an_issue_that_somebody_pauses_is_let_be(edited: Weekly, smtp_sink: SmtpSink) -> None:
    edited.drive(edited.due())
    assert edited.occurrence.issue_id is not None
    issue = approve_issue(edited.runtime, edited.occurrence.issue_id, by="Edda")
    change(edited.engine, issue, IssueState.SENDING)
    change(edited.engine, issue, IssueState.PAUSED)
    assert edited.send() == ()
    assert send_for_a_while(edited.runtime, issue.id) == {}
    assert smtp_sink.copies() == {"ops@example.org": 1}


def test_a_sweep_takes_back_what_a_dead_worker_held_and_sends_it(
    weekly: Weekly, clock: Clock, smtp_sink: SmtpSink
) -> None:
    weekly.drive(weekly.due())
    assert weekly.occurrence.issue_id is not None
    address_issue(weekly.engine, weekly.occurrence.issue_id, now=clock())
    with writing(weekly.engine) as session:
        claim_deliveries(
            session, weekly.occurrence.issue_id, owner="dead", limit=2, now=NOW, lease_until=NOW + MINUTE
        )
    weekly.send()
    assert smtp_sink.count() == 0
    clock.pass_(minutes=2)
    weekly.send()
    assert set(smtp_sink.copies().values()) == {1}
    assert smtp_sink.count() == 2
