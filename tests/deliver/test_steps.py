"""Sending an issue: every reader once, whatever the server says, and nothing for who should get nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from benchmarks.readers import Address, Size, plain_address, sending_issue
from digest.deliver.owners import Owner
from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.steps import MailFor, Pace, due_issues, finish_issue, send_issue, sweep
from digest.deliver.transport import Envelope
from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.errors import Refused, Unavailable
from digest.domain.issues import IssueId, IssueState
from digest.domain.subscribers import SubscriberId
from digest.store.claims import arm_deliveries, claim_deliveries, settle_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import (
    DeliveryRow,
    count_deliveries,
)
from digest.store.issues import change_issue, get_issue
from digest.store.open_outcomes import (
    settle_unknown,
)
from digest.store.suppressions import is_suppressed, suppress
from digest.track.steps import unsubscribe
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE

PACE = Pace(sessions=8, batch=50)
SMALL = Size(readers=120, topics=4, articles=8, follows=2)


def mail_for(claim: Claim) -> tuple[Envelope, bytes]:
    """Write a mail of some length: what it says is another test's matter."""
    text = f"Message-ID: {claim.message_id}\r\n\r\n" + f"edition {claim.edition}\r\n" * 500
    return Envelope("bounces@example.org", claim.email), text.encode()


def send(
    engine: Engine,
    issue_id: IssueId,
    url: str,
    *,
    owner: str = "tester:0:0",
    timeout: float = PATIENCE,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    should_stop: Callable[[], bool] = lambda: False,
    on_settled: Callable[[Outcome], None] = lambda _: None,
    pace: Pace = PACE,
    mail_for: MailFor = mail_for,
) -> None:
    server = SmtpServer.from_url(url)
    asyncio.run(
        send_issue(
            engine,
            issue_id,
            transport=SmtpTransport(SmtpServer(server.host, server.port, timeout=timeout, start_tls=False)),
            mail_for=mail_for,
            owner=owner,
            clock=clock,
            pace=pace,
            should_stop=should_stop,
            on_settled=on_settled,
        )
    )


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    """Return the states that occur."""
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue_id).items() if count}


def state_of(engine: Engine, issue_id: IssueId) -> IssueState:
    with reading(engine) as session:
        return get_issue(session, issue_id).state


def special(prefix: str, every: int = 10) -> Address:
    """Return addresses of which every tenth makes the sink misbehave."""
    return lambda n: f"{prefix}.{n}@example.org" if n % every == 0 else plain_address(n)


def test_every_reader_gets_the_issue_once(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 120}
    assert set(smtp_sink.copies().values()) == {1}
    assert len(smtp_sink.copies()) == 120
    assert finish_issue(engine, issue_id, now=datetime.now(UTC))
    assert state_of(engine, issue_id) is IssueState.SENT


def test_sending_again_sends_nothing(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    for _ in range(3):
        send(engine, issue_id, smtp_sink.url)
    assert smtp_sink.count() == 120


def test_two_workers_share_an_issue(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, Size(readers=600, topics=4, articles=8, follows=2))
    workers = [
        threading.Thread(target=send, args=(engine, issue_id, smtp_sink.url), kwargs={"owner": f"w:{n}:0"})
        for n in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 600}
    assert set(smtp_sink.copies().values()) == {1}


def test_a_deferred_delivery_is_tried_again_later(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL, address=special("defer-451-once"))
    now = datetime.now(UTC)
    for _ in range(2):
        send(engine, issue_id, smtp_sink.url, clock=lambda: now)
        assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 108, DeliveryState.PENDING: 12}
        assert smtp_sink.count() == 108, "the back-off was not waited for"
    later = now + timedelta(hours=1)
    send(engine, issue_id, smtp_sink.url, clock=lambda: later)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 120}
    assert set(smtp_sink.copies().values()) == {1}


def test_a_mail_that_was_put_off_after_its_issue_counted_as_sent_is_sent_all_the_same(
    engine: Engine, smtp_sink: SmtpSink
) -> None:
    issue_id = sending_issue(engine, Size(readers=1, topics=1, articles=1, follows=1))
    now = datetime.now(UTC)
    lease_until = now + timedelta(minutes=5)
    with writing(engine) as session:
        claims = claim_deliveries(session, issue_id, owner="w", limit=9, now=now, lease_until=lease_until)
        assert arm_deliveries(session, claims, owner="w", now=now)
    # The worker stands still past its lease: what it has armed is unknown, and the last.
    assert sweep(engine, now=now + timedelta(minutes=6)).finished == (issue_id,)
    with writing(engine) as session:
        late = Outcome(DeliveryState.PENDING, 451, "4.2.1 later", timedelta(minutes=2))
        assert settle_deliveries(session, [(claims[0], late)], now=now + timedelta(minutes=7)) == 1
    later = now + timedelta(minutes=10)
    assert sweep(engine, now=later).finished == ()
    assert due_issues(engine, [issue_id], now=later) == (issue_id,)
    send(engine, issue_id, smtp_sink.url, clock=lambda: later)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 1}
    assert sweep(engine, now=later).finished == (issue_id,)
    assert sweep(engine, now=later).finished == ()


def test_a_delivery_deferred_for_three_days_has_failed(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, Size(readers=10, topics=4, articles=8), address=special("defer-451"))
    # It waited for four days before anybody could try: for ops, or for its day of the warm-up.
    first = datetime.now(UTC) + timedelta(days=4)
    for hours in range(0, 73, 6):
        send(engine, issue_id, smtp_sink.url, clock=lambda hours=hours: first + timedelta(hours=hours))
        assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 9, DeliveryState.PENDING: 1}, hours
    send(engine, issue_id, smtp_sink.url, clock=lambda: first + timedelta(hours=78))
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 9, DeliveryState.FAILED: 1}


def test_a_delivery_that_nobody_could_try_for_days_is_not_given_up_at_the_next_refusal(
    engine: Engine, smtp_sink: SmtpSink
) -> None:
    issue_id = sending_issue(engine, Size(readers=10, topics=4, articles=8), address=special("defer-451"))
    now = datetime.now(UTC)
    send(engine, issue_id, smtp_sink.url, clock=lambda: now)
    # Paused for a weekend, say.
    send(engine, issue_id, smtp_sink.url, clock=lambda: now + timedelta(days=4))
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 9, DeliveryState.PENDING: 1}


def test_a_mailbox_that_does_not_exist_is_suppressed(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL, address=special("reject-550"))
    send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 108, DeliveryState.FAILED: 12}
    with reading(engine) as session:
        assert is_suppressed(session, "reject-550.0@example.org")


def test_what_is_logged_of_a_message_names_its_delivery_and_not_its_reader(
    engine: Engine, smtp_sink: SmtpSink
) -> None:
    issue_id = sending_issue(engine, SMALL, address=special("reject-550"))
    with capture_logs(processors=[merge_contextvars]) as logs:
        send(engine, issue_id, smtp_sink.url)
    told = [line for line in logs if line["event"] == "delivery.not_accepted"]
    with reading(engine) as session:
        failed = DeliveryRow.state == DeliveryState.FAILED.value
        rows = session.scalars(select(DeliveryRow.id).where(failed)).all()
    assert sorted(line["delivery"] for line in told) == sorted(rows)
    said = {(line["state"], line["code"], line["attempt"]) for line in told}
    assert said == {(DeliveryState.FAILED, 550, 1)}
    assert "@" not in str(logs)
    assert "delivery" not in get_contextvars()


def test_a_server_that_refuses_us_suppresses_and_loses_nobody(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL, address=special("reject-550-5.7.1"))
    send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 108, DeliveryState.PENDING: 12}
    with reading(engine) as session:
        assert not is_suppressed(session, "reject-550-5.7.1.0@example.org")


@pytest.mark.parametrize(("prefix", "at_the_sink"), [("drop-after-dot", 120), ("lose-after-dot", 108)])
def test_an_unknown_outcome_is_counted_and_never_sent_again_unasked(
    engine: Engine, smtp_sink: SmtpSink, prefix: str, at_the_sink: int
) -> None:
    issue_id = sending_issue(engine, SMALL, address=special(prefix))
    for _ in range(2):
        send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 108, DeliveryState.UNKNOWN: 12}
    assert smtp_sink.count() == at_the_sink


def test_evidence_settles_the_unknown_and_every_reader_has_one_copy(
    engine: Engine, smtp_sink: SmtpSink
) -> None:
    def address(number: int) -> str:
        prefix = {0: "drop-after-dot-once", 5: "lose-after-dot-once"}.get(number % 10)
        return f"{prefix}.{number}@example.org" if prefix else plain_address(number)

    issue_id = sending_issue(engine, SMALL, address=address)
    send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id)[DeliveryState.UNKNOWN] == 24
    log = {mail.message_id for mail in smtp_sink.messages()}
    now = datetime.now(UTC)
    with writing(engine) as session:
        assert settle_unknown(session, issue_id, accepted=log, absent_are_pending=False, now=now) == (12, 0)
    with writing(engine) as session:
        assert settle_unknown(session, issue_id, accepted=log, absent_are_pending=True, now=now) == (0, 12)
    send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 120}
    assert set(smtp_sink.copies().values()) == {1}


def test_a_connection_reset_in_the_body_is_sent_again_once(engine: Engine, smtp_sink: SmtpSink) -> None:
    def long_mail_for(claim: Claim) -> tuple[Envelope, bytes]:
        # More than fits on the way: the reset comes before the dot can have left.
        envelope, message = mail_for(claim)
        return envelope, message * (1_000 if claim.email.startswith("reset") else 1)

    issue_id = sending_issue(engine, SMALL, address=special("reset-in-body-once", every=40))
    send(engine, issue_id, smtp_sink.url, mail_for=long_mail_for)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 117, DeliveryState.PENDING: 3}
    later = datetime.now(UTC) + timedelta(hours=1)
    send(engine, issue_id, smtp_sink.url, clock=lambda: later)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 120}
    assert set(smtp_sink.copies().values()) == {1}


@pytest.mark.usefixtures("no_pauses")
def test_a_server_that_is_away_leaves_everything_pending_and_is_told(engine: Engine) -> None:
    issue_id = sending_issue(engine, SMALL)
    with pytest.raises(Unavailable, match="takes no mail"):
        send(engine, issue_id, f"smtp://127.0.0.1:{free_port()}")
    assert counts(engine, issue_id) == {DeliveryState.PENDING: 120}


@pytest.mark.usefixtures("no_pauses")
def test_a_server_that_is_away_is_told_even_when_few_are_left(engine: Engine) -> None:
    issue_id = sending_issue(engine, Size(readers=3, topics=4, articles=8, follows=2))
    with pytest.raises(Unavailable, match="takes no mail"):
        send(engine, issue_id, f"smtp://127.0.0.1:{free_port()}")
    assert counts(engine, issue_id) == {DeliveryState.PENDING: 3}


def test_a_reader_who_cannot_be_written_to_fails_alone(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)

    def write(claim: Claim) -> tuple[Envelope, bytes]:
        if claim.email == plain_address(7):
            raise Refused("their address needs SMTPUTF8")
        return mail_for(claim)

    server = SmtpServer.from_url(smtp_sink.url)
    asyncio.run(
        send_issue(
            engine,
            issue_id,
            transport=SmtpTransport(server),
            mail_for=write,
            owner="tester:0:0",
            clock=lambda: datetime.now(UTC),
        )
    )
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 119, DeliveryState.FAILED: 1}


def test_stopping_ends_what_is_under_way_and_gives_back_the_rest(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    settled: list[Outcome] = []
    send(
        engine,
        issue_id,
        smtp_sink.url,
        should_stop=lambda: len(settled) >= 30,
        on_settled=settled.append,
    )
    found = counts(engine, issue_id)
    assert set(found) == {DeliveryState.ACCEPTED, DeliveryState.PENDING}
    assert found[DeliveryState.ACCEPTED] == smtp_sink.count() < 60
    send(engine, issue_id, smtp_sink.url)
    assert set(smtp_sink.copies().values()) == {1}
    assert smtp_sink.count() == 120


def test_a_pause_stops_the_send_and_resuming_sends_the_rest(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    settled: list[Outcome] = []

    def pause_at_thirty(outcome: Outcome) -> None:
        settled.append(outcome)
        if len(settled) == 30:
            with writing(engine) as session:
                change_issue(session, issue_id, IssueState.PAUSED, now=datetime.now(UTC))

    send(engine, issue_id, smtp_sink.url, on_settled=pause_at_thirty)
    found = counts(engine, issue_id)
    assert set(found) == {DeliveryState.ACCEPTED, DeliveryState.PENDING}
    assert found[DeliveryState.ACCEPTED] == smtp_sink.count() < 60
    with writing(engine) as session:
        change_issue(session, issue_id, IssueState.SENDING, now=datetime.now(UTC))
    send(engine, issue_id, smtp_sink.url)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 120}
    assert set(smtp_sink.copies().values()) == {1}


def test_nobody_is_sent_to_after_they_unsubscribed(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    leaving: list[int] = []
    at_the_time: set[str] = set()

    def leave_at_ten(_: Outcome) -> None:
        if not leaving:
            leaving.extend(range(1, 121))
            with reading(engine) as session:
                newsletter_id = get_issue(session, issue_id).newsletter_id
            for subscriber_id in leaving:
                unsubscribe(engine, newsletter_id, SubscriberId(subscriber_id), now=datetime.now(UTC))
            with reading(engine) as session:
                armed = session.scalars(select(DeliveryRow.email).where(DeliveryRow.armed_at.is_not(None)))
                at_the_time.update(armed)

    send(engine, issue_id, smtp_sink.url, on_settled=leave_at_ten)
    assert set(smtp_sink.copies()) <= at_the_time
    assert DeliveryState.CANCELLED in counts(engine, issue_id)
    assert not {DeliveryState.PENDING, DeliveryState.CLAIMED} & set(counts(engine, issue_id))


def test_a_reader_suppressed_after_the_claim_is_not_sent_to(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    with writing(engine) as session:
        suppress(session, plain_address(3), reason="complaint", detail="", now=datetime.now(UTC))
    send(engine, issue_id, smtp_sink.url)
    assert plain_address(3) not in smtp_sink.copies()
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 119, DeliveryState.CANCELLED: 1}


def test_a_sweep_takes_back_what_a_dead_worker_held(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    now = datetime.now(UTC)
    gone = str(Owner(Owner.this_process().host, 2**22 + 1, 1, "gone"))
    alive = str(Owner.this_process())
    with writing(engine) as session:
        lost, _ = (
            claim_deliveries(
                session, issue_id, owner=owner, limit=20, now=now, lease_until=now + timedelta(minutes=5)
            )
            for owner in (gone, alive)
        )
        # Which twenty a claim takes is the database's affair: their numbers need not follow one another.
        armed = [claim.id for claim in lost[:5]]
        session.execute(
            update(DeliveryRow).where(DeliveryRow.id.in_(armed)).values(state=DeliveryState.SENDING)
        )
    swept = sweep(engine, now=now)
    assert (swept.released, swept.unknown) == (15, 5)
    assert counts(engine, issue_id) == {
        DeliveryState.PENDING: 95,
        DeliveryState.CLAIMED: 20,
        DeliveryState.UNKNOWN: 5,
    }
    assert sweep(engine, now=now + timedelta(minutes=6)).released == 20


def test_an_issue_with_something_left_to_send_is_not_finished(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL, address=special("defer-451"))
    send(engine, issue_id, smtp_sink.url)
    assert not finish_issue(engine, issue_id, now=datetime.now(UTC))
    assert state_of(engine, issue_id) is IssueState.SENDING
