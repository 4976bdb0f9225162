"""Spans as OpenTelemetry has them, sent over HTTP to a collector beside the work they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Unpack

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from digest.telemetry.facts import Facts, named
from digest.telemetry.spans import Span

PATH = "/v1/traces"
"""Where a collector takes traces (OTLP/HTTP)."""

EXPORT_SECONDS = 5.0
"""How long one request to the collector may take. Nothing waits for it."""

SOON_MS = 2_000
"""How soon spans are sent: what a process that is killed has not sent is lost."""


class _Told:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **facts: Unpack[Facts]) -> None:
        self._span.set_attributes(named(facts))

    def rename(self, name: str) -> None:
        self._span.update_name(name)


class OpenTelemetry:
    """Sends a `share` of all traces (0 to 1) to the collector at `url`, with these headers.

    Resources are exactly `about`: what the SDK would find out of the machine and its environment is not told.
    """

    def __init__(
        self, url: str, *, headers: Mapping[str, str], share: float, about: Mapping[str, str]
    ) -> None:
        exporter = OTLPSpanExporter(
            endpoint=url.rstrip("/") + PATH, headers=dict(headers), timeout=EXPORT_SECONDS
        )
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=Resource(dict(about))
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SOON_MS))
        self._tracer = self._provider.get_tracer("digest")

    def span(self, name: str, *, serves: bool, facts: Facts) -> AbstractContextManager[Span]:
        """Return a piece of work. An error that leaves it is told by its type alone."""
        return self._span(name, trace.SpanKind.SERVER if serves else trace.SpanKind.INTERNAL, facts)

    @contextmanager
    def _span(self, name: str, kind: trace.SpanKind, facts: Facts) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=named(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Told(span)
            except BaseException as exc:
                span.set_attributes(named(Facts(error=type(exc).__name__)))
                span.set_status(trace.StatusCode.ERROR)
                raise

    def close(self) -> None:
        """Send what is left, and stop."""
        self._provider.shutdown()
