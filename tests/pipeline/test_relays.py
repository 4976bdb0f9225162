"""One of several relays is away: ops hear of it by way of the others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from benchmarks.readers import Size, sending_issue
from digest.domain.deliveries import DeliveryState
from digest.pipeline.sending import send
from digest.runtime import Runtime
from digest.settings import Settings
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink

NOW = datetime(2126, 11, 23, 7, tzinfo=UTC)


def test_ops_are_mailed_of_a_relay_that_stays_away(
    engine: Engine, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.deliver.standing.TELL_AFTER", 0.0)
    dead = free_port()
    settings = Settings(
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key="a key of thirty-two characters!!",  # type: ignore[arg-type]
        mail_url=(f"smtp://127.0.0.1:{dead}", smtp_sink.url),
        ops_email="ops@example.org",
    )
    runtime = Runtime(settings, clock=lambda: NOW)
    issue_id = sending_issue(engine, Size(readers=3, topics=2, articles=2, follows=1))
    _, counts = send(runtime, issue_id)
    assert counts[DeliveryState.ACCEPTED] == 3
    told = [content for mail, content in _kept(smtp_sink) if mail == "ops@example.org"]
    assert len(told) == 1
    assert f"127.0.0.1:{dead} is away".encode() in told[0]
    assert b"digest doctor" in told[0]


def _kept(sink: SmtpSink) -> list[tuple[str, bytes]]:
    kept = zip(sink.messages(), sink.contents(), strict=True)
    return [(mail.recipients[0], content) for mail, content in kept]
