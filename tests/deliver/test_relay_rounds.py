"""Issues sent through conversations that end, and through several relays of which some are away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from benchmarks.readers import Size, sending_issue
from digest.deliver.mail_urls import open_relays, transport_of
from digest.deliver.smtp import Limits
from digest.deliver.steps import Pace, send_issue
from digest.deliver.transport import Envelope
from digest.domain.deliveries import Claim, DeliveryState
from digest.domain.errors import Unavailable
from digest.domain.issues import IssueId
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.outages import find_outage
from tests.servers.faults import Faults, MostMails
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink

SMALL = Size(readers=120, topics=4, articles=8, follows=2)
ALL = {DeliveryState.ACCEPTED: 120}


def mail_for(claim: Claim) -> tuple[Envelope, bytes]:
    return Envelope("bounces@example.org", claim.email), f"Message-ID: {claim.message_id}\r\n\r\n".encode()


def send(engine: Engine, issue_id: IssueId, urls: Sequence[str], limits: Limits | None = None) -> None:
    asyncio.run(
        send_issue(
            engine,
            issue_id,
            transport=transport_of(open_relays(urls, SecretStr(""), limits=limits)),
            mail_for=mail_for,
            owner="tester:0:0",
            clock=lambda: datetime.now(UTC),
            pace=Pace(sessions=6, batch=50),
        )
    )


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    """Return the states that occur."""
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue_id).items() if count}


def test_an_issue_is_sent_through_conversations_that_end(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    send(engine, issue_id, [smtp_sink.url], Limits(messages=4))
    assert counts(engine, issue_id) == ALL
    assert smtp_sink.connections >= 30
    assert set(smtp_sink.copies().values()) == {1}


@pytest.mark.parametrize("fault", [MostMails(5), MostMails(5, 0)])
def test_a_server_that_ends_conversations_delays_no_reader(
    engine: Engine, smtp_sink: SmtpSink, fault: MostMails
) -> None:
    smtp_sink.faults = Faults(on_connection=lambda _: fault)
    issue_id = sending_issue(engine, SMALL)
    send(engine, issue_id, [smtp_sink.url])
    assert counts(engine, issue_id) == ALL
    assert set(smtp_sink.copies().values()) == {1}


def test_two_relays_share_an_issue_and_each_mail_says_whose_it_was(engine: Engine) -> None:
    issue_id = sending_issue(engine, SMALL)
    with SmtpSink() as first, SmtpSink() as second:
        urls = [f"{first.url}?name=first&weight=2", f"{second.url}?name=second"]
        send(engine, issue_id, urls, Limits(messages=5))
        taken = {"[first]": set(first.copies()), "[second]": set(second.copies())}
    assert counts(engine, issue_id) == ALL
    assert all(taken.values())
    assert not taken["[first]"] & taken["[second]"]
    with reading(engine) as session:
        for email, text in session.query(DeliveryRow.email, DeliveryRow.smtp_text):
            assert email in taken[text.rpartition(" ")[2]]


def test_a_relay_that_is_away_is_no_outage_as_others_send_all(engine: Engine, smtp_sink: SmtpSink) -> None:
    issue_id = sending_issue(engine, SMALL)
    send(engine, issue_id, [f"smtp://127.0.0.1:{free_port()}?weight=5", smtp_sink.url])
    assert counts(engine, issue_id) == ALL
    with reading(engine) as session:
        assert find_outage(session, issue_id) is None


@pytest.mark.usefixtures("no_pauses")
def test_when_all_relays_are_away_that_is_an_outage(engine: Engine) -> None:
    issue_id = sending_issue(engine, SMALL)
    ports = free_port(), free_port()
    with pytest.raises(Unavailable, match="none of 2 mail servers takes mail"):
        send(engine, issue_id, [f"smtp://127.0.0.1:{port}" for port in ports])
    assert counts(engine, issue_id) == {DeliveryState.PENDING: 120}
    with reading(engine) as session:
        outage = find_outage(session, issue_id)
    assert outage is not None
    assert all(f"127.0.0.1:{port} takes no mail" in outage.reason for port in ports)
