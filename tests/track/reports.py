"""Mails that come back, as servers write them: made for one delivery, with what differs given."""

from __future__ import annotations

TO = "bounces+7-abcdefghijklmnop@news.example.org"
ABOUT = "<3.7.0123456789ab@news.example.org>"


def group(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    final: str = "rfc822; ada@example.org",
    original: str = "",
    diagnostic: str = "smtp; 550 5.1.1 <ada@example.org>: no such user",
) -> str:
    """Return the fields about one recipient (RFC 3464 §2.3)."""
    fields = {
        "Original-Recipient": original,
        "Final-Recipient": final,
        "Action": action,
        "Status": status,
        "Diagnostic-Code": diagnostic,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def delivery_report(
    *groups: str,
    to: str = TO,
    about: str = ABOUT,
    own_id: str = "<report.1@mx.example.net>",
    status_type: str = "message/delivery-status",
    headers: str = "",
) -> bytes:
    """Return a report as Postfix writes it; by default that a mailbox is not there."""
    blocks = "\n".join(groups or (group(),))
    message_id = f"Message-ID: {own_id}\n" if own_id else ""
    return (
        (
            f"{headers}From: MAILER-DAEMON@mx.example.net (Mail Delivery System)\nTo: {to}\n"
            f"Subject: Undelivered Mail Returned to Sender\n{message_id}"
            "Date: Mon, 23 Nov 2026 08:00:00 +0000\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nI'm sorry to have to inform you that your message could not be "
            f"delivered.\n\n--b\nContent-Type: {status_type}\n\n"
            f"Reporting-MTA: dns; mx.example.net\nArrival-Date: Mon, 23 Nov 2026 07:00:00 +0000\n\n{blocks}\n"
            f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {about}\nFrom: desk@news.example.org\n"
            "Subject: Tides\n\n--b--\n"
        )
        .replace("\n", "\r\n")
        .encode()
    )


def complaint(
    kind: str = "abuse", *, to: str = "abuse@news.example.org", sender: str = TO, about: str = ABOUT
) -> bytes:
    """Return a complaint as a mailbox provider's feedback loop writes it (RFC 5965)."""
    feedback = f"Feedback-Type: {kind}\n" if kind else ""
    mail_from = f"Original-Mail-From: <{sender}>\n" if sender else ""
    return (
        f"From: feedback@example.net\nTo: {to}\nSubject: Fw: Tides\nMessage-ID: <arf.1@example.net>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an abuse report.\n\n"
        f"--b\nContent-Type: message/feedback-report\n\n{feedback}User-Agent: Loop/1\nVersion: 1\n{mail_from}"
        "Original-Rcpt-To: <redacted@example.org>\n\n--b\nContent-Type: message/rfc822\n\n"
        f"Message-ID: {about}\nFrom: desk@news.example.org\nTo: redacted\nSubject: Tides\n\nHello\n\n--b--\n"
    ).encode()


DAEMON = "MAILER-DAEMON@mx.example.net"


def plain_mail(body: str, *, to: str = TO, sender: str = DAEMON, headers: str = "") -> bytes:
    """Return a mail of text alone."""
    head = f"From: {sender}\nTo: {to}\nSubject: failure notice\nMessage-ID: <plain.1@mx.example.net>\n"
    return f"{head}{headers}\n{body}".encode()


QMAIL = """\
Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
192.0.2.1 does not like recipient.
Remote host said: {said}
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <someone@news.example.org>
X-Quoted: 550 5.7.1 5.1.1
"""
