"""Providers post what became of mails to the real server; whoever else does changes nothing."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select, text, update

from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Misconfigured, Refused
from digest.domain.subscribers import SubscriptionState
from digest.pipeline.hooks import Hooks, guarded_fetch
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.returned import Effect, list_returned
from digest.store.suppressions import find_suppression
from digest.track.webhooks.requests import Request
from digest.web.envelope import HOOK_MAX_BYTES
from tests.servers.processes import free_port
from tests.track.webhooks import signing, told
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.world import ADA, BEN, NOW, contents, state_of

PROVIDERS = ("ses", "postmark", "mailgun", "sendgrid")
SETTINGS = {
    "hook_sns_topics": (signing.TOPIC,),
    "hook_postmark_secret": signing.LOGIN,
    "hook_mailgun_key": signing.MAILGUN_KEY,
    "hook_sendgrid_key": signing.sendgrid_public_key(),
}


async def amazon(_url: str) -> bytes:
    return signing.certificate()


@pytest.fixture(scope="module")
def _site(filled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("hooks") / "hooks.db"
    shutil.copy(filled_database, file)
    port = free_port()
    runtime = runtime_on(f"sqlite:///{file}", port, **SETTINGS)
    with serving(runtime, port, Hooks(runtime, fetch=amazon)) as site:
        yield site
    runtime.engine.dispose()


@pytest.fixture
def site(_site: Site) -> Site:
    """Nothing was told yet, and whether mails were taken is unknown."""
    with writing(_site.runtime.engine) as session:
        for table in ("returned_mails", "webhook_events", "soft_bounces", "suppressions"):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(text("UPDATE subscriptions SET state = 'active'"))
        session.execute(update(DeliveryRow).values(state=DeliveryState.UNKNOWN, armed_at=NOW))
    return _site


def about(site: Site, email: str = ADA) -> str:
    """The Message-ID of a reader's mail, without brackets."""
    with reading(site.runtime.engine) as session:
        found = session.scalars(select(DeliveryRow.message_id).where(DeliveryRow.email == email)).one()
    return found.strip("<>")


def state(site: Site, email: str = ADA) -> str:
    with reading(site.runtime.engine) as session:
        return session.scalars(select(DeliveryRow.state).where(DeliveryRow.email == email)).one()


def post(site: Site, provider: str, request: Request) -> httpx2.Response:
    headers = {**request.headers, "content-type": "text/plain; charset=UTF-8"}
    return site.client.post(f"/hooks/{provider}", content=request.body, headers=headers)


def delivery(provider: str, message_id: str) -> Request:
    return {
        "ses": lambda: signing.sns(told.ses_delivery(message_id), at=NOW),
        "postmark": lambda: signing.postmark(told.postmark("Delivery", message_id)),
        "mailgun": lambda: signing.mailgun(told.mailgun("delivered", message_id), at=NOW, token="d" * 50),
        "sendgrid": lambda: signing.sendgrid([told.sendgrid("delivered", message_id)], at=NOW),
    }[provider]()


def complaint(provider: str, message_id: str) -> Request:
    return {
        "ses": lambda: signing.sns(told.ses_complaint(message_id), at=NOW),
        "postmark": lambda: signing.postmark(told.postmark("SpamComplaint", message_id)),
        "mailgun": lambda: signing.mailgun(told.mailgun("complained", message_id), at=NOW, token="c" * 50),
        "sendgrid": lambda: signing.sendgrid([told.sendgrid("spamreport", message_id)], at=NOW),
    }[provider]()


def effects(site: Site) -> list[tuple[str, Effect]]:
    with reading(site.runtime.engine) as session:
        return [(one.via, one.effect) for one in reversed(list_returned(session, limit=100))]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_settles_and_suppresses_once_in_any_order(provider: str, site: Site) -> None:
    message_id = about(site)
    for request in [complaint(provider, message_id), delivery(provider, message_id)] * 2:
        assert post(site, provider, request).status_code == 200
    assert state(site) == DeliveryState.ACCEPTED
    assert state(site, BEN) == DeliveryState.UNKNOWN
    assert effects(site) == [(f"webhook:{provider}", Effect.SUPPRESSED)]
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_forged_changes_nothing_and_fills_no_log(
    provider: str, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(site.runtime.engine)
    request = complaint(provider, about(site))
    forged = [
        replace(request, body=request.body.replace(b"ada@", b"bob@").replace(b"cc", b"xx")),
        replace(request, body=gzip.compress(request.body)),
        replace(request, body=b""),
        Request({}, b"[]"),
    ]
    expected = 406 if provider == "mailgun" else 403
    if provider == "postmark":
        forged = [Request({}, request.body), signing.postmark({}, login="digest:wrong password")]
    with caplog.at_level(logging.WARNING):
        for one in forged * 5:
            answer = post(site, provider, one)
            assert (answer.status_code, answer.headers["content-type"]) == (
                expected,
                "text/plain; charset=utf-8",
            )
            assert "hook" not in answer.text
    assert contents(site.runtime.engine) == before
    assert len([record for record in caplog.records if "webhook.refused" in record.getMessage()]) <= 1


def test_a_token_of_mailgun_s_serves_no_other_event(site: Site) -> None:
    signed = signing.mailgun(told.mailgun("delivered", about(site, BEN)), at=NOW)
    assert post(site, "mailgun", signed).status_code == 200
    found = json.loads(signed.body)
    found["event-data"] = told.mailgun("complained", about(site))
    assert post(site, "mailgun", Request({}, json.dumps(found).encode())).status_code == 406
    assert (state(site), state(site, BEN)) == (DeliveryState.UNKNOWN, DeliveryState.ACCEPTED)
    with reading(site.runtime.engine) as session:
        assert find_suppression(session, ADA) is None


def test_a_thousand_events_are_taken_in_by_one_request(site: Site) -> None:
    events = [
        told.sendgrid(
            "bounce", about(site, ADA if number % 2 else BEN), sg_event_id=f"e{number}", status="4.2.2"
        )
        for number in range(1_000)
    ]
    request = signing.sendgrid(events, at=NOW)
    assert post(site, "sendgrid", request).status_code == 200
    assert post(site, "sendgrid", request).status_code == 200
    assert len(effects(site)) == 100
    with reading(site.runtime.engine) as session:
        assert session.scalar(text("SELECT count(*) FROM returned_mails")) == 1_000
        assert session.scalar(text("SELECT count(*) FROM soft_bounces")) == 2


def test_a_body_beyond_the_bound_is_refused_and_others_keep_theirs(site: Site) -> None:
    large = Request({}, b" " * (HOOK_MAX_BYTES + 1))
    assert post(site, "sendgrid", large).status_code == 413
    form = {"content-type": "application/x-www-form-urlencoded"}
    path = "/preferences/hooks/x"
    assert site.client.post(path, content=b"x" * 100_000, headers=form).status_code in (404, 413)


def test_a_provider_nobody_set_up_is_as_unknown_as_any(site: Site, still_site: Site) -> None:
    assert post(site, "sparkpost", Request({}, b"")).status_code == 404
    for provider in PROVIDERS:
        assert post(still_site, provider, Request({}, b"{}")).status_code == 404
    assert site.get("/hooks/ses").status_code == 405


def test_signed_nonsense_is_told_apart_and_not_asked_for_again(site: Site) -> None:
    assert post(site, "sendgrid", signing.sendgrid(None, body=b"{}", at=NOW)).status_code == 400


def test_while_the_database_is_away_providers_are_asked_to_try_again(tmp_path: Path) -> None:
    runtime = runtime_on(f"sqlite:///{tmp_path / 'no-such-folder' / 'digest.db'}", **SETTINGS)
    with serving(runtime, free_port(), Hooks(runtime, fetch=amazon), role=None) as site:
        for provider in PROVIDERS:
            answer = post(site, provider, delivery(provider, "1.2.0123456789ab@example.org"))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert "folder" not in answer.text


def test_a_wrong_setting_stops_the_start(filled_database: Path) -> None:
    runtime = runtime_on(f"sqlite:///{filled_database}", hook_sendgrid_key="nothing")
    with pytest.raises(Misconfigured, match="hook_sendgrid_key"):
        Hooks(runtime)


def test_left_to_itself_it_asks_amazon_through_the_guard(filled_database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        fetch = guarded_fetch(runtime_on(f"sqlite:///{filled_database}"))
        with pytest.raises(Refused, match="may not be fetched"):
            asyncio.run(fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/x.pem"))
        with pytest.raises(BlockingIOError):
            listener.accept()
