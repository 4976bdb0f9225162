"""What leaves for OpenTelemetry and Sentry, byte by byte: how long and where, and nothing of any reader."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from digest.domain.errors import Misconfigured
from digest.pipeline.sending import send
from digest.settings import Settings
from digest.telemetry import faults, spans
from digest.telemetry.faults import tell_fault
from digest.telemetry.otel import OpenTelemetry
from digest.telemetry.sentry import Sentry
from digest.telemetry.setting_up import set_up_telemetry
from digest.telemetry.spans import span
from digest.track.tokens import Purpose
from digest.web import health
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.telemetry.listeners import Heard, listening
from tests.web.conftest import SECRET, runtime_on
from tests.web.site import Site, serving
from tests.web.world import ADA, BEN, SENDING, populate
from worker.app import make_app

PRIVATE = (ADA, BEN, "example.org", "Saturday", "tidal", "hunter2", SECRET)
"""What no byte may say: readers' addresses and names, titles, keys. Their links are looked for beside it."""

Told = dict[str, dict[str, str | int]]


def told_by(heard: Heard) -> list[tuple[str, dict[str, str | int]]]:
    """The spans that a collector was sent, by name, with what was told of each."""
    found = []
    for body in heard.bodies:
        request = ExportTraceServiceRequest.FromString(body)
        for one in (s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans):
            facts = {fact.key: fact.value.string_value or fact.value.int_value for fact in one.attributes}
            assert list(one.events) == [], "an event would hold what an error says"
            assert one.status.message == ""
            found.append((one.name, facts))
    return found


@pytest.fixture
def collector() -> Iterator[tuple[Heard, OpenTelemetry]]:
    with listening() as heard:
        tracer = OpenTelemetry(
            heard.url, headers={"authorization": "Bearer x"}, share=1.0, about={"service.name": "digest"}
        )
        spans.listen(tracer)
        yield heard, tracer
        spans.listen(None)
        tracer.close()


@pytest.fixture
def sentry() -> Iterator[tuple[Heard, Sentry]]:
    with listening() as heard:
        reporter = Sentry(
            heard.url.replace("http://", "http://key@") + "/7", environment="tests", release="0"
        )
        faults.listen(reporter)
        yield heard, reporter
        faults.listen(None)
        reporter.close()


@pytest.fixture(scope="module")
def filled(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = shutil.copy(migrated_file, tmp_path_factory.mktemp("telemetry") / "filled.db")
    runtime = runtime_on(f"sqlite:///{file}")
    populate(runtime)
    runtime.engine.dispose()
    return file


@pytest.fixture
def site(filled: Path) -> Iterator[Site]:
    port = free_port()
    runtime = runtime_on(f"sqlite:///{filled}", port)
    with serving(runtime, port, role=None) as site:
        yield site
    runtime.engine.dispose()


def test_requests_are_told_by_route_status_and_nothing_else(
    site: Site, collector: tuple[Heard, OpenTelemetry]
) -> None:
    heard, tracer = collector
    link = site.link(Purpose.PREFERENCES, ADA)
    site.client.get(
        f"{link}?email={ADA}",
        headers={"User-Agent": "hunter2", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"},
    )
    site.client.post(link, data={"save": "hunter2", "topic": ["climate"]})
    site.client.get("/nothing/hunter2")
    site.client.get("/healthz")
    tracer.close()
    assert told_by(heard) == [
        ("GET /preferences/{token}", _request("GET", "/preferences/{token}", 200, heard, 0)),
        ("POST /preferences/{token}", _request("POST", "/preferences/{token}", 200, heard, 1)),
        ("GET unknown", _request("GET", "unknown", 404, heard, 2)),
    ]
    assert heard.paths == ["/v1/traces"]
    assert "Bearer x" in heard.headers[0]
    _says_nothing_private(heard, link.rpartition("/")[2])


def _request(method: str, route: str, status: int, heard: Heard, number: int) -> dict[str, str | int]:
    reference = told_by(heard)[number][1]["digest.request"]
    return {
        "http.request.method": method,
        "digest.request": reference,
        "http.response.status_code": status,
        "http.route": route,
    }


def _says_nothing_private(heard: Heard, *more: str) -> None:
    assert heard.bodies
    for private in (*PRIVATE, *more):
        assert private.encode().lower() not in heard.everything.lower(), private


def test_the_search_for_what_is_private_would_find_it(collector: tuple[Heard, OpenTelemetry]) -> None:
    heard, tracer = collector
    with span(f"GET /preferences/{ADA}"):
        pass
    tracer.close()
    with pytest.raises(AssertionError, match=ADA):
        _says_nothing_private(heard)


def test_a_send_is_one_span_however_many_mails(
    filled: Path, tmp_path: Path, collector: tuple[Heard, OpenTelemetry], smtp_sink: SmtpSink
) -> None:
    heard, tracer = collector
    copy = tmp_path / "own.db"
    copy.write_bytes(filled.read_bytes())
    runtime = runtime_on(f"sqlite:///{copy}", mail_url=(smtp_sink.url,))
    send(runtime, SENDING)
    runtime.engine.dispose()
    tracer.close()
    assert told_by(heard) == [
        (
            "send",
            {
                "digest.issue": SENDING,
                "digest.accepted": 2,
                "digest.failed": 0,
                "digest.put_off": 0,
                "digest.unknown": 0,
            },
        )
    ]
    _says_nothing_private(heard)


def test_a_task_is_a_span_and_its_arguments_are_not_told(collector: tuple[Heard, OpenTelemetry]) -> None:
    heard, tracer = collector
    celery = make_app(Settings())

    @celery.task(name="tests.telemetry")
    def fail(_number: int) -> None:
        raise LookupError(f"no reader {ADA}")

    with pytest.raises(LookupError):
        fail(4711)
    tracer.close()
    ((name, facts),) = told_by(heard)
    assert (name, facts) == (
        "tests.telemetry",
        {"messaging.operation.name": "tests.telemetry", "error.type": "LookupError"},
    )
    assert b"4711" not in heard.everything
    _says_nothing_private(heard)


def test_what_is_no_fact_is_told_to_nobody(collector: tuple[Heard, OpenTelemetry]) -> None:
    heard, tracer = collector
    with span("stage gather", run=7, email=ADA) as work:  # type: ignore[call-arg]
        work.note(outcome="done", title="tidal")  # type: ignore[call-arg]
    tracer.close()
    assert told_by(heard) == [("stage gather", {"digest.run": 7, "digest.outcome": "done"})]


def test_a_collector_that_never_answers_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.telemetry.otel.EXPORT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        tracer = OpenTelemetry(url, headers={}, share=1.0, about={})
        spans.listen(tracer)
        began = time.monotonic()
        try:
            for _ in range(100):
                with span("stage gather"):
                    pass
            # Told one by one, a hundred would wait for as many answers, seconds each.
            assert time.monotonic() - began < 5
        finally:
            spans.listen(None)
            tracer.close()
        assert time.monotonic() - began < 30, "the end waits for a moment at most"


def test_a_fault_is_told_by_its_type_and_place(
    site: Site, sentry: tuple[Heard, Sentry], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, reporter = sentry

    def break_down(*_: object) -> None:
        secret = "hunter2"
        try:
            raise KeyError(f"{ADA} {secret}")
        except KeyError as exc:
            raise ValueError(f"no reader {ADA} with {secret}") from exc

    monkeypatch.setattr(health, "_database", break_down)
    page = site.client.get("/readyz?email=ada@example.org", headers={"Cookie": "session=hunter2"})
    assert page.status_code == 500
    reporter.close()
    assert heard.paths == ["/api/7/envelope/"]
    text = heard.everything.decode()
    for part in (
        '"type":"ValueError"',
        '"type":"KeyError"',
        '"function":"break_down"',
        '"http.route":"/readyz"',
    ):
        assert part in text, part
    assert '"environment":"tests"' in text
    _says_nothing_private(heard)


def test_a_task_s_fault_is_told_and_what_is_expected_is_not(sentry: tuple[Heard, Sentry]) -> None:
    from celery.signals import task_failure

    heard, reporter = sentry
    celery = make_app(Settings())

    @celery.task(name="tests.fault")
    def fails(_: str) -> None:
        pass

    for error in (Misconfigured("mail_url is wrong"), ZeroDivisionError(ADA)):
        task_failure.send(sender=fails, exception=error, args=(ADA,))
    reporter.close()
    assert len(heard.bodies) == 1
    assert b'"type":"ZeroDivisionError"' in heard.everything
    assert b'"messaging.operation.name":"tests.fault"' in heard.everything
    _says_nothing_private(heard)


def test_nobody_listens_unless_settings_say_so() -> None:
    tell_fault(ValueError(ADA))
    with span("send", issue=1) as work:
        work.note(accepted=1)
        work.rename("other")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"otlp_url": "collector:4318"}, "otlp_url: what it holds is no http(s) address"),
        (
            {"otlp_url": "http://127.0.0.1:1", "otlp_headers": "hunter2"},
            "otlp_headers: write each as name=value",
        ),
        ({"sentry_dsn": "hunter2"}, "sentry_dsn: what it holds is no http(s) address"),
        ({"sentry_dsn": "https://sentry.example.org/7"}, "sentry_dsn: it is no DSN"),
    ],
)
def test_a_wrong_address_is_told_without_its_key(given: dict[str, str], told: str) -> None:
    nothing = {"otlp_url": "", "otlp_headers": "", "sentry_dsn": ""}
    with pytest.raises(Misconfigured) as refused:
        set_up_telemetry(**{**nothing, **given}, trace_share=1.0, environment="tests")  # type: ignore[arg-type]
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_what_is_not_installed_is_named_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "digest.telemetry.otel", None)
    with pytest.raises(
        Misconfigured, match=r"OpenTelemetry is not installed: 'pip install \"digest\[otel\]\"'"
    ):
        set_up_telemetry(
            otlp_url="http://127.0.0.1:1",
            otlp_headers="",
            trace_share=1.0,
            sentry_dsn="",
            environment="tests",
        )
