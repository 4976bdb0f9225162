"""An issue that pauses itself, once, tells ops why, and goes on when somebody accepts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.domain.bounces import Meaning
from digest.domain.deliveries import Claim, DeliveryState
from digest.domain.issues import IssueState
from digest.domain.pauses import PROGRAM, PauseCause
from digest.pipeline import control
from digest.pipeline.breaches import Gauge, pause_breached
from digest.pipeline.contents import why
from digest.pipeline.guard import Guard
from digest.pipeline.progress import progress_of
from digest.pipeline.returns import look_after_return, look_after_returns
from digest.pipeline.sending import open_issues, send
from digest.pipeline.telling import tell_of_stops
from digest.store.database import reading, writing
from digest.store.pauses import find_pause
from digest.store.returned import NewReturned, record_returned
from tests.pipeline.controlled import ACCEPTED, REFUSED, Controlled, alerts
from tests.servers.faults import At, Reply
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until


@pytest.fixture
def sending(engine: Engine, tmp_path: Path) -> Iterator[Controlled]:
    """A send of 40 readers that pauses itself above 10 % failures or 5 % complaints, from 20 mails on."""
    limits = {"pause_after": 20, "pause_failures": 10.0, "pause_complaints": 5.0}
    found = Controlled.stored(engine, tmp_path, readers=40, ops_email="ops@example.org", **limits)
    found.address()
    yield found
    found.engine.dispose()


def come_back(sending: Controlled, claims: list[Claim], meaning: Meaning) -> None:
    with writing(sending.engine) as session:
        for claim in claims:
            record_returned(
                session,
                NewReturned(
                    key=f"{claim.id}{meaning}",
                    received_at=sending.clock(),
                    via="lmtp",
                    kind="delivery_report",
                    meaning=meaning,
                    delivery_id=claim.id,
                    email=claim.email,
                    status="",
                    detail="552 5.2.2 over quota",
                ),
            )


def test_nothing_is_paused_below_the_limits_or_with_too_few_mails(sending: Controlled) -> None:
    sending.settle(*[REFUSED] * 19)
    assert not pause_breached(sending.runtime, sending.issue.id), "nineteen say nothing yet"
    assert sending.now.state is IssueState.SENDING


def test_a_tenth_is_allowed_and_more_is_not(sending: Controlled) -> None:
    sending.settle(*[ACCEPTED] * 18, REFUSED, REFUSED)
    gauge = Gauge(sending.runtime.settings)
    assert not pause_breached(sending.runtime, sending.issue.id, gauge)
    sending.clock.pass_(seconds=1)
    sending.settle(REFUSED)
    assert pause_breached(sending.runtime, sending.issue.id, gauge)
    with reading(sending.engine) as session:
        pause = find_pause(session, sending.issue.id)
    assert pause is not None
    assert (pause.cause, pause.by) == (PauseCause.FAILURES, PROGRAM)
    assert "3 of 21 mails (14 %) were refused for good or came back, the limit is 10 %" in pause.in_words
    assert not pause_breached(sending.runtime, sending.issue.id, gauge), "of many who see it one pauses it"


def test_ops_are_told_once_with_counts_reasons_and_commands(sending: Controlled, tmp_path: Path) -> None:
    sending.settle(*[ACCEPTED] * 17, *[REFUSED] * 3)
    pause_breached(sending.runtime, sending.issue.id)
    for _ in range(2):
        tell_of_stops(sending.runtime)
        open_issues(sending.runtime)
    (told,) = alerts(tmp_path)
    number = sending.issue.id
    for words in (
        "3 of 20 mails (15 %)",
        "of The Weekly was paused",
        "3 × 554 5.6.0 no",
        f"digest issue resume {number}",
        f"digest issue cancel {number}",
    ):
        assert words in told


def test_whoever_resumes_accepts_what_failed_and_it_counts_anew(sending: Controlled) -> None:
    gauge = Gauge(sending.runtime.settings)
    sending.settle(*[ACCEPTED] * 10, *[REFUSED] * 10)
    assert pause_breached(sending.runtime, sending.issue.id, gauge)
    sending.clock.pass_(minutes=1)
    control.resume(sending.runtime, sending.issue.id, by="Ada")
    assert not pause_breached(sending.runtime, sending.issue.id, gauge)
    sending.clock.pass_(minutes=1)
    sending.settle(*[REFUSED] * 19)
    assert not pause_breached(sending.runtime, sending.issue.id, gauge), "nineteen since then"


def test_complaints_and_bounces_that_come_back_pause_it_too(sending: Controlled) -> None:
    claims = sending.settle(*[ACCEPTED] * 20)
    sending.clock.pass_(minutes=1)
    come_back(sending, claims[:1], Meaning.COMPLAINT)
    look_after_return(sending.runtime, sending.issue.id)
    assert sending.now.state is IssueState.SENDING
    come_back(sending, claims[1:2], Meaning.COMPLAINT)
    look_after_return(sending.runtime, sending.issue.id)
    assert sending.now.note.startswith("paused by Digest itself: 2 of 20 mails (10 %) were called spam")
    control.resume(sending.runtime, sending.issue.id, by="Ada")
    sending.clock.pass_(minutes=1)
    claims = sending.settle(*[ACCEPTED] * 19, ACCEPTED)[:-1]
    assert sending.states == {DeliveryState.ACCEPTED: 40}
    come_back(sending, claims[:5], Meaning.SOFT)
    look_after_return(sending.runtime, sending.issue.id)
    assert sending.now.state is IssueState.SENDING, "of which nothing is left to send is let be"


def test_progress_and_why_say_what_came_back_of_what_was_taken(sending: Controlled) -> None:
    claims = sending.settle(*[ACCEPTED] * 20)
    come_back(sending, claims[:3], Meaning.SOFT)
    come_back(sending, claims[3:4], Meaning.COMPLAINT)
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.came_back, told.complaints) == (3, 1)
    assert [(one.in_words, one.count) for one in told.causes] == [
        ("came back: 5.2.2 552 5.2.2 over quota", 3)
    ]
    verdicts = [why(sending.engine, sending.issue.id, claim.email).verdict for claim in claims[2:5]]
    assert verdicts == [
        "got this issue: the mail server accepted it, but it came back: 552 5.2.2 over quota",
        "got this issue: the mail server accepted it, and its reader called it spam",
        "got this issue: the mail server accepted it",
    ]


def test_what_providers_tell_pauses_it_as_well(sending: Controlled) -> None:
    claims = sending.settle(*[ACCEPTED] * 20)
    sending.clock.pass_(minutes=1)
    come_back(sending, claims[:2], Meaning.COMPLAINT)
    look_after_returns(sending.runtime, {Meaning.UNSUBSCRIBED})
    assert sending.now.state is IssueState.SENDING, "nobody looks for what was not told of"
    look_after_returns(sending.runtime, {Meaning.UNSUBSCRIBED, Meaning.COMPLAINT})
    assert sending.now.state is IssueState.PAUSED


def test_a_send_stops_in_the_middle_when_its_server_refuses_most(
    engine: Engine, tmp_path: Path, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    guards: list[Guard] = []

    class Seen(Guard):
        def __enter__(self) -> Guard:
            guards.append(self)
            return super().__enter__()

    monkeypatch.setattr("digest.pipeline.sending.Guard", Seen)
    limits = {"pause_after": 5, "pause_failures": 10.0, "mail_sessions": 1}
    found = Controlled.stored(engine, tmp_path, readers=40, mail_url=smtp_sink.url, **limits)
    refused: list[str] = []
    stopped: list[bool] = []

    def refuse(address: str, _: int) -> Reply:
        refused.append(address)
        if len(refused) == 20:
            wait_until(lambda: guards[0].stops)
            stopped.append(True)  # what fails in the sink's own thread fails no test
        return Reply(At.RCPT, 554)

    smtp_sink.faults.on_recipient = refuse
    send(found.runtime, found.issue.id)
    assert found.now.state is IssueState.PAUSED
    assert found.states == {DeliveryState.FAILED: 20, DeliveryState.PENDING: 20}
    assert stopped == [True]
    found.engine.dispose()
