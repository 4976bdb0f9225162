"""SendGrid: up to a thousand events a request, signed as they stand (ECDSA over the time and the body)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from digest.domain.bounces import Meaning
from digest.domain.errors import InvalidInput, Misconfigured, Refused
from digest.track.events import Event, EventKind
from digest.track.webhooks.requests import (
    Page,
    Request,
    names_of,
    parsed,
    require_recent,
    text_at,
    unix_time,
)

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_KINDS = {
    "processed": EventKind.TAKEN,
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DELAYED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.BOUNCED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
}
_DROPPED = {
    "Unsubscribed Address": EventKind.UNSUBSCRIBED,
    "Spam Reporting Address": EventKind.COMPLAINED,
}
_DROPPED_FOR = {"Bounced Address": Meaning.GONE, "Invalid": Meaning.GONE}
_CLASSES = {
    "Invalid Address": Meaning.GONE,
    "Content": Meaning.REFUSES_US,
    "Reputation": Meaning.REFUSES_US,
    "Frequency or Volume Too High": Meaning.REFUSES_US,
}


class SendGridWebhook:
    """A signed event webhook. `key` is its public key, in base64 as SendGrid shows it, or as PEM."""

    def __init__(self, key: str) -> None:
        self._key = _public_key(key)

    async def read(self, request: Request, *, now: datetime) -> Page:
        """See `Webhook.read`."""
        moment = request.headers.get(_TIMESTAMP, "")
        try:
            signature = base64.b64decode(request.headers.get(_SIGNATURE, ""), validate=True)
            self._key.verify(signature, moment.encode() + request.body, ECDSA(SHA256()))
        except (binascii.Error, ValueError, InvalidSignature) as exc:
            raise Refused("it is not signed with the key that hook_sendgrid_key belongs to") from exc
        require_recent(unix_time(moment), now=now)
        found = parsed(request.body)
        if not isinstance(found, list):
            raise InvalidInput("its body is no list of events")
        return Page(tuple(event for one in found if (event := _event(one))))


def _public_key(key: str) -> EllipticCurvePublicKey:
    wrong = "hook_sendgrid_key: is no public key as SendGrid shows it beside 'Signed Event Webhook'"
    try:
        if "BEGIN" in key:
            found = load_pem_public_key(key.encode())
        else:
            found = load_der_public_key(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise Misconfigured(wrong) from exc
    if not isinstance(found, EllipticCurvePublicKey):
        raise Misconfigured(wrong)
    return found


def _event(one: object) -> Event | None:
    name = text_at(one, "event")
    if name not in _KINDS:
        return None
    # Their own name of a mail is the part before the first dot: what follows tells machines apart.
    theirs = text_at(one, "sg_message_id").partition(".")[0]
    names = names_of("sendgrid", theirs, text_at(one, "message_id"))
    email = text_at(one, "email")
    reason = text_at(one, "reason")
    kind = _DROPPED.get(reason, _KINDS[name]) if name == "dropped" else _KINDS[name]
    return Event(
        id=text_at(one, "sg_event_id") or f"{name} {text_at(one, 'timestamp')} {names} {email}",
        kind=kind,
        names=names,
        email=email,
        status=text_at(one, "status"),
        diagnostic=reason or text_at(one, "response"),
        otherwise=_otherwise(one, name, reason),
    )


def _otherwise(one: object, name: str, reason: str) -> Meaning | None:
    if name == "dropped":
        return _DROPPED_FOR.get(reason, Meaning.ABOUT_MAIL)
    return _CLASSES.get(text_at(one, "bounce_classification")) if name == "bounce" else None
