"""Requests as the four providers post them, signed with keys made for the tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from digest.track.webhooks.requests import Request
from tests.stored import NOW

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses-events"
HOST = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE_URL = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
LOGIN = "digest:correct horse"
MAILGUN_KEY = "mailgun signing key"

_SIGNED = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(valid_until: datetime = NOW + timedelta(days=300)) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder(
        name, name, rsa_key().public_key(), 7, NOW - timedelta(days=60), valid_until
    )
    return builder.sign(rsa_key(), SHA256()).public_bytes(Encoding.PEM)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sendgrid_public_key(encoding: Encoding = Encoding.DER) -> str:
    octets = ec_key().public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    return octets.decode() if encoding is Encoding.PEM else base64.b64encode(octets).decode()


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def sns_fields(message: object, *, at: datetime = NOW, version: str = "1", **changes: str) -> dict[str, str]:
    """A message of SNS, signed after `changes`; one that is '' leaves its field out."""
    text = message if isinstance(message, str) else json.dumps(message)
    fields = {
        "Type": "Notification",
        "MessageId": "11111111-2222-3333-4444-555555555555",
        "TopicArn": TOPIC,
        "Message": text,
        "Timestamp": stamp(at),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe",
    } | changes
    fields = {name: value for name, value in fields.items() if value}
    signed = "".join(f"{name}\n{fields[name]}\n" for name in _SIGNED if name in fields)
    algorithm = SHA1() if version == "1" else SHA256()
    fields["Signature"] = base64.b64encode(
        rsa_key().sign(signed.encode(), padding.PKCS1v15(), algorithm)
    ).decode()
    return fields


def sns(message: object, *, at: datetime = NOW, version: str = "1", **changes: str) -> Request:
    fields = sns_fields(message, at=at, version=version, **changes)
    return Request({"x-amz-sns-message-type": fields.get("Type", "")}, json.dumps(fields).encode())


def confirmation(**changes: str) -> Request:
    asked = {
        "Type": "SubscriptionConfirmation",
        "Token": "t0ken&x=1",
        "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0ken",
    }
    return sns("You have chosen to subscribe", **{**asked, **changes})


def postmark(found: Mapping[str, Any], *, login: str = LOGIN) -> Request:
    basic = base64.b64encode(login.encode()).decode()
    return Request({"authorization": f"Basic {basic}"}, json.dumps(found).encode())


def mailgun(
    told: Mapping[str, Any], *, at: datetime = NOW, token: str = "t" * 50, key: str = MAILGUN_KEY
) -> Request:
    moment = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": moment, "token": token, "signature": signature}
    return Request({}, json.dumps({"signature": signed, "event-data": told}).encode())


def sendgrid(events: object, *, at: datetime = NOW, body: bytes | None = None) -> Request:
    content = json.dumps(events).encode() if body is None else body
    moment = str(int(at.timestamp()))
    signature = ec_key().sign(moment.encode() + content, ec.ECDSA(SHA256()))
    return Request(
        {
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": moment,
        },
        content,
    )
