"""Postmark: takes fields of JSON and writes the MIME itself."""

from __future__ import annotations

import json
import re
from email.utils import formataddr

from digest.deliver.providers.account import Account
from digest.deliver.providers.http import Answer, Ask
from digest.deliver.providers.parts import Mailbox, parts_of
from digest.deliver.providers.verdicts import Meaning, Verdict, by_status, reason, require_met, says, taken
from digest.deliver.transport import Envelope
from digest.domain.errors import Refused

_MOST_OF_A_BODY = 5_000_000
_MOST_OF_METADATA = 80

_INVALID, _INACTIVE, _BUSY, _MAINTENANCE = 300, 406, 429, 100
_OURS = frozenset({400, 401, 405, 412, 413, 1235})
"""Codes of the sender's signature, credit, the account and a message stream that is not there."""
_ABOUT_READER = re.compile(r"(?:Invalid|Error parsing) 'To'", re.IGNORECASE)


class Postmark:
    """One server of an account, and the message stream that its mail goes through."""

    name = "Postmark"
    scheme = "postmark"
    most_bytes = 7_000_000
    """10 MB in base64, with which Postmark counts."""

    def __init__(self, account: Account) -> None:
        self._base = account.endpoint("https://api.postmarkapp.com")
        self._stream = account.options.get("stream", "broadcast")
        key = account.key.get_secret_value()
        self.secrets: tuple[str, ...] = (key,)
        self._headers = {"X-Postmark-Server-Token": key, "Content-Type": "application/json"}

    def hello(self) -> Ask:
        """Ask for the server that the token belongs to."""
        return Ask("GET", f"{self._base}/server", self._headers)

    def greeted(self, answer: Answer) -> str:
        """See `Provider.greeted`."""
        require_met(self.name, answer, answer.field("Message"))
        name = reason(answer.field("Name"))
        return f"takes the key of its server '{name}'" if name else "takes the key"

    def mail(self, envelope: Envelope, message: bytes) -> Ask:
        """See `Provider.mail`. Where our Message-ID is short enough, reports bring it back as metadata."""
        parts = parts_of(message)
        if max(len(parts.text.encode()), len(parts.html.encode())) > _MOST_OF_A_BODY:
            raise Refused(
                f"{self.name} takes 5 MB of HTML and of text each, and this mail has more: shorten it"
            )
        kept = [{"Name": name, "Value": value} for name, value in parts.headers]
        body: dict[str, object] = {
            "From": _written(parts.sender),
            "To": envelope.recipient,
            "Subject": parts.subject,
            # Without it Postmark gives the mail a Message-ID of its own.
            "Headers": [*kept, {"Name": "X-PM-KeepID", "Value": "true"}],
            "MessageStream": self._stream,
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        optional = {"TextBody": parts.text, "HtmlBody": parts.html}
        body |= {name: text for name, text in optional.items() if text}
        if parts.reply_to:
            body["ReplyTo"] = _written(parts.reply_to)
        if 0 < len(parts.message_id) <= _MOST_OF_METADATA:
            body["Metadata"] = {"message-id": parts.message_id}
        return Ask("POST", f"{self._base}/email", self._headers, json.dumps(body).encode())

    def verdict(self, answer: Answer) -> Verdict:
        """See `Provider.verdict`. What is wrong has a number of Postmark's own, mostly with status 422."""
        found = answer.json()
        code = found.get("ErrorCode", 0) if isinstance(found, dict) else 0
        code = code if isinstance(code, int) else -1
        said = answer.field("Message")
        if 200 <= answer.status < 300 and code == 0:
            return taken(self.scheme, answer, answer.field("MessageID"))
        text = says(self.name, str(code), answer.status, said)
        if code == _INACTIVE or (code == _INVALID and _ABOUT_READER.match(said)):
            return Verdict(Meaning.NOT_TO_THEM, text, answer.status)
        if code in _OURS:
            return Verdict(Meaning.NOT_FROM_US, text, answer.status)
        if code == _BUSY and answer.status != _BUSY:
            return Verdict(Meaning.BUSY, text, answer.status)
        if code == _MAINTENANCE:
            return Verdict(Meaning.AWAY, text, answer.status)
        if 200 <= answer.status < 300:
            return Verdict(Meaning.LATER, text, answer.status)
        return by_status(self.name, answer, said)


def _written(mailbox: Mailbox) -> str:
    """Return `"Name" <address>` with the name as it is, for JSON has all letters."""
    if not mailbox.name or mailbox.name.isascii():
        return formataddr((mailbox.name, mailbox.address))
    quoted = re.sub(r'(["\\])', r"\\\1", mailbox.name)
    return f'"{quoted}" <{mailbox.address}>'
