"""What may be told of a piece of work: these facts and no others, so that nothing of a reader leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

Fact = str | int


class Facts(TypedDict, total=False):
    """Numbers of rows, names that we gave, counts. Never an address, a link, a title or what somebody typed.

    `route` is a route as it is written in the code, `/unsubscribe/{token}`; `error` a type's name.
    """

    method: str
    route: str
    status: int
    task: str
    issue: int
    run: int
    stage: str
    attempt: int
    outcome: str
    newsletter: str
    accepted: int
    failed: int
    put_off: int
    unknown: int
    error: str
    request: str


NAMES: Mapping[str, str] = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
    "task": "messaging.operation.name",
}
"""The names of OpenTelemetry's conventions; all others are `digest.…`."""


def named(facts: Mapping[str, object]) -> dict[str, Fact]:
    """Return facts by the names they are told under. What is none of `Facts` is left out."""
    return {
        NAMES.get(name, f"digest.{name}"): value if isinstance(value, int) else str(value)
        for name, value in facts.items()
        if name in Facts.__annotations__ and value is not None
    }
