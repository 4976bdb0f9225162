"""Log lines for people or for programs, with what is secret kept out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_PASSWORD_IN_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s@]+@")
_SECRET_NAME = re.compile(r"secret|password|token|authorization", re.IGNORECASE)
_HIDDEN = "***"


def set_up_logs(*, level: str, as_json: bool) -> None:
    """Send every log line to standard error: standard output belongs to the command's own answer."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the values of secret-sounding names, and passwords inside addresses."""
    return {name: _HIDDEN if _SECRET_NAME.search(name) else _hidden(value) for name, value in event.items()}


def _hidden(value: object) -> object:
    return _PASSWORD_IN_URL.sub(rf"\1{_HIDDEN}@", value) if isinstance(value, str) else value
