"""Endpoints: addresses of others' programs that are told what happens here (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from digest.domain.errors import InvalidInput

EndpointId = NewType("EndpointId", int)
CallId = NewType("CallId", int)

SIGNING_PREFIX = "whsec_"
_SECRET_BYTES = 32

ROTATION = timedelta(hours=24)
"""How long calls are signed with the secret before, too, after there is a new one."""

BACK_OFF = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each try that failed the next one is made; after the last of them a call is given up."""

GIVEN_UP_AFTER = timedelta(days=5)
"""An endpoint that took nothing for so long is told nothing more until somebody turns it on again."""


class EventKind(StrEnum):
    """What can be told. An issue or a subscriber is told of whenever it has come into that state."""

    ISSUE_DRAFT = "issue.draft"
    ISSUE_APPROVED = "issue.approved"
    ISSUE_SENDING = "issue.sending"
    ISSUE_PAUSED = "issue.paused"
    ISSUE_SENT = "issue.sent"
    ISSUE_CANCELLED = "issue.cancelled"
    DELIVERY_FAILED = "delivery.failed"
    SUBSCRIBER_PENDING = "subscriber.pending"
    SUBSCRIBER_ACTIVE = "subscriber.active"
    SUBSCRIBER_PAUSED = "subscriber.paused"
    SUBSCRIBER_UNSUBSCRIBED = "subscriber.unsubscribed"
    SUBSCRIBER_ERASED = "subscriber.erased"
    """All that was stored of them is gone here: whoever was told of them forgets them, too."""
    ENDPOINT_TESTED = "endpoint.tested"
    """Somebody wants to see whether it arrives. Every endpoint takes it."""


class CallState(StrEnum):
    """Where a call to an endpoint stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that is told of `kinds`. Its secrets are no part of it.

    `failing_since` is since when it took nothing, None while it takes what it is told. One that is off is
    told nothing; `why_off` says why in words.
    """

    id: EndpointId
    url: str
    kinds: frozenset[EventKind]
    about: str
    made_by: str
    made_at: datetime
    failing_since: datetime | None = None
    is_off: bool = False
    why_off: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """An event told to one endpoint, and what came of it.

    `status` and `answer` are of the last try: the answer's status (None when there was none), and how it
    began or what went wrong. `next_at` is when the next try is due, None when there is none.
    """

    id: CallId
    endpoint_id: EndpointId
    event_id: str
    kind: EventKind
    body: str
    made_at: datetime
    state: CallState
    tries: int = 0
    tried_at: datetime | None = None
    next_at: datetime | None = None
    status: int | None = None
    answer: str = ""


def new_signing_secret() -> str:
    """Return a secret to sign with, as Standard Webhooks writes it."""
    return SIGNING_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(secret: str, event_id: str, at: datetime, body: str) -> str:
    """Return the signature of a call at `at`: `v1,` and the HMAC-SHA256 of id, time and body, in base64.

    Raises `InvalidInput` for a secret that is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidInput("a signing secret is 'whsec_' and base64") from exc
    signed = f"{event_id}.{int(at.timestamp())}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def parse_kinds(names: Iterable[str]) -> frozenset[EventKind]:
    """Return the kinds of these names. Raises `InvalidInput` for none, and for a name that is no kind."""
    known = {kind.value: kind for kind in EventKind}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise InvalidInput(f"'{unknown[0]}' is not a kind of event: there is {', '.join(known)}")
    if not wanted:
        raise InvalidInput(f"an endpoint is told of one kind or more: there is {', '.join(known)}")
    return frozenset(known[name] for name in wanted)
