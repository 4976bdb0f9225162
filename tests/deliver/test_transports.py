"""What every transport promises, asked of each: armed before it can be taken, one copy, an honest outcome."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from digest.deliver.transport import Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable
from tests.deliver.ways import (
    HERE,
    NETWORKED,
    RETURN_PATH,
    Arrived,
    ProviderWay,
    SmtpWay,
    Way,
    hold,
    mail_to,
    no,
    opened,
    send,
    yes,
)


@pytest.fixture(params=[*NETWORKED, *HERE])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    with opened(request.param, request) as found:
        yield found


@pytest.fixture(params=NETWORKED)
def networked(request: pytest.FixtureRequest) -> Iterator[SmtpWay | ProviderWay]:
    with opened(request.param, request) as found:
        assert isinstance(found, SmtpWay | ProviderWay)
        yield found


def test_an_accepted_mail_is_there_once_and_as_it_was_written(way: Way) -> None:
    outcome = send(way.open(), "anna@example.org")
    assert outcome.state is DeliveryState.ACCEPTED
    assert outcome.text
    message = mail_to("anna@example.org") if way.is_raw else b""
    assert way.arrived() == [Arrived("anna@example.org", message)]


def test_a_conversation_names_its_relay_as_the_transport_does(way: Way) -> None:
    async def name(session: MailSession) -> str:
        return session.relay

    transport = way.open()
    assert hold(transport, name) == transport.relay  # type: ignore[attr-defined]
    assert transport.relay.startswith(("127.0.0.1:", way.name))  # type: ignore[attr-defined]


def test_nothing_has_arrived_when_the_arm_is_asked_for_and_it_is_asked_for_once(way: Way) -> None:
    there: list[int] = []

    async def arm() -> bool:
        there.append(len(way.arrived()))
        return True

    send(way.open(), "anna@example.org", arm)
    assert there == [0]
    assert len(way.arrived()) == 1


def test_without_an_arm_nothing_arrives_and_the_next_mail_does(way: Way) -> None:
    transport = way.open()
    with pytest.raises(NotArmed):
        send(transport, "anna@example.org", no)
    assert send(transport, "ben@example.org").state is DeliveryState.ACCEPTED
    assert [mail.recipient for mail in way.arrived()] == ["ben@example.org"]


def test_an_arm_that_cannot_be_committed_sends_nothing(way: Way) -> None:
    async def broken() -> bool:
        raise Unavailable("the database is away")

    with pytest.raises(Unavailable, match="the database is away"):
        send(way.open(), "anna@example.org", broken)
    assert way.arrived() == []


def test_a_conversation_carries_many_mails(way: Way) -> None:
    readers = ["anna@example.org", "ben@example.org", "cleo@example.org"]

    async def all_three(session: MailSession) -> list[Outcome]:
        found = []
        for reader in readers:
            assert session.is_open
            found.append(await session.send(Envelope(RETURN_PATH, reader), mail_to(reader), yes))
        return found

    outcomes = hold(way.open(), all_three)
    assert isinstance(outcomes, list)
    assert {outcome.state for outcome in outcomes} == {DeliveryState.ACCEPTED}
    assert sorted(mail.recipient for mail in way.arrived()) == readers


def test_an_address_outside_ascii_arrives_or_has_failed_in_words(way: Way) -> None:
    outcome = send(way.open(), "lektør@example.org")
    if outcome.state is DeliveryState.ACCEPTED:
        assert [mail.recipient for mail in way.arrived()] == ["lektør@example.org"]
    else:
        assert outcome.state is DeliveryState.FAILED
        assert "lektør@example.org has letters before the @" in outcome.text
        assert way.arrived() == []


def test_a_server_that_is_away_is_met_before_anything_is_armed(networked: SmtpWay | ProviderWay) -> None:
    armed: list[bool] = []

    async def arm() -> bool:
        armed.append(True)
        return True

    transport = networked.open()
    networked.away()
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        send(transport, arm=arm)
    assert armed == []


def test_a_reader_who_is_refused_has_failed(networked: SmtpWay | ProviderWay) -> None:
    outcome = send(networked.open(), networked.refuse())
    assert outcome.state is DeliveryState.FAILED
    assert outcome.code
    assert networked.arrived() == []


def test_what_the_server_cannot_take_now_is_pending(networked: SmtpWay | ProviderWay) -> None:
    outcome = send(networked.open(), networked.defer())
    assert outcome.state is DeliveryState.PENDING
    assert outcome.code
    assert networked.arrived() == []


def test_an_answer_that_is_lost_leaves_it_unknown_and_nothing_is_sent_twice(
    networked: SmtpWay | ProviderWay,
) -> None:
    transport = networked.open()
    outcome = send(transport, networked.lose_the_answer())
    assert outcome.state is DeliveryState.UNKNOWN
    assert len(networked.arrived()) == 1


def test_a_sender_that_does_not_keep_the_promise_is_found_out(networked: SmtpWay | ProviderWay) -> None:
    """The control: one that arms afterwards, and one that tries again when an answer is lost."""
    there: list[int] = []

    async def arms_too_late(session: MailSession) -> None:
        await session.send(Envelope(RETURN_PATH, "ben@example.org"), mail_to("ben@example.org"), yes)
        there.append(len(networked.arrived()))

    hold(networked.open(), arms_too_late)
    assert there == [1]
    transport, reader = networked.open(), networked.lose_the_answer()
    for _ in range(2):
        assert send(transport, reader).state is DeliveryState.UNKNOWN
    assert len(networked.arrived()) == 3


def test_an_answer_that_never_comes_leaves_it_unknown_after_a_while(networked: SmtpWay | ProviderWay) -> None:
    outcome = send(networked.open(timeout=1.0), networked.keep_silent())
    assert outcome.state is DeliveryState.UNKNOWN
    assert outcome.text
    assert len(networked.arrived()) <= 1
