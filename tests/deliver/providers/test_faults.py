"""Providers that misbehave: what is certain counts as such, what is not is unknown, and no fault of ours or
theirs fails a reader's mail.
"""

from __future__ import annotations

import time

import pytest
from pydantic import SecretStr

from digest.deliver.providers import HttpTransport, open_provider
from digest.deliver.transport import Envelope, MailSession
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Refused, Unavailable
from tests.deliver.ways import RETURN_PATH, hold, mail_to, send, yes
from tests.servers.provider_server import (
    Behaviour,
    ProviderServer,
    points_to,
    resets,
    sends,
    silent,
    status,
    takes,
    takes_and_breaks_off,
    takes_and_drips,
    takes_and_hangs_up,
    takes_and_sends,
)
from tests.waiting import PATIENCE

SHORT = 1.0


def patience_with(behaviour: Behaviour) -> float:
    """Seconds to wait for an answer: not long where none comes."""
    return SHORT if behaviour in (silent, takes_and_drips) else PATIENCE


def transport_to(server: ProviderServer, *, timeout: float = PATIENCE) -> HttpTransport:
    return open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=timeout)


def copies(server: ProviderServer) -> list[str]:
    return [taken.recipient for taken in server.taken]


@pytest.mark.parametrize(
    "behaviour",
    [
        takes_and_hangs_up,
        takes_and_breaks_off,
        takes_and_drips,
        takes_and_sends(b"{}"),
        takes_and_sends(b"[]"),
        takes_and_sends(b'{"MessageId": 7, "MessageID": "", "id": null}', X_Message_Id=""),
        takes_and_sends(b'{"MessageId": "m-1", "Mess'),
        takes_and_sends(b"<html>Welcome to the airport's network</html>"),
        takes_and_sends(b'{"MessageId": "' + b"m" * 100_000 + b'"}'),
        takes_and_sends(b"\xff\xfe\x00"),
        takes_and_sends(b"[" * 60_000),
        takes_and_sends(b"", 204),
        takes_and_sends(b"bad gateway", 502),
        takes_and_sends(b"gateway timeout", 504),
        takes_and_sends(b"a timeout occurred", 524),
    ],
)
def test_what_may_have_been_taken_is_unknown_and_never_sent_again(
    server: ProviderServer, behaviour: Behaviour
) -> None:
    server.will(behaviour, takes)
    outcome = send(transport_to(server, timeout=patience_with(behaviour)))
    assert outcome.state is DeliveryState.UNKNOWN
    assert outcome.text
    assert copies(server) == ["anna@example.org"]
    assert len(server.posts) == 1


@pytest.mark.parametrize("behaviour", [silent, resets])
def test_a_request_that_nobody_may_have_read_is_unknown_too(
    server: ProviderServer, behaviour: Behaviour
) -> None:
    server.will(behaviour, takes)
    outcome = send(transport_to(server, timeout=patience_with(behaviour)))
    assert outcome.state is DeliveryState.UNKNOWN
    assert "no answer from 127.0.0.1" in outcome.text
    assert (len(server.posts), server.taken) == (1, [])


def test_after_an_answer_that_was_lost_the_conversation_is_over_and_the_next_goes_on(
    server: ProviderServer,
) -> None:
    server.will(takes_and_hangs_up, takes)
    transport = transport_to(server)

    async def one(session: MailSession) -> tuple[Outcome, bool]:
        envelope = Envelope(RETURN_PATH, "anna@example.org")
        return await session.send(envelope, mail_to("anna@example.org"), yes), session.is_open

    outcome, is_open = hold(transport, one)  # type: ignore[misc]
    assert (outcome.state, is_open) == (DeliveryState.UNKNOWN, False)
    assert send(transport, "ben@example.org").state is DeliveryState.ACCEPTED
    assert copies(server) == ["anna@example.org", "ben@example.org"]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (status(401, "invalid credentials"), "mail_key"),
        (status(402, "no credit"), "account"),
        (status(403, "forbidden"), "mail_key"),
        (status(404, "no such domain"), "mail_url"),
        (status(405, "not here"), "mail_url"),
        (sends(401, b"<html>who are you</html>"), "mail_key"),
    ],
)
def test_our_own_fault_fails_nobody_and_stops_the_sending(
    server: ProviderServer, behaviour: Behaviour, words: str
) -> None:
    server.will(behaviour)
    transport = transport_to(server)
    outcome = send(transport)
    assert outcome.state is DeliveryState.PENDING
    with pytest.raises(Refused, match=words):
        send(transport, "ben@example.org")
    assert len(server.posts) == 1


@pytest.mark.parametrize("code", [500, 501, 503, 507, 599])
def test_their_own_fault_fails_nobody_and_is_waited_for(server: ProviderServer, code: int) -> None:
    server.will(status(code, "we are sorry"))
    transport = transport_to(server)
    outcome = send(transport)
    assert (outcome.state, outcome.code) == (DeliveryState.PENDING, code)
    with pytest.raises(Unavailable, match=str(code)):
        send(transport, "ben@example.org")
    assert len(server.posts) == 1


@pytest.mark.parametrize("code", [400, 408, 409, 418, 422, 425])
def test_what_is_wrong_with_one_mail_alone_keeps_no_other(server: ProviderServer, code: int) -> None:
    server.will(status(code, "cannot be processed"), takes)

    async def two(session: MailSession) -> list[Outcome]:
        return [
            await session.send(Envelope(RETURN_PATH, reader), mail_to(reader), yes)
            for reader in ("anna@example.org", "ben@example.org")
        ]

    first, second = hold(transport_to(server), two)  # type: ignore[misc]
    assert (first.state, first.code) == (DeliveryState.PENDING, code)
    assert "cannot be processed" in first.text
    assert second.state is DeliveryState.ACCEPTED


def test_a_busy_provider_is_asked_again_with_the_same_mail_as_soon_as_it_wants(
    server: ProviderServer,
) -> None:
    server.will(status(429, Retry_After="0.2"), status(429), takes)
    begun = time.monotonic()
    outcome = send(transport_to(server))
    assert outcome.state is DeliveryState.ACCEPTED
    assert copies(server) == ["anna@example.org"]
    assert len(server.posts) == 3
    assert len({call.body for call in server.posts}) == 1
    assert time.monotonic() - begun >= 0.2


def test_a_provider_that_wants_to_be_left_alone_for_long_is(server: ProviderServer) -> None:
    server.will(status(429, Retry_After="120"), takes)
    transport = transport_to(server)
    begun = time.monotonic()
    outcome = send(transport)
    assert (outcome.state, outcome.code) == (DeliveryState.PENDING, 429)
    assert time.monotonic() - begun < 20
    with pytest.raises(Unavailable) as caught:
        send(transport, "ben@example.org")
    assert caught.value.retry_after is not None
    assert 60 < caught.value.retry_after.total_seconds() <= 120
    assert (len(server.posts), server.taken) == (1, [])


def test_a_provider_that_stays_busy_is_not_waited_for_longer_than_a_pause_may_take(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.deliver.providers.transport.PATIENCE", 0.5)
    server.will(status(429))
    assert send(transport_to(server)).state is DeliveryState.PENDING
    assert 2 <= len(server.posts) <= 4


def test_the_key_follows_no_redirect(server: ProviderServer) -> None:
    with ProviderServer(type(server.dialect)()) as other:
        for code in (301, 302, 303, 307, 308):
            server.will(points_to(f"{other.url}/v3/mail/send", code))
            outcome = send(transport_to(server))
            assert outcome.state is DeliveryState.PENDING
            assert "sends us elsewhere" in outcome.text
        server.greets(points_to(other.url))
        with pytest.raises(Refused, match="sends us elsewhere"):
            send(transport_to(server))
        assert (other.posts, other.greetings) == ([], [])


def test_no_proxy_of_the_environment_gets_the_key(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProviderServer(type(server.dialect)()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert send(transport_to(server)).state is DeliveryState.ACCEPTED
        assert (proxy.posts, proxy.greetings) == ([], [])


def test_a_mail_that_is_too_large_is_told_in_figures_and_not_armed(server: ProviderServer) -> None:
    armed: list[bool] = []

    async def arm() -> bool:
        armed.append(True)
        return True

    async def large(session: MailSession) -> Outcome:
        message = mail_to("anna@example.org") + b"x" * 76 + b"\r\n" + b"\r\n" * 15_000_000
        return await session.send(Envelope(RETURN_PATH, "anna@example.org"), message, arm)

    outcome = hold(transport_to(server), large)
    assert isinstance(outcome, Outcome)
    assert outcome.state is DeliveryState.FAILED
    assert "the mail has 30.0 MB" in outcome.text
    assert (armed, server.posts) == ([], [])


def test_a_mail_that_the_provider_finds_too_large_has_failed(server: ProviderServer) -> None:
    server.will(status(413, "request entity too large"))
    outcome = send(transport_to(server))
    assert outcome.state is DeliveryState.FAILED
    assert "too large" in outcome.text


@pytest.mark.parametrize("behaviour", [status(500), status(503), silent, resets, status(408)])
def test_a_greeting_that_fails_arms_nothing(server: ProviderServer, behaviour: Behaviour) -> None:
    server.greets(behaviour)
    with pytest.raises(Unavailable):
        send(transport_to(server, timeout=patience_with(behaviour)))
    assert server.posts == []


def test_whoever_answers_must_speak_like_the_provider_before_a_mail_is_armed(server: ProviderServer) -> None:
    server.greets(sends(200, b"<html>Welcome to the airport's network</html>"))
    with pytest.raises(Unavailable, match="mail_url"):
        send(transport_to(server))
    assert server.posts == []


def test_a_greeting_says_when_to_come_back(server: ProviderServer) -> None:
    server.greets(status(503, Retry_After="30"))
    with pytest.raises(Unavailable) as caught:
        send(transport_to(server))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 30
