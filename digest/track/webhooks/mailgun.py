"""Mailgun: one event a request. What it signs is a token and the time, and not the event.

So a token is bound to the event that came with it first: whoever has read one request could otherwise put
anything behind its signature.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime

from pydantic import SecretStr

from digest.domain.bounces import Meaning
from digest.domain.errors import InvalidInput, Refused
from digest.track.events import Event, EventKind, Token
from digest.track.webhooks.requests import (
    Page,
    Request,
    at,
    names_of,
    parsed,
    require_recent,
    text_at,
    unix_time,
)

_KINDS = {
    "accepted": EventKind.TAKEN,
    "delivered": EventKind.DELIVERED,
    "complained": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
}
_LISTED = {"suppress-complaint": EventKind.COMPLAINED, "suppress-unsubscribe": EventKind.UNSUBSCRIBED}
"""Mail that Mailgun did not try to deliver, for what the reader did before."""

_OTHERWISE = {"suppress-bounce": Meaning.GONE, "espblock": Meaning.REFUSES_US}


class MailgunWebhook:
    """An account's webhooks, signed with its HTTP webhook signing key."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key.get_secret_value().strip().encode()

    async def read(self, request: Request, *, now: datetime) -> Page:
        """See `Webhook.read`. The signature stands in the body, which is read for it alone at first."""
        try:
            found = parsed(request.body)
        except InvalidInput as exc:
            raise Refused(str(exc)) from exc
        token = self._signed(found, now=now)
        told = at(found, "event-data")
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        event = _event(told)
        return Page((event,) if event else (), Token(token, digest))

    def _signed(self, found: object, *, now: datetime) -> str:
        moment, token = text_at(found, "signature", "timestamp"), text_at(found, "signature", "token")
        given = text_at(found, "signature", "signature")
        right = hmac.new(self._key, f"{moment}{token}".encode(), "sha256").hexdigest()
        if not token or not hmac.compare_digest(given.encode(), right.encode()):
            raise Refused("it is not signed with hook_mailgun_key")
        require_recent(unix_time(moment), now=now)
        return token


def _event(told: object) -> Event | None:
    name = text_at(told, "event")
    message_id = text_at(told, "message", "headers", "message-id")
    names = names_of("mailgun", message_id, message_id)
    # Its id is unique within a day.
    identity = f"{text_at(told, 'id')} {text_at(told, 'timestamp')}"
    email = text_at(told, "recipient")
    if name == "failed":
        return _failure(told, identity, names, email)
    if name not in _KINDS:
        return None
    return Event(identity, _KINDS[name], names, email, diagnostic=_said(told))


def _failure(told: object, identity: str, names: tuple[str, ...], email: str) -> Event:
    reason = text_at(told, "reason")
    status = text_at(told, "delivery-status", "enhanced-code")
    said = _said(told) or reason
    if kind := _LISTED.get(reason):
        return Event(identity, kind, names, email, diagnostic=said)
    is_over = text_at(told, "severity") == "permanent"
    kind = EventKind.BOUNCED if is_over else EventKind.DELAYED
    otherwise = _OTHERWISE.get(reason) if is_over else None
    return Event(identity, kind, names, email, status, said, otherwise)


def _said(told: object) -> str:
    message = text_at(told, "delivery-status", "message")
    return message or text_at(told, "delivery-status", "description")
