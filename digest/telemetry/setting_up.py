"""Telemetry as settings want it. Its libraries are extras, loaded where a setting names their server."""

from __future__ import annotations

from importlib.metadata import version
from urllib.parse import urlsplit

from digest.domain.errors import Misconfigured
from digest.telemetry import faults, spans


def set_up_telemetry(
    *, otlp_url: str, otlp_headers: str, trace_share: float, sentry_dsn: str, environment: str
) -> None:
    """Have spans and faults told from here on, where an address is given.

    Raises `Misconfigured` for an address that is none, and where the library for it is not installed.
    """
    release = version("digest")
    if otlp_url:
        _require_http(otlp_url, "otlp_url", "http://127.0.0.1:4318")
        about = {
            "service.name": "digest",
            "service.version": release,
            "deployment.environment.name": environment,
        }
        try:
            from digest.telemetry.otel import OpenTelemetry
        except ImportError as exc:
            raise _missing("otlp_url", "OpenTelemetry", "otel") from exc
        headers = _headers(otlp_headers)
        spans.listen(OpenTelemetry(otlp_url, headers=headers, share=trace_share, about=about))
    if sentry_dsn:
        _require_http(sentry_dsn, "sentry_dsn", "https://KEY@sentry.example.org/7")
        try:
            from digest.telemetry.sentry import Sentry
        except ImportError as exc:
            raise _missing("sentry_dsn", "Sentry's client", "sentry") from exc
        try:
            reporter = Sentry(sentry_dsn, environment=environment, release=release)
        except ValueError as exc:
            raise Misconfigured(
                "sentry_dsn: it is no DSN; write it as Sentry shows it: https://KEY@sentry.example.org/7"
            ) from exc
        faults.listen(reporter)


def _headers(text: str) -> dict[str, str]:
    """Read `name=value,name=value`. Raises `Misconfigured` without repeating it: it may hold a token."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not name.strip() or not equals for name, equals, _ in pairs):
        raise Misconfigured("otlp_headers: write each as name=value, as in 'authorization=Bearer TOKEN'")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _require_http(url: str, setting: str, such_as: str) -> None:
    """Raise `Misconfigured` without repeating the address, which may hold a key."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_http = False
    if not is_http:
        raise Misconfigured(f"{setting}: what it holds is no http(s) address; write it like {such_as}")


def _missing(setting: str, what: str, extra: str) -> Misconfigured:
    return Misconfigured(
        f"{setting} is set, but {what} is not installed: 'pip install \"digest[{extra}]\"' brings it"
    )
