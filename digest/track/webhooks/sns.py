"""Messages of Amazon SNS, by which SES tells: signed, with a certificate that has to be fetched.

Every topic of every customer is signed with the same certificates, so only topics that the settings name are
believed. Nothing is fetched but from SNS's own host in the topic's region.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from digest.domain.errors import InvalidInput, Misconfigured, Refused, Unavailable
from digest.track.webhooks.requests import parsed, require_recent, text_at

log = structlog.get_logger(__name__)

Fetch = Callable[[str], Awaitable[bytes]]
"""Return what stands at an address. Raises `Refused` or `Unavailable`, and follows nobody elsewhere."""

_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2,4}(?:-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_.-]{1,256}"
)
_CERTIFICATE = re.compile(r"https://([a-z0-9.-]+)/SimpleNotificationService-[A-Za-z0-9]{8,64}\.pem")
_HASHES = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - the older version that SNS still signs with
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]

_KEPT = 16
_FETCHES_A_MINUTE = 6
"""Amazon changes its certificates about once a year. Whoever knows a topic's name could have us ask for many
that there are not."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that may tell us things."""

    arn: str
    host: str

    @classmethod
    def named(cls, arn: str) -> Topic:
        """Read a topic's name. Raises `Misconfigured` for what is none."""
        found = _TOPIC.fullmatch(arn)
        if not found:
            raise Misconfigured(
                f"hook_sns_topics: '{arn}' is no topic of Amazon SNS; write it like "
                "arn:aws:sns:eu-central-1:123456789012:ses-events"
            )
        top = "amazonaws.com.cn" if found[1] == "aws-cn" else "amazonaws.com"
        return cls(arn, f"sns.{found[2]}.{top}")


class SnsMessages:
    """Reads and verifies messages of the topics that the settings name."""

    def __init__(self, topics: Collection[str], fetch: Fetch) -> None:
        self._topics = {arn: Topic.named(arn) for arn in topics}
        self._fetch = fetch
        self._certificates: dict[str, Certificate] = {}
        self._asking = asyncio.Lock()
        self._fetched: deque[float] = deque(maxlen=_FETCHES_A_MINUTE)

    async def read(self, body: bytes, *, now: datetime) -> tuple[str, str] | None:
        """Return a notification's id and text, None for a message about the subscription itself.

        A subscription to one of our topics is confirmed. Raises as `Webhook.read` does.
        """
        try:
            found = parsed(body)
        except InvalidInput as exc:
            raise Refused(str(exc)) from exc
        topic = self._topics.get(text_at(found, "TopicArn"))
        if topic is None:
            raise Refused("it is of no topic in hook_sns_topics, or not signed: switch raw delivery off")
        require_recent(_moment(text_at(found, "Timestamp")), now=now)
        fields = _fields(found)
        await self._verify(found, fields, topic, now=now)
        if fields["Type"] == "Notification":
            return fields["MessageId"], fields["Message"]
        await self._confirm(fields, topic)
        return None

    async def _verify(self, found: object, fields: dict[str, str], topic: Topic, *, now: datetime) -> None:
        algorithm = _HASHES.get(text_at(found, "SignatureVersion"))
        url = text_at(found, "SigningCertURL")
        pinned = _CERTIFICATE.fullmatch(url)
        if algorithm is None or not pinned or pinned[1] != topic.host:
            raise Refused("it names no certificate of Amazon SNS in the topic's region")
        certificate = await self._certificate(url)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise Refused("its certificate is not valid now")
        key = certificate.public_key()
        signed = "".join(f"{name}\n{fields[name]}\n" for name in _SIGNED[fields["Type"]] if name in fields)
        try:
            if not isinstance(key, RSAPublicKey):
                raise InvalidSignature
            signature = base64.b64decode(_raw(found, "Signature"), validate=True)
            key.verify(signature, signed.encode("utf-8", "surrogatepass"), PKCS1v15(), algorithm)
        except (binascii.Error, ValueError, InvalidSignature) as exc:
            raise Refused("its signature is not Amazon SNS's") from exc

    async def _certificate(self, url: str) -> Certificate:
        async with self._asking:  # a thousand messages at once ask for it once
            if url not in self._certificates:
                self._certificates[url] = await self._fetched_certificate(url)
            return self._certificates[url]

    async def _fetched_certificate(self, url: str) -> Certificate:
        self._require_patience()
        if len(self._certificates) >= _KEPT:
            self._certificates.clear()
        try:
            return load_pem_x509_certificate(await self._fetch(url))
        except ValueError as exc:
            raise Refused("what it names as its certificate is none") from exc

    def _require_patience(self) -> None:
        now = time.monotonic()
        if len(self._fetched) == _FETCHES_A_MINUTE and now - self._fetched[0] < 60:
            raise Unavailable("too many certificates were asked for within a minute")
        self._fetched.append(now)

    async def _confirm(self, fields: dict[str, str], topic: Topic) -> None:
        if fields["Type"] == "UnsubscribeConfirmation":
            log.warning("webhook.unsubscribed", topic=topic.arn)
            return
        # Made of what is signed, not taken from the message: so it can lead nowhere else.
        arn, token = quote(topic.arn, safe=""), quote(fields["Token"], safe="")
        await self._fetch(f"https://{topic.host}/?Action=ConfirmSubscription&TopicArn={arn}&Token={token}")
        log.info("webhook.subscribed", topic=topic.arn)


def _fields(found: object) -> dict[str, str]:
    """Return the fields that are signed, as they are. Raises `Refused` when one is missing."""
    names = _SIGNED.get(_raw(found, "Type"))
    if names is None:
        raise Refused("it is no message of Amazon SNS")
    fields = {name: value for name in names if (value := _raw(found, name)) or name in _given(found)}
    if missing := [name for name in names if name not in fields and name != "Subject"]:
        raise Refused(f"it has no {missing[0]}")
    return fields


def _given(found: object) -> Collection[str]:
    return (
        [name for name, value in found.items() if isinstance(value, str)] if isinstance(found, dict) else []
    )


def _raw(found: object, name: str) -> str:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
