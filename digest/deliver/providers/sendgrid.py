"""SendGrid, API v3: takes fields of JSON and writes the MIME itself."""

from __future__ import annotations

import json

from digest.deliver.providers.account import Account
from digest.deliver.providers.http import Answer, Ask
from digest.deliver.providers.parts import Mailbox, parts_of
from digest.deliver.providers.verdicts import Meaning, Verdict, by_status, reason, require_met, says, taken
from digest.deliver.transport import Envelope
from digest.domain.errors import Refused

_HOMES = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
_NO_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}
"""An account's own settings may rewrite links, add pictures and a footer of SendGrid's to unsubscribe."""


class SendGrid:
    """An account, or a subuser of one."""

    name = "SendGrid"
    scheme = "sendgrid"
    most_bytes = 20_000_000
    """30 MB, when JSON writes many letters as several bytes."""

    def __init__(self, account: Account) -> None:
        self._base = account.endpoint(_HOMES[account.choice("region", _HOMES, "global")])
        key = account.key.get_secret_value()
        self.secrets: tuple[str, ...] = (key,)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def hello(self) -> Ask:
        """Ask what the key may do, which every key is told."""
        return Ask("GET", f"{self._base}/v3/scopes", self._headers)

    def greeted(self, answer: Answer) -> str:
        """See `Provider.greeted`."""
        require_met(self.name, answer, _said(answer)[1])
        found = answer.json()
        scopes = found.get("scopes") if isinstance(found, dict) else None
        if isinstance(scopes, list) and "mail.send" not in scopes:
            raise Refused(f"{self.name} does not let this key send mail: give it the permission 'Mail Send'")
        return "takes the key"

    def mail(self, envelope: Envelope, message: bytes) -> Ask:
        """See `Provider.mail`. Reports bring our Message-ID back, whatever becomes of the header."""
        parts = parts_of(message)
        bodies = (("text/plain", parts.text), ("text/html", parts.html))
        body: dict[str, object] = {
            "personalizations": [{"to": [{"email": envelope.recipient}]}],
            "from": _written(parts.sender),
            "subject": parts.subject,
            "content": [{"type": kind, "value": text} for kind, text in bodies if text],
            "headers": dict(parts.headers),
            "custom_args": {"message_id": parts.message_id},
            "tracking_settings": _NO_TRACKING,
        }
        if parts.reply_to:
            body["reply_to"] = _written(parts.reply_to)
        return Ask("POST", f"{self._base}/v3/mail/send", self._headers, json.dumps(body).encode())

    def verdict(self, answer: Answer) -> Verdict:
        """See `Provider.verdict`. What is taken has its name in a header, and no body."""
        if 200 <= answer.status < 300:
            return taken(self.scheme, answer, answer.headers.get("x-message-id"))
        field, said = _said(answer)
        text = says(self.name, f"no to {reason(field)}", answer.status, said)
        if answer.status == 400 and field.startswith("personalizations") and field.endswith("email"):
            return Verdict(Meaning.NOT_TO_THEM, text, answer.status)
        if answer.status == 400 and field.partition(".")[0] in ("from", "reply_to"):
            return Verdict(Meaning.NOT_FROM_US, text, answer.status)
        return by_status(self.name, answer, said)


def _said(answer: Answer) -> tuple[str, str]:
    """Return the first error's field and words, '' for what it does not say."""
    found = answer.json()
    errors = found.get("errors") if isinstance(found, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("field") or ""), str(first.get("message") or "")


def _written(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address, "name": mailbox.name} if mailbox.name else {"email": mailbox.address}
