"""Ops are told of a source that keeps failing: once, whatever becomes of the mail server or of the worker."""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.domain.newsletters import Newsletter
from digest.domain.sources import Source, Standing
from digest.pipeline.ops import tell_ops
from digest.pipeline.polling import TELL_AGAIN, are_sources_due, tell_of_failing
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.polls import claim_alerts, record_standing
from digest.store.sources import change_source, get_source
from tests.faults.workers import Worker
from tests.pipeline.press import Clock, Press, make_newsletter
from tests.servers.faults import At, Banner, DropAfterDot, Faults, Reply, SlowBanner
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW
from tests.waiting import wait_until

OPS = "ops@example.org"
FAILING = Standing(
    last_error="it answers 503",
    failing_since=NOW - timedelta(days=2),
    failures=9,
    next_poll_at=NOW + timedelta(days=9),
)


@pytest.fixture
def newsletter(engine: Engine, press: Press) -> Newsletter:
    return make_newsletter(engine, press)


@pytest.fixture
def source(engine: Engine, newsletter: Newsletter) -> Source:
    """A source that has been failing for two days, and is not polled again for nine."""
    source = stored(engine, newsletter)
    record(engine, source, FAILING)
    return stored(engine, newsletter)


def stored(engine: Engine, newsletter: Newsletter) -> Source:
    with reading(engine) as session:
        return get_source(session, newsletter.id, "Press")


def record(engine: Engine, source: Source, standing: Standing) -> None:
    with writing(engine) as session:
        record_standing(session, source, standing, reservation="")


FAULTS = {
    "it does not greet": Faults(on_connection=lambda _: Banner(421)),
    "it puts the mail off": Faults(on_recipient=lambda *_: Reply(At.RCPT, 451)),
    "it refuses the mail": Faults(on_recipient=lambda *_: Reply(At.RCPT, 550)),
    "it loses the mail": Faults(on_recipient=lambda *_: DropAfterDot(kept=False)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mail_server_that_fails_puts_the_alert_off_and_loses_none(
    runtime: Runtime, source: Source, smtp_sink: SmtpSink, clock: Clock, fault: str
) -> None:
    smtp_sink.faults = FAULTS[fault]
    tell_of_failing(runtime)
    assert not are_sources_due(runtime)
    smtp_sink.faults = Faults()
    tell_of_failing(runtime)
    assert smtp_sink.count() == 0
    clock.now += TELL_AGAIN
    assert are_sources_due(runtime)
    for _ in range(3):
        tell_of_failing(runtime)
        clock.now += TELL_AGAIN
    assert smtp_sink.copies() == {OPS: 1}
    assert not are_sources_due(runtime)


@contextmanager
def telling(engine: Engine, sink: SmtpSink, ops: str, log: Path) -> Iterator[Worker]:
    database = engine.url.render_as_string(hide_password=False)
    command = ["python", "-m", "tests.pipeline.telling", database, sink.url, ops, NOW.isoformat()]
    with Worker(command, {}, log) as worker:
        yield worker


def test_a_worker_killed_before_its_mail_was_taken_loses_no_alert(
    runtime: Runtime, engine: Engine, source: Source, smtp_sink: SmtpSink, clock: Clock, tmp_path: Path
) -> None:
    """It dies with the alert claimed and nothing sent: the mail server never greets."""
    smtp_sink.faults = Faults(on_connection=lambda _: SlowBanner(math.inf))
    with telling(engine, smtp_sink, OPS, tmp_path / "telling.log") as worker:
        wait_until(lambda: smtp_sink.connections > 0, why=worker.log)
        worker.kill()
    smtp_sink.faults = Faults()
    tell_of_failing(runtime)
    assert smtp_sink.count() == 0
    clock.now += TELL_AGAIN
    tell_of_failing(runtime)
    tell_of_failing(runtime)
    assert smtp_sink.copies() == {OPS: 1}


def test_a_worker_killed_after_its_mail_was_taken_costs_one_mail_more(
    runtime: Runtime, engine: Engine, source: Source, smtp_sink: SmtpSink, clock: Clock, tmp_path: Path
) -> None:
    with telling(engine, smtp_sink, f"delay-60.{OPS}", tmp_path / "telling.log") as worker:
        smtp_sink.wait_for(1)  # the mail is kept, and its 250 does not come
        worker.kill()
    for _ in range(3):
        tell_of_failing(runtime)
        clock.now += TELL_AGAIN
    assert smtp_sink.copies() == {f"delay-60.{OPS}": 1, OPS: 1}


def test_without_an_address_the_log_is_told_once(runtime: Runtime, engine: Engine, source: Source) -> None:
    silent = Runtime(runtime.settings.model_copy(update={"ops_email": ""}), runtime.clock)
    tell_of_failing(silent)
    with writing(engine) as session:
        later = NOW + timedelta(days=1)
        assert claim_alerts(session, failing_before=later, now=later, lease=TELL_AGAIN) == ()
    silent.engine.dispose()


def test_a_poll_that_was_under_way_does_not_make_ops_hear_it_again(
    runtime: Runtime, engine: Engine, source: Source, smtp_sink: SmtpSink, clock: Clock
) -> None:
    """What it knows of the source is older than the alert, and it fails once more."""
    tell_of_failing(runtime)
    record(engine, source, replace(FAILING, failures=10))
    clock.pass_(days=1)
    tell_of_failing(runtime)
    assert smtp_sink.copies() == {OPS: 1}


def test_a_source_that_was_well_in_between_is_told_of_anew(
    runtime: Runtime,
    engine: Engine,
    newsletter: Newsletter,
    source: Source,
    smtp_sink: SmtpSink,
    clock: Clock,
) -> None:
    tell_of_failing(runtime)
    record(engine, source, Standing())
    record(engine, source, FAILING)
    tell_of_failing(runtime)
    assert smtp_sink.copies() == {OPS: 2}
    with writing(engine) as session:
        change_source(session, source.id, url="https://meridian.example.org/new-feed")
    assert stored(engine, newsletter).standing.alerted_at is None


def test_an_alert_says_what_to_do_and_which_command(runtime: Runtime, smtp_sink: SmtpSink) -> None:
    assert tell_ops(
        runtime, "a run was missed", "It was due.", to_do="Run it:", commands=["digest schedule run 7"]
    )
    message = message_from_bytes(smtp_sink.contents()[0], policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert (message["From"], message["To"]) == (f"Digest <{OPS}>", OPS)
    assert message["Subject"] == "[Digest] a run was missed"
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part
        for words in ("It was due.", "What to do", "Run it:", "digest schedule run 7"):
            assert words in part.get_content()


def test_a_broken_template_keeps_no_alert_from_ops(
    runtime: Runtime, smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    shutil.copytree(runtime.settings.templates / "email", tmp_path / "email")
    (tmp_path / "email" / "alert" / "body.txt").write_text("{{ alert.wat }}")
    broken = Runtime(runtime.settings.model_copy(update={"templates_dir": tmp_path}), runtime.clock)
    assert tell_ops(broken, "Ünwell\r\nBcc: x@example.org", "It was due.", commands=["digest doctor"])
    message = message_from_bytes(smtp_sink.contents()[0], policy=policy.default)
    assert message["Subject"] == "[Digest] Ünwell Bcc: x@example.org"
    assert "Bcc" not in message
    assert message.get_content_type() == "text/plain"
    for words in ("It was due.", "digest doctor", "body.txt line 1"):
        assert words in message.get_content()  # type: ignore[attr-defined]
