"""Mailgun: takes the mail as MIME, and keeps its Message-ID."""

from __future__ import annotations

import base64
import re
import secrets

from digest.deliver.providers.account import Account
from digest.deliver.providers.http import Answer, Ask
from digest.deliver.providers.verdicts import Meaning, Verdict, by_status, require_met, says, taken
from digest.deliver.transport import Envelope
from digest.domain.errors import Misconfigured

_HOMES = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", re.IGNORECASE)
_ABOUT_READER = re.compile(r"'?to'? parameter is not a valid address", re.IGNORECASE)
_OPTIONS = {"o:tracking": "no", "o:tracking-clicks": "no", "o:tracking-opens": "no"}
"""A domain's own settings may rewrite links and add pictures; neither is wanted unasked."""


class Mailgun:
    """One sending domain of an account."""

    name = "Mailgun"
    scheme = "mailgun"
    most_bytes = 25_000_000

    def __init__(self, account: Account) -> None:
        if not _DOMAIN.fullmatch(account.place):
            raise Misconfigured(
                f"mail_url: '{account.place}' is no domain to send from; write mailgun://mg.example.org"
            )
        self._domain = account.place
        self._base = account.endpoint(_HOMES[account.choice("region", _HOMES, "us")])
        key = account.key.get_secret_value()
        basic = base64.b64encode(f"api:{key}".encode()).decode()
        self.secrets: tuple[str, ...] = (key, basic)
        self._headers = {"Authorization": f"Basic {basic}"}

    def hello(self) -> Ask:
        """Ask for the domain, of which a key that may only send is told nothing."""
        return Ask("GET", f"{self._base}/v4/domains/{self._domain}", self._headers)

    def greeted(self, answer: Answer) -> str:
        """See `Provider.greeted`. A domain's own sending key is refused here like a wrong one."""
        if answer.status in (401, 403):
            return (
                f"answers, and does not say whether the key may send ({answer.status}): only a mail shows it"
            )
        require_met(self.name, answer, _said(answer))
        return f"takes the key for {self._domain}"

    def mail(self, envelope: Envelope, message: bytes) -> Ask:
        """See `Provider.mail`."""
        boundary = secrets.token_hex(16).encode()
        fields = {"to": envelope.recipient, **_OPTIONS}
        parts = [_part(boundary, name, b"", value.encode()) for name, value in fields.items()]
        kind = b'; filename="mail.eml"\r\nContent-Type: message/rfc822'
        content = b"".join([*parts, _part(boundary, "message", kind, message), b"--", boundary, b"--\r\n"])
        headers = {**self._headers, "Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
        return Ask("POST", f"{self._base}/v3/{self._domain}/messages.mime", headers, content)

    def verdict(self, answer: Answer) -> Verdict:
        """See `Provider.verdict`."""
        if 200 <= answer.status < 300:
            return taken(self.scheme, answer, answer.field("id"))
        said = _said(answer)
        if answer.status == 400 and _ABOUT_READER.search(said):
            text = says(self.name, "no", answer.status, said)
            return Verdict(Meaning.NOT_TO_THEM, text, answer.status)
        return by_status(self.name, answer, said)


def _part(boundary: bytes, name: str, more: bytes, value: bytes) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'.encode()
    return b"".join([b"--", boundary, b"\r\n", head, more, b"\r\n\r\n", value, b"\r\n"])


def _said(answer: Answer) -> str:
    """Return Mailgun's words: of some errors they are no JSON."""
    return answer.field("message") or answer.content[:200].decode("utf-8", "replace")
