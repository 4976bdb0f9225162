"""What the providers tell of one mail, as each puts it; `about` is its Message-ID without brackets."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def ses(
    kind: str, about: str = "", *, theirs: str = "0100-ses", email: str = "ada@example.org", **parts: Any
) -> Json:
    tags = {"tags": {"message_id": [about]}} if about else {}
    mail = {"messageId": theirs, "destination": [email], **tags}
    return {"eventType": kind, "mail": mail, **parts}


def ses_bounce(
    about: str = "",
    *,
    status: str = "5.1.1",
    said: str = "smtp; 550 5.1.1 no such user",
    kind: str = "Permanent",
    detail: str = "General",
    email: str = "ada@example.org",
    **more: Any,
) -> Json:
    recipient = {"emailAddress": email, "action": "failed", "status": status, "diagnosticCode": said}
    recipient = {name: value for name, value in recipient.items() if value}
    bounce = {
        "bounceType": kind,
        "bounceSubType": detail,
        "feedbackId": "f-1",
        "bouncedRecipients": [recipient],
    }
    return ses("Bounce", about, email=email, bounce=bounce, **more)


def ses_complaint(
    about: str = "", *, kind: str = "abuse", email: str = "ada@example.org", **more: Any
) -> Json:
    complaint = {
        "complainedRecipients": [{"emailAddress": email}],
        "complaintFeedbackType": kind,
        "feedbackId": "f-2",
    }
    return ses("Complaint", about, email=email, complaint=complaint, **more)


def ses_delivery(about: str = "", *, email: str = "ada@example.org", **more: Any) -> Json:
    return ses("Delivery", about, email=email, delivery={"recipients": [email]}, **more)


def postmark(record: str, about: str = "", *, email: str = "ada@example.org", **fields: Any) -> Json:
    metadata = {"message-id": about} if about else {}
    found = {"RecordType": record, "MessageID": "pm-1", "Metadata": metadata, "ID": 42}
    return {**found, "Email": email, "Recipient": email, **fields}


def mailgun(event: str, about: str = "", *, email: str = "ada@example.org", **fields: Any) -> Json:
    message = {"headers": {"message-id": about}}
    return {"event": event, "id": "mg-1", "timestamp": 1.5, "recipient": email, "message": message, **fields}


def sendgrid(event: str, about: str = "", *, email: str = "ada@example.org", **fields: Any) -> Json:
    own = {"message_id": about} if about else {}
    found = {"event": event, "sg_event_id": f"sg-{event}", "sg_message_id": "sg1.recvd-5-0", "timestamp": 1}
    return {**found, "email": email, **own, **fields}
