"""Only what is signed is read, and what it says becomes an event of ours."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr

from digest.domain.bounces import Meaning
from digest.domain.errors import DigestError, InvalidInput, Misconfigured, Refused, Unavailable
from digest.track.events import BELIEVED_FOR, Event, EventKind
from digest.track.webhooks.mailgun import MailgunWebhook
from digest.track.webhooks.postmark import PostmarkWebhook
from digest.track.webhooks.requests import Page, Request, Webhook
from digest.track.webhooks.sendgrid import SendGridWebhook
from digest.track.webhooks.ses import SesWebhook
from digest.track.webhooks.sns import SnsMessages
from tests.stored import NOW
from tests.track.webhooks import signing, told

ABOUT = "3.7.0123456789ab@news.example.org"
ADA = "ada@example.org"
LONG_AGO = NOW - BELIEVED_FOR - timedelta(seconds=2)
LATER = NOW + timedelta(hours=3)


class Amazon:
    """What Amazon's hosts answer, and what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.certificate = signing.certificate()
        self.trouble: DigestError | None = None

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.trouble:
            raise self.trouble
        return self.certificate if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


def ses_hook(amazon: Amazon) -> SesWebhook:
    return SesWebhook(SnsMessages([signing.TOPIC], amazon.fetch))


def hook(provider: str) -> Webhook:
    return {
        "ses": lambda: ses_hook(Amazon()),
        "postmark": lambda: PostmarkWebhook(SecretStr(signing.LOGIN)),
        "mailgun": lambda: MailgunWebhook(SecretStr(signing.MAILGUN_KEY)),
        "sendgrid": lambda: SendGridWebhook(signing.sendgrid_public_key()),
    }[provider]()


def read(webhook: Webhook, request: Request) -> Page:
    return asyncio.run(webhook.read(request, now=NOW))


def changed(request: Request, **fields: object) -> Request:
    return replace(request, body=json.dumps({**json.loads(request.body), **fields}).encode())


BOUNCE = told.ses_bounce(ABOUT)
MAILGUN = told.mailgun("delivered", ABOUT)
SENDGRID = [told.sendgrid("delivered", ABOUT)]

FORGED: dict[str, tuple[str, Callable[[], Request]]] = {
    "no JSON": ("ses", lambda: Request({}, b"{")),
    "nested without end": ("ses", lambda: Request({}, b"[" * 100_000)),
    "no object": ("ses", lambda: Request({}, b"[]")),
    "raw delivery, unsigned": ("ses", lambda: Request({}, json.dumps(BOUNCE).encode())),
    "another's topic, well signed": ("ses", lambda: signing.sns(BOUNCE, TopicArn=signing.TOPIC[:-1])),
    "another text": ("ses", lambda: changed(signing.sns(BOUNCE), Message="{}")),
    "a subject put in": ("ses", lambda: changed(signing.sns(BOUNCE), Subject="x")),
    "another type": ("ses", lambda: changed(signing.sns(BOUNCE), Type="SubscriptionConfirmation")),
    "no type": ("ses", lambda: signing.sns(BOUNCE, Type="Gossip")),
    "no signature": ("ses", lambda: changed(signing.sns(BOUNCE), Signature="")),
    "no base64": ("ses", lambda: changed(signing.sns(BOUNCE), Signature="%%%")),
    "version 1 as 2": ("ses", lambda: changed(signing.sns(BOUNCE), SignatureVersion="2")),
    "version 3": ("ses", lambda: signing.sns(BOUNCE, version="3")),
    "old": ("ses", lambda: signing.sns(BOUNCE, at=LONG_AGO)),
    "from the future": ("ses", lambda: signing.sns(BOUNCE, at=LATER)),
    "no time": ("ses", lambda: signing.sns(BOUNCE, Timestamp="yesterday")),
    "no message id": ("ses", lambda: signing.sns(BOUNCE, MessageId="")),
    "no log-in": ("postmark", lambda: Request({}, b"{}")),
    "a wrong password": ("postmark", lambda: signing.postmark({}, login="digest:wrong")),
    "another scheme": ("postmark", lambda: Request({"authorization": f"Bearer {signing.LOGIN}"}, b"{}")),
    "no base64 behind Basic": ("postmark", lambda: Request({"authorization": "Basic ä"}, b"{}")),
    "another key": ("mailgun", lambda: signing.mailgun(MAILGUN, key="x")),
    "unsigned": ("mailgun", lambda: Request({}, json.dumps({"event-data": MAILGUN}).encode())),
    "signed long ago": ("mailgun", lambda: signing.mailgun(MAILGUN, at=LONG_AGO)),
    "a signature that is no text": (
        "mailgun",
        lambda: changed(signing.mailgun(MAILGUN), signature={"token": ["a"], "signature": {}}),
    ),
    "another body": ("sendgrid", lambda: replace(signing.sendgrid(SENDGRID), body=b"[]")),
    "no headers": ("sendgrid", lambda: Request({}, b"[]")),
    "signed before": ("sendgrid", lambda: signing.sendgrid(SENDGRID, at=LONG_AGO)),
    "not ASCII": ("sendgrid", lambda: Request({"x-twilio-email-event-webhook-signature": "ü"}, b"[]")),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_refused(name: str) -> None:
    provider, request = FORGED[name]
    with pytest.raises(Refused):
        read(hook(provider), request())


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com.example.org/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil@sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com@example.org/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com/bucket/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem?x=.pem",
        "https://s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://snsXeu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "",
    ],
)
def test_a_certificate_is_asked_for_at_one_host_and_nowhere_else(url: str, amazon: Amazon) -> None:
    with pytest.raises(Refused):
        read(ses_hook(amazon), signing.sns(BOUNCE, SigningCertURL=url))
    assert amazon.asked == []


def test_both_versions_of_a_signature_hold_and_the_certificate_is_asked_for_once(amazon: Amazon) -> None:
    webhook = ses_hook(amazon)
    for version in ("1", "2"):
        for subject in ("", "Amazon SES"):
            assert len(read(webhook, signing.sns(BOUNCE, version=version, Subject=subject)).events) == 1
    assert amazon.asked == [signing.CERTIFICATE_URL]


def test_a_certificate_that_is_none_is_over_or_cannot_be_had_lets_nothing_in(amazon: Amazon) -> None:
    amazon.certificate = b"nothing"
    with pytest.raises(Refused, match="certificate is none"):
        read(ses_hook(amazon), signing.sns(BOUNCE))
    amazon.certificate = signing.certificate(NOW - timedelta(days=1))
    with pytest.raises(Refused, match="not valid now"):
        read(ses_hook(amazon), signing.sns(BOUNCE))
    amazon.trouble = Unavailable("away")
    with pytest.raises(Unavailable, match="away"):
        read(ses_hook(amazon), signing.sns(BOUNCE))


def test_who_knows_a_topic_cannot_have_us_ask_without_end(amazon: Amazon) -> None:
    webhook = ses_hook(amazon)
    amazon.trouble = Refused("404")
    for number in range(50):
        url = signing.CERTIFICATE_URL.replace("0123", f"{number:04}")
        with pytest.raises(DigestError):
            read(webhook, signing.sns(BOUNCE, SigningCertURL=url))
    assert len(amazon.asked) == 6


def test_a_subscription_to_our_topic_is_confirmed_at_its_own_host(amazon: Amazon) -> None:
    evil = "https://example.org/?Action=ConfirmSubscription"
    assert read(ses_hook(amazon), signing.confirmation(SubscribeURL=evil)) == Page()
    arn = signing.TOPIC.replace(":", "%3A")
    confirmed = f"{signing.HOST}/?Action=ConfirmSubscription&TopicArn={arn}&Token=t0ken%26x%3D1"
    assert amazon.asked == [signing.CERTIFICATE_URL, confirmed]


def test_a_subscription_to_another_topic_is_not_confirmed(amazon: Amazon) -> None:
    with pytest.raises(Refused, match="hook_sns_topics"):
        read(ses_hook(amazon), signing.confirmation(TopicArn=f"{signing.TOPIC}-of-mallory"))
    forged = changed(signing.confirmation(), Token="another")
    with pytest.raises(Refused, match="signature"):
        read(ses_hook(amazon), forged)
    assert amazon.asked == [signing.CERTIFICATE_URL]


def test_words_of_ses_and_the_end_of_a_subscription_are_no_events(amazon: Amazon) -> None:
    webhook = ses_hook(amazon)
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    assert read(webhook, signing.sns(greeting)) == Page()
    assert read(webhook, signing.confirmation(Type="UnsubscribeConfirmation")) == Page()


NAMES = (f"<{ABOUT}>", "ses:0100-ses")
GONE_SAID = "550 5.1.1 no such user"


@pytest.mark.parametrize(
    ("message", "kind", "status", "said", "otherwise"),
    [
        (BOUNCE, EventKind.BOUNCED, "5.1.1", GONE_SAID, Meaning.SOFT),
        (
            told.ses_bounce(ABOUT, status="", said="", detail="NoEmail"),
            EventKind.BOUNCED,
            "",
            "",
            Meaning.GONE,
        ),
        (
            told.ses_bounce(ABOUT, kind="Transient", detail="MessageTooLarge", status="", said=""),
            EventKind.BOUNCED,
            "",
            "",
            Meaning.ABOUT_MAIL,
        ),
        (told.ses_complaint(ABOUT), EventKind.COMPLAINED, "", "abuse", None),
        (told.ses_delivery(ABOUT), EventKind.DELIVERED, "", "", None),
        (told.ses("Send", ABOUT), EventKind.TAKEN, "", "", None),
        (
            told.ses("Reject", ABOUT, reject={"reason": "Bad content"}),
            EventKind.BOUNCED,
            "",
            "Bad content",
            Meaning.ABOUT_MAIL,
        ),
        (
            told.ses("Subscription", ABOUT, subscription={"newTopicPreferences": {"unsubscribeAll": True}}),
            EventKind.UNSUBSCRIBED,
            "",
            "",
            None,
        ),
    ],
)
def test_ses_tells(
    message: dict[str, object],
    kind: EventKind,
    status: str,
    said: str,
    otherwise: Meaning | None,
    amazon: Amazon,
) -> None:
    (event,) = read(ses_hook(amazon), signing.sns(message)).events
    assert (event.kind, event.names, event.email) == (kind, NAMES, ADA)
    assert (event.status, event.diagnostic, event.otherwise) == (status, said, otherwise)


def test_the_older_notifications_of_ses_are_read_too(amazon: Amazon) -> None:
    message = told.ses_bounce() | {"notificationType": "Bounce"}
    del message["eventType"]
    message["mail"]["commonHeaders"] = {"messageId": f"<{ABOUT}>"}
    (event,) = read(ses_hook(amazon), signing.sns(message)).events
    assert event.names == NAMES


@pytest.mark.parametrize(
    "message",
    [
        told.ses_complaint(ABOUT, kind="not-spam"),
        told.ses_bounce(ABOUT, kind="Transient", status="", said=""),  # an absence, mostly
        told.ses("Open", ABOUT),
        {"eventType": "Bounce", "bounce": {"bouncedRecipients": "none"}},
        {"eventType": ["Bounce"], "mail": 7},
    ],
)
def test_what_ses_tells_besides_is_no_event(message: object, amazon: Amazon) -> None:
    assert read(ses_hook(amazon), signing.sns(message)) == Page()


def one(provider: str, request: Request) -> Event:
    (event,) = read(hook(provider), request).events
    assert event.email == ADA
    return event


@pytest.mark.parametrize(
    ("record", "fields", "kind", "otherwise"),
    [
        ("Delivery", {}, EventKind.DELIVERED, None),
        ("Bounce", {"Type": "HardBounce"}, EventKind.BOUNCED, Meaning.GONE),
        ("Bounce", {"Type": "SoftBounce"}, EventKind.BOUNCED, Meaning.SOFT),
        ("Bounce", {"Type": "Blocked"}, EventKind.BOUNCED, Meaning.REFUSES_US),
        ("Bounce", {"Type": "Transient"}, EventKind.DELAYED, None),
        ("Bounce", {"Type": "Unsubscribe"}, EventKind.UNSUBSCRIBED, None),
        ("SpamComplaint", {}, EventKind.COMPLAINED, None),
        (
            "SubscriptionChange",
            {"SuppressSending": True, "Origin": "Recipient"},
            EventKind.UNSUBSCRIBED,
            None,
        ),
    ],
)
def test_postmark_tells(record: str, fields: dict[str, object], kind: EventKind, otherwise: Meaning) -> None:
    event = one("postmark", signing.postmark(told.postmark(record, ABOUT, **fields)))
    assert (event.kind, event.names) == (kind, (f"<{ABOUT}>", "postmark:pm-1"))
    assert event.otherwise is otherwise


@pytest.mark.parametrize(
    "found",
    [
        told.postmark("Open"),
        told.postmark("Bounce", Type="AutoResponder"),
        told.postmark("SubscriptionChange", SuppressSending=False, Origin="Recipient"),
        told.postmark("SubscriptionChange", SuppressSending=True, Origin="Admin"),
        {"RecordType": {"a": 1}},
    ],
)
def test_what_postmark_tells_besides_is_no_event(found: dict[str, object]) -> None:
    assert read(hook("postmark"), signing.postmark(found)) == Page()


@pytest.mark.parametrize(
    ("event", "fields", "kind", "status", "otherwise"),
    [
        ("accepted", {}, EventKind.TAKEN, "", None),
        ("delivered", {"delivery-status": {"message": "OK"}}, EventKind.DELIVERED, "", None),
        ("complained", {}, EventKind.COMPLAINED, "", None),
        ("unsubscribed", {}, EventKind.UNSUBSCRIBED, "", None),
        (
            "failed",
            {"severity": "permanent", "delivery-status": {"enhanced-code": "5.1.1", "message": "no"}},
            EventKind.BOUNCED,
            "5.1.1",
            None,
        ),
        (
            "failed",
            {"severity": "permanent", "reason": "suppress-bounce"},
            EventKind.BOUNCED,
            "",
            Meaning.GONE,
        ),
        ("failed", {"severity": "permanent", "reason": "suppress-complaint"}, EventKind.COMPLAINED, "", None),
        ("failed", {"severity": "temporary", "reason": "suppress-bounce"}, EventKind.DELAYED, "", None),
    ],
)
def test_mailgun_tells(
    event: str, fields: dict[str, object], kind: EventKind, status: str, otherwise: Meaning | None
) -> None:
    found = one("mailgun", signing.mailgun(told.mailgun(event, ABOUT, **fields)))
    assert (found.kind, found.names[0], found.status) == (kind, f"<{ABOUT}>", status)
    assert found.otherwise is otherwise


@pytest.mark.parametrize(
    ("event", "fields", "kind", "otherwise"),
    [
        ("processed", {}, EventKind.TAKEN, None),
        ("delivered", {"response": "250 OK"}, EventKind.DELIVERED, None),
        ("deferred", {"response": "421 later"}, EventKind.DELAYED, None),
        (
            "bounce",
            {"reason": "550 no", "bounce_classification": "Invalid Address"},
            EventKind.BOUNCED,
            Meaning.GONE,
        ),
        (
            "bounce",
            {"type": "blocked", "bounce_classification": "Reputation"},
            EventKind.BOUNCED,
            Meaning.REFUSES_US,
        ),
        ("bounce", {"bounce_classification": "Mailbox Unavailable"}, EventKind.BOUNCED, None),
        ("dropped", {"reason": "Bounced Address"}, EventKind.BOUNCED, Meaning.GONE),
        ("dropped", {"reason": "Spam Reporting Address"}, EventKind.COMPLAINED, Meaning.ABOUT_MAIL),
        ("dropped", {"reason": "Unsubscribed Address"}, EventKind.UNSUBSCRIBED, Meaning.ABOUT_MAIL),
        ("spamreport", {}, EventKind.COMPLAINED, None),
        ("group_unsubscribe", {}, EventKind.UNSUBSCRIBED, None),
    ],
)
def test_sendgrid_tells(
    event: str, fields: dict[str, object], kind: EventKind, otherwise: Meaning | None
) -> None:
    found = one(
        "sendgrid", signing.sendgrid([told.sendgrid(event, ABOUT, **fields), told.sendgrid("open"), 7])
    )
    assert (found.kind, found.names) == (kind, (f"<{ABOUT}>", "sendgrid:sg1"))
    assert found.otherwise is otherwise


def test_what_is_signed_and_no_page_of_events_is_told_apart_from_what_is_forged() -> None:
    for body in (b"{}", b"\xff", b"[" * 100_000):
        with pytest.raises(InvalidInput):
            read(hook("sendgrid"), signing.sendgrid(None, body=body))


def test_a_key_may_be_pem_and_a_setting_that_is_none_is_named() -> None:
    assert read(SendGridWebhook(signing.sendgrid_public_key(Encoding.PEM)), signing.sendgrid([])) == Page()
    rsa_key = base64.b64encode(
        signing.rsa_key().public_key().public_bytes(Encoding.DER, signing.PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    for wrong in ("nothing", rsa_key, "-----BEGIN PUBLIC KEY-----"):
        with pytest.raises(Misconfigured, match="hook_sendgrid_key"):
            SendGridWebhook(wrong)
    for login in ("nobody", "user:short", ":password-without-user"):
        with pytest.raises(Misconfigured, match="hook_postmark_secret"):
            PostmarkWebhook(SecretStr(login))
    with pytest.raises(Misconfigured, match="hook_sns_topics"):
        SnsMessages(["arn:aws:sqs:eu-central-1:123456789012:x"], Amazon().fetch)
