"""A send that keeps to caps, heeds what receivers say and is silent in quiet hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.steps import Pace, due_issues, send_issue
from digest.deliver.throttle.caps import UNTHROTTLED, Throttle, WarmUp
from digest.deliver.transport import Arm, Envelope, MailSession
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.newsletters import change_newsletter
from digest.store.receivers import Receiver, limited_receivers, lock_receiver, pause_receiver
from digest.store.throttles import let_go_on
from tests.deliver.throttle.sending import (
    ACCEPTED,
    NOW,
    TOO_FAST,
    UNWANTED,
    Conversation,
    Server,
    Time,
    at_domains,
    counts,
    issue_due,
    mail_for,
    send,
    throttled,
)
from tests.servers.faults import At, Faults, RecipientFault, Reply
from tests.servers.smtp_sink import SmtpSink

MIXED = at_domains("gmail.com", "example.org")


def limited(engine: Engine) -> tuple[Receiver, ...]:
    with reading(engine) as session:
        return limited_receivers(session)


def by_domain(server: Server, domain: str) -> int:
    return sum(reader.endswith(domain) for reader in server.readers)


@pytest.mark.parametrize("cap", ["1200/min", "relay mx.example.org: 20/s", "example.org: 20/s"])
def test_a_cap_is_kept_and_everybody_gets_the_issue_once(engine: Engine, cap: str) -> None:
    issue_id, server = issue_due(engine, 150), Server(Time())
    send(engine, issue_id, server, throttled(cap), sessions=4)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 150}
    assert len(set(server.readers)) == 150
    lasted = (max(at for at, _ in server.armed) - NOW).total_seconds()
    assert lasted >= (150 - 21) / 20 * 0.99, "a second's worth may be caught up on"


def test_a_cap_on_one_group_does_not_hold_up_the_others(engine: Engine) -> None:
    issue_id, server = issue_due(engine, 60, address=MIXED), Server(Time())
    send(engine, issue_id, server, throttled("google: 60/min"), batch=20)
    others = [at for at, reader in server.armed if reader.endswith("example.org")]
    assert len(others) == 30
    assert max(others) == NOW
    assert by_domain(server, "gmail.com") >= 12


def test_a_worker_that_would_wait_for_minutes_leaves_it_to_a_later_one(engine: Engine) -> None:
    issue_id, time = issue_due(engine, 5), Time()
    throttle = throttled("6/h")
    send(engine, issue_id, Server(time), throttle)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 1, DeliveryState.PENDING: 4}
    assert due_issues(engine, [issue_id], now=NOW + timedelta(minutes=8), throttle=throttle) == ()
    assert due_issues(engine, [issue_id], now=NOW + timedelta(minutes=10), throttle=throttle) == (issue_id,)


def test_a_conversation_that_has_waited_too_long_for_its_turn_costs_no_reader_an_attempt(
    engine: Engine,
) -> None:
    issue_id, server = issue_due(engine, 5), Impatient(Time())
    send(engine, issue_id, server, throttled("relay mx.example.org: 90/h"))
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 5}
    moments = sorted(at for at, _ in server.armed)
    assert all(b - a >= timedelta(seconds=39) for a, b in pairwise(moments))


def test_a_receiver_that_is_paused_elsewhere_gets_no_more_of_a_batch_that_is_under_way(
    engine: Engine,
) -> None:
    issue_id, time = issue_due(engine, 40, address=MIXED), Time()

    def slowly(_: str) -> Outcome:
        time.now += timedelta(seconds=1)
        if server.asked == 10:
            with writing(engine) as session:
                row = lock_receiver(session, "google", now=time())
                pause_receiver(row, "ops said so", now=time(), is_told=True)
        return ACCEPTED

    server = Server(time, slowly)
    send(engine, issue_id, server, UNTHROTTLED)
    assert by_domain(server, "example.org") == 20
    assert by_domain(server, "gmail.com") <= 10
    assert counts(engine, issue_id)[DeliveryState.PENDING] == 20 - by_domain(server, "gmail.com")


class Impatient(Server):
    """A server that ends a conversation in which nothing was said for half a minute."""

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        yield Ended(self)


class Ended(Conversation):
    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._heard_at = server.time()

    @property
    def is_open(self) -> bool:  # type: ignore[override]
        return self._server.time() - self._heard_at < timedelta(seconds=30)

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        if not self.is_open:
            raise Unavailable("the server hung up")
        outcome = await super().send(envelope, message, arm)
        self._heard_at = self._server.time()
        return outcome


def test_a_relay_that_is_used_up_ends_its_conversations_and_gives_back_the_rest(engine: Engine) -> None:
    issue_id, throttle = issue_due(engine, 5), throttled("relay mx.example.org: 6/h")
    send(engine, issue_id, Server(Time()), throttle)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 1, DeliveryState.PENDING: 4}
    assert due_issues(engine, [issue_id], now=NOW + timedelta(minutes=8), throttle=throttle) == ()


def test_who_says_that_we_are_too_fast_gets_half_as_much_and_more_again_by_and_by(
    engine: Engine,
) -> None:
    issue_id, time = issue_due(engine, 40, address=MIXED), Time()
    slow = Server(time, lambda reader: TOO_FAST if reader.endswith("gmail.com") else ACCEPTED)
    with capture_logs() as logs:
        send(engine, issue_id, slow, throttled("google: 10/s"))
    (receiver,) = limited(engine)
    assert (receiver.group, receiver.reduced, receiver.full) == ("google", 5.0, 10.0)
    assert receiver.halved_why == "421 4.7.0 try again later, closing connection"
    assert [line["event"] for line in logs if line["event"].startswith("throttle")] == ["throttle.halved"]
    assert by_domain(slow, "example.org") == 20, "nobody else is slowed down"
    time.now = NOW + timedelta(minutes=3)
    well = Server(time)
    send(engine, issue_id, well, throttled("google: 10/s"))
    assert by_domain(well, "gmail.com") == 20


def test_without_a_cap_half_of_what_was_measured_is_the_rate(engine: Engine) -> None:
    issue_id = issue_due(engine, 30, address=at_domains("gmail.com"))
    send(engine, issue_id, Server(Time(), lambda _: TOO_FAST), Throttle())
    (receiver,) = limited(engine)
    assert receiver.reduced is not None
    assert receiver.full is not None
    assert receiver.reduced == max(receiver.full / 2, 1 / 60)


def test_a_server_that_closes_each_connection_after_many_mails_is_not_slowed_down(engine: Engine) -> None:
    issue_id, answered = issue_due(engine, 120, address=at_domains("gmail.com")), iter(range(1_000))
    server = Server(Time(), lambda _: TOO_FAST if next(answered) % 60 == 59 else ACCEPTED)
    send(engine, issue_id, server, Throttle())
    assert limited(engine) == ()
    assert counts(engine, issue_id)[DeliveryState.ACCEPTED] == 118


def test_a_domain_that_refuses_us_is_paused_and_the_others_go_on(engine: Engine, smtp_sink: SmtpSink) -> None:
    def refuse(address: str, _attempt: int) -> RecipientFault | None:
        return Reply(At.RCPT, 550, "5.7.1") if address.endswith("gmail.com") else None

    smtp_sink.faults = Faults(on_recipient=refuse)
    issue_id, time = issue_due(engine, 80, address=MIXED), Time()
    transport = SmtpTransport(SmtpServer.from_url(smtp_sink.url))
    with capture_logs() as logs:
        asyncio.run(
            send_issue(
                engine,
                issue_id,
                transport=transport,
                mail_for=mail_for,
                owner="tester:0:0",
                clock=time,
                pace=Pace(sessions=1, batch=20),
                sleep=time.sleep,
            )
        )
    (paused,) = limited(engine)
    assert (paused.group, paused.paused_at) == ("google", NOW)
    assert "5.7.1" in paused.paused_why
    assert [line["group"] for line in logs if line["event"] == "throttle.paused"] == ["google"]
    assert set(smtp_sink.copies()) == {f"reader{n}@example.org" for n in range(1, 80, 2)}
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 40, DeliveryState.PENDING: 40}


def test_one_readers_odd_policy_pauses_nobody(engine: Engine) -> None:
    issue_id = issue_due(engine, 30, address=at_domains("gmail.com"))
    server = Server(Time(), lambda reader: UNWANTED if reader.startswith("reader7@") else ACCEPTED)
    for hour in range(6):
        server.time.now = NOW + timedelta(minutes=hour)
        send(engine, issue_id, server, Throttle())
    assert limited(engine) == ()


def test_a_mailbox_that_is_gone_says_nothing_of_us(engine: Engine) -> None:
    issue_id = issue_due(engine, 30, address=at_domains("gmail.com"))
    gone = Outcome(DeliveryState.FAILED, 550, "5.1.1 no such mailbox")
    send(engine, issue_id, Server(Time(), lambda _: gone), Throttle())
    assert limited(engine) == ()


def test_a_warm_up_counts_what_left_and_not_what_was_given_back(engine: Engine) -> None:
    issue_id, time = issue_due(engine, 40), Time()
    server = Server(time)
    throttle = throttled(warm_up=WarmUp(date(2026, 11, 23), (30, 100)))
    send(engine, issue_id, server, throttle, should_stop=lambda: server.asked >= 12)
    with reading(engine) as session:
        assert let_go_on(session, NOW.date()) == len(server.armed) == 12
    send(engine, issue_id, server, throttle)
    assert len(server.armed) == 30
    time.now = NOW + timedelta(days=1)
    send(engine, issue_id, server, throttle)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 40}


def test_nothing_is_armed_in_quiet_hours_and_what_is_due_leaves_after_them(engine: Engine) -> None:
    """The clocks of Berlin go from 02:00 to 03:00 in the night to 29 March 2026."""
    evening = datetime(2026, 3, 28, 20, 59, 58, tzinfo=UTC)
    issue_id, time = issue_due(engine, 30, now=evening), Time(evening)
    with writing(engine) as session:
        newsletter_id = get_issue(session, issue_id).newsletter_id
        change_newsletter(session, newsletter_id, timezone="Europe/Berlin", quiet_hours="22:00-02:30")
    server = Server(time)
    send(engine, issue_id, server, throttled("5/s"), batch=9)
    assert 10 <= len(server.armed) <= 16
    assert all(at < datetime(2026, 3, 28, 21, tzinfo=UTC) for at, _ in server.armed)
    assert counts(engine, issue_id)[DeliveryState.PENDING] == 30 - len(server.armed)
    ends = datetime(2026, 3, 29, 1, tzinfo=UTC)
    for moment in (evening + timedelta(minutes=1), ends - timedelta(minutes=2)):
        assert due_issues(engine, [issue_id], now=moment) == ()
    assert due_issues(engine, [issue_id], now=ends) == (issue_id,)
    time.now = ends
    send(engine, issue_id, server, Throttle())
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 30}


def test_a_mail_under_way_when_quiet_hours_begin_is_not_armed(engine: Engine) -> None:
    issue_id, time = issue_due(engine, 3), Time()

    def answer(_: str) -> Outcome:
        time.now = NOW + timedelta(hours=1)
        return ACCEPTED

    with writing(engine) as session:
        change_newsletter(session, get_issue(session, issue_id).newsletter_id, quiet_hours="08:00-09:00")
    server = Server(time, answer)
    send(engine, issue_id, server, Throttle())
    assert (server.asked, server.armed) == (1, [])
    assert counts(engine, issue_id) == {DeliveryState.PENDING: 3}
