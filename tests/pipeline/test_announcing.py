"""Programs that want to know are told what happened: signed, again when they fail, never inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest.domain.endpoints import GIVEN_UP_AFTER, Call, CallState, Endpoint, EventKind, sign
from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SubscriptionState
from digest.pipeline import announcing
from digest.pipeline.announcing import calls_due, make_calls, parse_endpoint_url
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.announcements import announce, calls_of
from digest.store.database import reading, writing
from digest.store.endpoints import add_endpoint, get_endpoint, rotate_secret
from digest.store.newsletters import add_newsletter
from digest.store.subscribers import set_subscription_state, subscribe
from tests.stored import WEEKLY

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
def runtime(sqlite_url: str, httpserver: HTTPServer) -> Iterator[Runtime]:
    allowed = f"{httpserver.host}:{httpserver.port}"
    settings = Settings(database_url=sqlite_url, fetch_allow=(allowed, "localhost:1"))
    found = Runtime(settings, clock=lambda: NOW)
    yield found
    found.engine.dispose()


@pytest.fixture
def listener(runtime: Runtime, httpserver: HTTPServer) -> tuple[Endpoint, str]:
    return listens(runtime, httpserver.url_for("/hook"))


def listens(runtime: Runtime, url: str) -> tuple[Endpoint, str]:
    with writing(runtime.engine) as session:
        return add_endpoint(session, url=url, kinds=set(EventKind), about="", by="Ada", now=NOW)


def tell(runtime: Runtime, issue: int = 1) -> None:
    with writing(runtime.engine) as session:
        announce(session, EventKind.ISSUE_SENT, {"issue": issue}, now=runtime.clock())


def last(runtime: Runtime, endpoint: Endpoint) -> Call:
    with reading(runtime.engine) as session:
        return calls_of(session, endpoint.id, limit=1)[0]


def at(runtime: Runtime, moment: datetime) -> Runtime:
    return replace(runtime, clock=lambda: moment)


def test_an_endpoint_is_told_with_a_signature_it_can_check(
    runtime: Runtime, listener: tuple[Endpoint, str], httpserver: HTTPServer
) -> None:
    endpoint, secret = listener
    httpserver.expect_request("/hook", method="POST").respond_with_data("thanks", 202)
    assert not calls_due(runtime)
    tell(runtime)
    assert calls_due(runtime)
    assert make_calls(runtime) == 1
    ((request, _),) = httpserver.log
    body = request.get_data(as_text=True)
    assert json.loads(body) == {
        "type": "issue.sent",
        "timestamp": "2026-11-23T07:00:00Z",
        "data": {"issue": 1},
    }
    call = last(runtime, endpoint)
    assert request.headers["webhook-id"] == call.event_id
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert request.headers["webhook-signature"] == sign(secret, call.event_id, NOW, body)
    assert request.headers["content-type"] == "application/json"
    assert (call.state, call.status, call.answer) == (CallState.TAKEN, 202, "thanks")
    assert make_calls(runtime) == 0


def test_after_a_rotation_both_secrets_sign(
    runtime: Runtime, listener: tuple[Endpoint, str], httpserver: HTTPServer
) -> None:
    endpoint, before = listener
    httpserver.expect_request("/hook").respond_with_data("")
    with writing(runtime.engine) as session:
        after = rotate_secret(session, endpoint.id, now=NOW)
    tell(runtime)
    make_calls(runtime)
    call = last(runtime, endpoint)
    ((request, _),) = httpserver.log
    assert request.headers["webhook-signature"].split() == [
        sign(secret, call.event_id, NOW, call.body) for secret in (after, before)
    ]


def moved(_: Request) -> Response:
    return Response("", 302, {"Location": "http://169.254.169.254/"})


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        (lambda _: Response("broken", 500), 500, "broken"),
        (moved, 302, ""),
        (lambda _: Response("x" * 100_000, 404), 404, "x" * 500),
    ],
    ids=["broken", "moved", "long"],
)
def test_what_is_not_taken_is_tried_again_and_logged(
    runtime: Runtime,
    listener: tuple[Endpoint, str],
    httpserver: HTTPServer,
    answers: Callable[[Request], Response],
    status: int,
    said: str,
) -> None:
    endpoint, _ = listener
    httpserver.expect_request("/hook").respond_with_handler(answers)
    tell(runtime)
    make_calls(runtime)
    call = last(runtime, endpoint)
    assert (call.state, call.status, call.answer) == (CallState.WAITING, status, said)
    assert call.next_at == NOW + timedelta(seconds=5)
    assert len(httpserver.log) == 1, "a redirect is not followed"
    httpserver.clear()
    httpserver.expect_request("/hook").respond_with_data("")
    later = at(runtime, NOW + timedelta(seconds=5))
    make_calls(later)
    assert last(runtime, endpoint).state is CallState.TAKEN
    with reading(runtime.engine) as session:
        assert get_endpoint(session, endpoint.id).failing_since is None
    ((request, _),) = httpserver.log
    assert request.headers["webhook-id"] == call.event_id, "the same event has the same id"


def test_an_endpoint_that_is_gone_is_told_nothing_more(
    runtime: Runtime, listener: tuple[Endpoint, str], httpserver: HTTPServer
) -> None:
    endpoint, _ = listener
    httpserver.expect_request("/hook").respond_with_data("", 410)
    tell(runtime)
    make_calls(runtime)
    with reading(runtime.engine) as session:
        assert get_endpoint(session, endpoint.id).why_off == "it answered 410: gone for good"
    tell(runtime, 2)
    assert len(httpserver.log) == 1
    assert not calls_due(at(runtime, NOW + timedelta(days=30)))


def test_an_endpoint_that_fails_for_days_is_turned_off(
    runtime: Runtime, listener: tuple[Endpoint, str], httpserver: HTTPServer
) -> None:
    endpoint, _ = listener
    httpserver.expect_request("/hook").respond_with_data("", 503)
    for moment, is_off in ((NOW, False), (NOW + GIVEN_UP_AFTER / 2, False), (NOW + GIVEN_UP_AFTER, True)):
        tell(at(runtime, moment))
        make_calls(at(runtime, moment))
        with reading(runtime.engine) as session:
            found = get_endpoint(session, endpoint.id)
        assert (found.is_off, found.failing_since) == (is_off, NOW)
    assert "since 2026-11-23: 503" in found.why_off


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"])
def test_a_name_that_leads_inside_is_not_called(runtime: Runtime, httpserver: HTTPServer, host: str) -> None:
    """As one would that led outside when it was stored; the control below is called."""
    endpoint, _ = listens(runtime, f"http://{host}:{httpserver.port}/hook")
    strict = replace(runtime, settings=runtime.settings.model_copy(update={"fetch_allow": ()}))
    httpserver.expect_request("/hook").respond_with_data("")
    tell(runtime)
    make_calls(strict)
    call = last(runtime, endpoint)
    assert (call.status, call.state) == (None, CallState.WAITING)
    assert "may not be connected to" in call.answer
    assert httpserver.log == []


def test_an_endpoint_that_says_nothing_is_not_waited_for(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = listens(runtime, "http://localhost:1/")
    tell(runtime)
    make_calls(runtime)
    assert last(runtime, endpoint).answer.startswith("no answer")
    monkeypatch.setattr(announcing, "SECONDS", 0.0)
    make_calls(at(runtime, NOW + timedelta(seconds=5)))
    assert last(runtime, endpoint).answer == "no answer within 0 s"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "ftp://hooks.example.org/",
        "http://hooks.example.org/",
        "https://ada:secret@hooks.example.org/",
        "https://hooks.example.org:8443/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/",
        "https://h\u00f6oks.example.org/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org:999999/",
        "https://[not-an-address/",
    ],
)
def test_an_address_that_may_not_be_called_is_refused(runtime: Runtime, url: str) -> None:
    with pytest.raises(InvalidInput):
        parse_endpoint_url(runtime, url)


def test_an_address_outside_and_one_that_is_allowed_may_be_called(
    runtime: Runtime, httpserver: HTTPServer
) -> None:
    for url in (
        "https://hooks.example.org/digest?a=b",
        "https://hooks.example.org:443/",
        httpserver.url_for("/"),
    ):
        assert parse_endpoint_url(runtime, f" {url} ") == url


def test_subscribers_who_come_and_go_are_told_of_by_number(
    runtime: Runtime, listener: tuple[Endpoint, str]
) -> None:
    endpoint, _ = listener
    with writing(runtime.engine) as session:
        newsletter = add_newsletter(session, WEEKLY, now=NOW)
        who = subscribe(session, newsletter.id, email="ada@example.org", follows=(), now=NOW).subscriber
        subscribe(session, newsletter.id, email="ada@example.org", follows=(), now=NOW)
        for _ in range(2):
            set_subscription_state(
                session,
                newsletter.id,
                who.id,
                SubscriptionState.UNSUBSCRIBED,
                now=NOW,
                only_from=(SubscriptionState.ACTIVE,),
            )
    with reading(runtime.engine) as session:
        told = [call.kind for call in calls_of(session, endpoint.id, limit=9)]
    assert told == [EventKind.SUBSCRIBER_UNSUBSCRIBED, EventKind.SUBSCRIBER_ACTIVE]
    assert "ada@" not in last(runtime, endpoint).body
