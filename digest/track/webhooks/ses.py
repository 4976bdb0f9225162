"""Amazon SES through SNS: notifications of an identity, and events of a configuration set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from digest.domain.bounces import Meaning
from digest.domain.errors import InvalidInput
from digest.track.events import Event, EventKind
from digest.track.webhooks.requests import Page, Request, at, list_at, names_of, parsed, text_at
from digest.track.webhooks.sns import SnsMessages

_NO_COMPLAINTS = frozenset({"auth-failure", "not-spam", "virus"})
"""Feedback (RFC 5965 §3.5) that is no reader's wish. Most of it has no type: then it is a complaint."""

_GONE = frozenset({"NoEmail", "Suppressed", "OnAccountSuppressionList"})
_ABOUT_MAIL = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})


class SesWebhook:
    """What SES tells to the topics that the settings name."""

    def __init__(self, messages: SnsMessages) -> None:
        self._messages = messages

    async def read(self, request: Request, *, now: datetime) -> Page:
        """See `Webhook.read`. A message about the subscription has no events."""
        message = await self._messages.read(request.body, now=now)
        if message is None:
            return Page()
        identity, text = message
        try:
            found = parsed(text.encode("utf-8", "replace"))
        except InvalidInput:
            return Page()  # SES greets a new topic in plain words
        return Page(tuple(_events(identity, found)))


def _events(identity: str, found: object) -> Iterator[Event]:
    names = _names(at(found, "mail"))
    match text_at(found, "eventType") or text_at(found, "notificationType"):
        case "Bounce":
            yield from _bounces(at(found, "bounce"), names, identity)
        case "Complaint":
            yield from _complaints(at(found, "complaint"), names, identity)
        case "Delivery":
            said = text_at(found, "delivery", "smtpResponse")
            for email in map(str, list_at(found, "delivery", "recipients")):
                yield Event(f"{identity} {email}", EventKind.DELIVERED, names, email, diagnostic=said)
        case "Send":
            yield Event(identity, EventKind.TAKEN, names, _recipient(found))
        case "Reject":
            said = text_at(found, "reject", "reason")
            yield Event(identity, EventKind.BOUNCED, names, _recipient(found), "", said, Meaning.ABOUT_MAIL)
        case "DeliveryDelay":
            for one in list_at(found, "deliveryDelay", "delayedRecipients"):
                yield _of_recipient(one, EventKind.DELAYED, names, identity)
        case "Subscription" if _leaves(at(found, "subscription")):
            yield Event(identity, EventKind.UNSUBSCRIBED, names, _recipient(found))


def _names(mail: object) -> tuple[str, ...]:
    """Return what the mail may be known by: our own tag, the header where SES gives it back, SES's name."""
    tag = next(iter(list_at(mail, "tags", "message_id")), "")
    own = str(tag) or text_at(mail, "commonHeaders", "messageId")
    return names_of("ses", text_at(mail, "messageId"), own)


def _recipient(found: object) -> str:
    return str(next(iter(list_at(found, "mail", "destination")), ""))


def _bounces(bounce: object, names: tuple[str, ...], identity: str) -> Iterator[Event]:
    kind, detail = text_at(bounce, "bounceType"), text_at(bounce, "bounceSubType")
    feedback = text_at(bounce, "feedbackId") or identity
    for one in list_at(bounce, "bouncedRecipients"):
        is_said = text_at(one, "status") or text_at(one, "diagnosticCode")
        if kind == "Transient" and detail == "General" and not is_said:
            continue  # absences come so, too
        yield _of_recipient(one, EventKind.BOUNCED, names, feedback, _otherwise(kind, detail))


def _otherwise(kind: str, detail: str) -> Meaning:
    if detail in _ABOUT_MAIL:
        return Meaning.ABOUT_MAIL
    return Meaning.GONE if kind == "Permanent" and detail in _GONE else Meaning.SOFT


def _of_recipient(
    one: object,
    kind: EventKind,
    names: tuple[str, ...],
    identity: str,
    otherwise: Meaning | None = None,
) -> Event:
    email = text_at(one, "emailAddress")
    said = text_at(one, "diagnosticCode")
    said = said.partition(";")[2].strip() or said
    return Event(f"{identity} {email}", kind, names, email, text_at(one, "status"), said, otherwise)


def _complaints(complaint: object, names: tuple[str, ...], identity: str) -> Iterator[Event]:
    kind = text_at(complaint, "complaintFeedbackType")
    if kind in _NO_COMPLAINTS:
        return
    feedback = text_at(complaint, "feedbackId") or identity
    for one in list_at(complaint, "complainedRecipients"):
        email = text_at(one, "emailAddress")
        yield Event(f"{feedback} {email}", EventKind.COMPLAINED, names, email, diagnostic=kind)


def _leaves(subscription: object) -> bool:
    new = at(subscription, "newTopicPreferences")
    if isinstance(new, dict) and new.get("unsubscribeAll") is True:
        return True
    statuses = [text_at(one, "subscriptionStatus") for one in list_at(new, "topicSubscriptionStatus")]
    return bool(statuses) and all(one == "OptOut" for one in statuses)
