"""Faults as Sentry takes them: which error, where in the code, in which release, and nothing else."""

from __future__ import annotations

import atexit
from typing import Any

import sentry_sdk

from digest.telemetry.facts import Facts, named

FLUSH_SECONDS = 2.0

_TOLD = ("event_id", "timestamp", "level", "platform", "release", "environment", "tags")
_OF_ERRORS = ("type", "module")
_OF_FRAMES = ("filename", "module", "function", "lineno", "in_app")


class Sentry:
    """Sends faults to the project that `dsn` names."""

    def __init__(self, dsn: str, *, environment: str, release: str) -> None:
        self._client = sentry_sdk.Client(
            dsn=dsn,
            environment=environment,
            release=f"digest@{release}",
            server_name="digest",
            # Integrations would read requests, arguments, logs and what variables hold.
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            before_send=_bare,  # type: ignore[arg-type]
        )
        atexit.register(self.close)

    def fault(self, error: BaseException, facts: Facts) -> None:
        """Send a fault, beside the work that met it."""
        with sentry_sdk.new_scope() as scope:
            scope.set_client(self._client)
            for name, value in named(facts).items():
                scope.set_tag(name, value)
            scope.capture_exception(error)

    def close(self) -> None:
        """Send what is left, and stop."""
        self._client.close(timeout=FLUSH_SECONDS)


def _bare(event: dict[str, Any], _hint: object) -> dict[str, Any]:
    """Return an event that holds what is listed here and no more.

    An error's own words go as well: those of a database name the values of a row, those of a mail server its
    reader. The log has them, beside the request or run that the tags name.
    """
    kept = {name: event[name] for name in _TOLD if name in event}
    errors = event.get("exception", {}).get("values", [])
    return {**kept, "exception": {"values": [_bare_error(error) for error in errors]}}


def _bare_error(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames") or []
    return {
        **{name: error.get(name) for name in _OF_ERRORS},
        "value": "the log says what it says",
        "stacktrace": {
            "frames": [{name: frame[name] for name in _OF_FRAMES if name in frame} for frame in frames]
        },
    }
