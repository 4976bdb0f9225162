"""Postmark: one event a request, and a user name and password as all that tells who asks."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime

from pydantic import SecretStr

from digest.domain.bounces import Meaning
from digest.domain.errors import Misconfigured, Refused
from digest.track.events import Event, EventKind
from digest.track.webhooks.requests import Page, Request, names_of, parsed, text_at

_DELAYS = frozenset({"Transient"})
_BOUNCES = {
    "HardBounce": Meaning.GONE,
    "BadEmailAddress": Meaning.GONE,
    "SoftBounce": Meaning.SOFT,
    "DnsError": Meaning.SOFT,
    "Unknown": Meaning.SOFT,
    "SpamNotification": Meaning.REFUSES_US,
    "Blocked": Meaning.REFUSES_US,
    "DMARCPolicy": Meaning.REFUSES_US,
    "VirusNotification": Meaning.ABOUT_MAIL,
}
"""The other types are answers of people and programs, or about mail that Postmark never sent."""

_LEAVES = frozenset({"ManualSuppression", ""})


class PostmarkWebhook:
    """A server's webhook. `login` is the USER:PASSWORD that stands in its address at Postmark."""

    def __init__(self, login: SecretStr) -> None:
        user, _, password = login.get_secret_value().partition(":")
        if not user or len(password) < 8:
            raise Misconfigured(
                "hook_postmark_secret: is no USER:PASSWORD with a password of eight characters or more; put "
                "the same into the webhook's settings at Postmark"
            )
        self._login = login

    async def read(self, request: Request, *, now: datetime) -> Page:  # noqa: ARG002 - nothing tells when
        """See `Webhook.read`."""
        self._require_login(request.headers.get("authorization", ""))
        found = parsed(request.body)
        event = _event(found)
        return Page((event,) if event else ())

    def _require_login(self, header: str) -> None:
        scheme, _, told = header.partition(" ")
        try:
            given = base64.b64decode(told, validate=True) if scheme.lower() == "basic" else b""
        except (binascii.Error, ValueError):
            given = b""
        if not hmac.compare_digest(given, self._login.get_secret_value().encode()):
            raise Refused("its user name and password are not those of hook_postmark_secret")


def _event(found: object) -> Event | None:
    record = text_at(found, "RecordType")
    names = names_of("postmark", text_at(found, "MessageID"), text_at(found, "Metadata", "message-id"))
    match record:
        case "Delivery":
            email, said = text_at(found, "Recipient"), text_at(found, "Details")
            return Event(f"{record} {names}", EventKind.DELIVERED, names, email, diagnostic=said)
        case "Bounce":
            return _bounce(found, names)
        case "SpamComplaint":
            return Event(_id(found, names), EventKind.COMPLAINED, names, text_at(found, "Email"))
        case "SubscriptionChange":
            return _change(found, names)
        case _:
            return None


def _bounce(found: object, names: tuple[str, ...]) -> Event | None:
    kind = text_at(found, "Type")
    said = text_at(found, "Details") or text_at(found, "Description")
    said = said.removeprefix("smtp;").strip()
    identity, email = _id(found, names), text_at(found, "Email")
    if kind in _DELAYS:
        return Event(identity, EventKind.DELAYED, names, email, diagnostic=said)
    if kind in ("SpamComplaint", "Unsubscribe"):
        what = EventKind.COMPLAINED if kind == "SpamComplaint" else EventKind.UNSUBSCRIBED
        return Event(identity, what, names, email, diagnostic=said)
    if kind not in _BOUNCES:
        return None
    return Event(identity, EventKind.BOUNCED, names, email, diagnostic=said, otherwise=_BOUNCES[kind])


def _change(found: object, names: tuple[str, ...]) -> Event | None:
    """Read a change of Postmark's own list. Of bounces it tells in their own events, and why."""
    is_stopped = isinstance(found, dict) and found.get("SuppressSending") is True
    reason, by = text_at(found, "SuppressionReason"), text_at(found, "Origin")
    email = text_at(found, "Recipient")
    identity = f"change {text_at(found, 'ChangedAt')} {email} {names}"
    if is_stopped and reason == "SpamComplaint":
        return Event(identity, EventKind.COMPLAINED, names, email)
    if is_stopped and reason in _LEAVES and by == "Recipient":
        return Event(identity, EventKind.UNSUBSCRIBED, names, email)
    return None


def _id(found: object, names: tuple[str, ...]) -> str:
    record, number = text_at(found, "RecordType"), text_at(found, "ID")
    return f"{record} {number or names} {text_at(found, 'Email')}"
