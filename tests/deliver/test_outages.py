"""A mail server that is away: who is told what and when, and when it is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, update
from structlog.testing import capture_logs

from benchmarks.readers import Size, sending_issue
from digest.deliver.outages import leave_outage, meet_outage, outage_note, retry_wait
from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.steps import Pace, due_issues, send_issue
from digest.deliver.transport import Envelope, MailSession, Transport
from digest.domain.deliveries import Claim, DeliveryState
from digest.domain.errors import Refused, Unavailable
from digest.domain.issues import IssueId, IssueState
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.issues import change_issue
from digest.store.outages import Outage, find_outage
from tests.servers.smtp_sink import SmtpSink
from tests.stored import approved_issue, stored_newsletter

NOW = datetime(2126, 11, 23, 7, tzinfo=UTC)
"""After every delivery of `sending_issue` has come due."""

MINUTE = timedelta(minutes=1)
SIX = Size(readers=6, topics=2, articles=2, follows=1)
AWAY = "mail.example.org:25 takes no mail: Connection refused"


class Away:
    """A server that nobody reaches, and the one worker's stop that comes after the first try."""

    def __init__(self, error: Unavailable | Refused) -> None:
        self.error = error
        self.tries = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        self.tries += 1
        raise self.error
        yield  # type: ignore[unreachable]

    def has_been_tried(self) -> bool:
        return self.tries > 0


def mail_for(claim: Claim) -> tuple[Envelope, bytes]:
    return Envelope("bounces@example.org", claim.email), f"Message-ID: {claim.message_id}\r\n\r\n".encode()


def send(engine: Engine, issue_id: IssueId, transport: Transport, *, now: datetime = NOW) -> None:
    """Send for one worker, which is told to stop as soon as a server was found to be away."""
    stop = transport.has_been_tried if isinstance(transport, Away) else lambda: False
    asyncio.run(
        send_issue(
            engine,
            issue_id,
            transport=transport,
            mail_for=mail_for,
            owner="tester:0:0",
            clock=lambda: now,
            pace=Pace(sessions=1),
            should_stop=stop,
        )
    )


def outage_of(engine: Engine, issue_id: IssueId) -> Outage | None:
    with reading(engine) as session:
        return find_outage(session, issue_id)


def errors_of_tries(engine: Engine, issue_id: IssueId, *minutes: float) -> list[float]:
    """The minutes at which ops were told, of those at which the server was found to be away."""
    told = []
    for minute in minutes:
        with capture_logs() as logs:
            meet_outage(engine, issue_id, AWAY, now=NOW + minute * MINUTE)
        told += [minute for line in logs if line["log_level"] == "error"]
    return told


@pytest.mark.parametrize("error", [Unavailable(AWAY), Refused("mail.example.org:25 refused the log-in")])
def test_a_server_that_cannot_be_talked_to_is_recorded_though_the_worker_must_stop(
    engine: Engine, error: Unavailable | Refused
) -> None:
    """A connection that hangs takes the whole of a task's time: then the task has failed at nothing."""
    issue_id = sending_issue(engine, SIX)
    with suppress(Refused):
        send(engine, issue_id, Away(error))
    assert outage_of(engine, issue_id) == Outage(issue_id, str(error), NOW, NOW + timedelta(seconds=5))
    with reading(engine) as session:
        assert count_deliveries(session, issue_id)[DeliveryState.PENDING] == 6


def test_an_outage_keeps_its_beginning_and_ends_when_the_server_answers(
    engine: Engine, smtp_sink: SmtpSink
) -> None:
    issue_id = sending_issue(engine, SIX)
    send(engine, issue_id, Away(Unavailable(AWAY)))
    send(engine, issue_id, Away(Unavailable("mail.example.org:25: no route")), now=NOW + MINUTE)
    outage = outage_of(engine, issue_id)
    assert outage is not None
    assert (outage.since, outage.reason) == (NOW, "mail.example.org:25: no route")
    send(engine, issue_id, SmtpTransport(SmtpServer.from_url(smtp_sink.url)), now=NOW + 2 * MINUTE)
    assert outage_of(engine, issue_id) is None
    assert smtp_sink.count() == 6


def test_ops_are_told_after_five_minutes_and_once_an_hour(engine: Engine) -> None:
    issue_id = sending_issue(engine, SIX)
    tries = [0, 1, 4.9, 5, 5.1, 30, 64.9, 65, 66, 124, 126]
    assert errors_of_tries(engine, issue_id, *tries) == [5, 65, 126]


def test_each_issue_is_told_for_itself_and_each_outage_anew(engine: Engine) -> None:
    first, second = sending_issue(engine, SIX), approved_issue(engine, stored_newsletter(engine)).id
    assert errors_of_tries(engine, first, 0, 6) == [6]
    assert errors_of_tries(engine, second, 0, 6) == [6]
    leave_outage(engine, first, now=NOW + 7 * MINUTE)
    assert errors_of_tries(engine, first, 8, 12, 13) == [13]


def test_what_ops_are_told_names_server_time_number_and_what_to_do(engine: Engine) -> None:
    issue_id = sending_issue(engine, SIX)
    meet_outage(engine, issue_id, AWAY, now=NOW)
    with capture_logs() as logs:
        meet_outage(engine, issue_id, AWAY, now=NOW + 6 * MINUTE)
    (told,) = logs
    assert {**told, "advice": ""} == {
        "event": "mail.away",
        "log_level": "error",
        "issue": issue_id,
        "reason": AWAY,
        "since": "2126-11-23 07:00 UTC",
        "waiting": 6,
        "next_try": "2126-11-23 07:07:00 UTC",
        "advice": "",
    }
    assert "Check mail_url" in told["advice"]
    assert f"'digest send {issue_id}'" in told["advice"]
    with reading(engine) as session:
        note = outage_note(session, issue_id)
    assert f"since 2126-11-23 07:00 UTC: {AWAY}. A worker tries again at 07:07:00 UTC." in note


def test_of_workers_who_find_it_away_at_once_one_tells(engine: Engine) -> None:
    issue_id = sending_issue(engine, SIX)
    with ThreadPoolExecutor(6) as workers:
        list(workers.map(lambda _: meet_outage(engine, issue_id, AWAY, now=NOW), range(6)))
        with capture_logs() as logs:
            list(workers.map(lambda _: meet_outage(engine, issue_id, AWAY, now=NOW + 9 * MINUTE), range(6)))
    assert [line["event"] for line in logs] == ["mail.away"]


def test_nothing_is_noted_of_a_server_that_answers(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SIX)
    send(engine, issue_id, SmtpTransport(SmtpServer.from_url(smtp_sink.url)))
    with reading(engine) as session:
        assert outage_note(session, issue_id) == ""


def test_tries_grow_calmer_up_to_one_a_minute() -> None:
    waits = [retry_wait(timedelta(seconds=lasted)).total_seconds() for lasted in (0, 4, 10, 45, 3600)]
    assert waits == [5, 5, 10, 45, 60]


# --- what workers are rung for


def test_an_issue_is_due_while_it_has_a_delivery_to_claim(engine: Engine) -> None:
    issue_id = sending_issue(engine, SIX)
    assert due_issues(engine, [issue_id], now=NOW) == (issue_id,)
    with writing(engine) as session:
        claim_deliveries(
            session, issue_id, owner="w", limit=6, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
    assert due_issues(engine, [issue_id], now=NOW) == ()


def test_an_issue_with_only_deferred_deliveries_is_due_when_the_first_is(engine: Engine) -> None:
    issue_id = sending_issue(engine, SIX)
    with writing(engine) as session:
        session.execute(update(DeliveryRow).values(next_at=NOW + 8 * MINUTE))
        last = select(func.max(DeliveryRow.id)).scalar_subquery()
        session.execute(update(DeliveryRow).where(DeliveryRow.id == last).values(next_at=NOW + 2 * MINUTE))
    assert due_issues(engine, [issue_id], now=NOW + MINUTE) == ()
    assert due_issues(engine, [issue_id], now=NOW + 2 * MINUTE) == (issue_id,)


def test_an_issue_is_not_due_before_the_next_try_of_a_server_that_is_away(engine: Engine) -> None:
    issue_id = sending_issue(engine, SIX)
    meet_outage(engine, issue_id, AWAY, now=NOW)
    assert due_issues(engine, [issue_id], now=NOW + timedelta(seconds=4)) == ()
    assert due_issues(engine, [issue_id], now=NOW + timedelta(seconds=5)) == (issue_id,)


def test_an_approved_issue_is_due_and_a_paused_one_is_not(engine: Engine) -> None:
    approved = approved_issue(engine, stored_newsletter(engine)).id
    paused = sending_issue(engine, SIX)
    with writing(engine) as session:
        change_issue(session, paused, IssueState.PAUSED, now=NOW)
    assert due_issues(engine, [approved, paused], now=NOW) == (approved,)
    assert due_issues(engine, [], now=NOW) == ()
