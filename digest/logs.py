"""Log lines for people or for programs, with what is secret kept out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_PASSWORD_IN_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s/][^\s]*@")
"""Up to the last @: a password may hold one that nobody escaped."""
_SECRET_NAME = re.compile(r"secret|passw|token|authorization|cookie|api_?key", re.IGNORECASE)
_HIDDEN = "***"


def set_up_logs(*, level: str, as_json: bool) -> None:
    """Send every log line to standard error, the libraries' too: standard output is for answers alone."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=28,
                # The default prints every frame's variables: tokens of links, addresses, whole requests.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    renderer.append(_hide_in_line)
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # A library's every step is no news; what worries it is.
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace the values of secret-sounding names, and passwords inside addresses, however deep.

    A number is a count, such as that of a language model's tokens.
    """
    return {
        name: _HIDDEN if _SECRET_NAME.search(name) and not isinstance(value, int) else _hidden(value)
        for name, value in event.items()
    }


def _hidden(value: object) -> object:
    match value:
        case str():
            return _PASSWORD_IN_URL.sub(rf"\1{_HIDDEN}@", value)
        case Mapping():
            return hide_secrets(None, "", {str(name): inner for name, inner in value.items()})
        case list() | tuple() | set() | frozenset():
            return [_hidden(inner) for inner in value]
        case BaseException():
            return _hidden(str(value))
        case _:
            return value


def _hide_in_line(_logger: object, _method: str, line: Any) -> str:
    """Look at the finished line too: a traceback is only written out there."""
    return str(_hidden(line))
