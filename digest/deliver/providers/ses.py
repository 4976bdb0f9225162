"""Amazon SES, API v2: takes the mail as MIME, and puts its own Message-ID and Date in place of ours."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from digest.deliver.headers import printable
from digest.deliver.providers.account import Account
from digest.deliver.providers.http import Answer, Ask
from digest.deliver.providers.parts import message_id_of
from digest.deliver.providers.signing import Credentials, Signer
from digest.deliver.providers.verdicts import Meaning, Verdict, by_status, require_met, says, taken
from digest.deliver.transport import Envelope
from digest.domain.errors import Misconfigured, Refused

_BUSY = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
_OURS = frozenset(
    {
        "AccountSuspendedException",
        "LimitExceededException",
        "MailFromDomainNotVerifiedException",
        "SendingPausedException",
        "RequestExpired",
    }
)
_MAY_NOT_READ = frozenset({"AccessDenied", "AccessDeniedException"})
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")


class Ses:
    """An account in one region. Its key is an access key and its secret, with a colon between."""

    name = "Amazon SES"
    scheme = "ses"
    most_bytes = 29_000_000
    """40 MB in base64, with which the message travels, less what stands around it."""

    def __init__(
        self, account: Account, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        region = account.place
        if not _REGION.fullmatch(region):
            raise Misconfigured(f"mail_url: '{region}' is no region of Amazon's; write ses://eu-central-1")
        top = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self._base = account.endpoint(f"https://email.{region}.{top}")
        self._configuration_set = account.options.get("configuration_set", "")
        credentials = _credentials(account.key.get_secret_value())
        self.secrets = tuple(filter(None, (credentials.secret, credentials.token)))
        self._signer = Signer(credentials, region, "ses")
        self._clock = clock

    def hello(self) -> Ask:
        """Ask for the account's standing, which a key that may only send is not told."""
        return self._ask("GET", "/v2/email/account", b"")

    def greeted(self, answer: Answer) -> str:
        """See `Provider.greeted`. One account question a second is allowed, so a busy answer is an answer."""
        kind = _kind(answer)
        if kind in _BUSY or answer.status == 429:
            return "answers"
        if kind in _MAY_NOT_READ:
            return "takes the key, which may not ask how the account stands (ses:GetAccount)"
        require_met(self.name, answer, _said(answer))
        return _standing(answer.json())

    def mail(self, envelope: Envelope, message: bytes) -> Ask:
        """See `Provider.mail`. The return path gets the bounces that SES forwards, if it is set up to."""
        body: dict[str, object] = {
            "Destination": {"ToAddresses": [envelope.recipient]},
            "FeedbackForwardingEmailAddress": envelope.return_path,
            "Content": {"Raw": {"Data": base64.b64encode(message).decode()}},
        }
        if self._configuration_set:
            body["ConfigurationSetName"] = self._configuration_set
        # Ours does not survive, and a mail whose answer was lost has no name of theirs: reports bring this.
        if _TAG.fullmatch(name := message_id_of(message)):
            body["EmailTags"] = [{"Name": "message_id", "Value": name}]
        return self._ask("POST", "/v2/email/outbound-emails", json.dumps(body).encode())

    def verdict(self, answer: Answer) -> Verdict:
        """See `Provider.verdict`. SES tells busy, ours and theirs apart by name; the status is often 400."""
        if 200 <= answer.status < 300:
            return taken(self.scheme, answer, answer.field("MessageId"))
        kind, said = _kind(answer), _said(answer)
        text = says(self.name, kind, answer.status, said)
        if kind in _BUSY and "quota" not in said.lower():
            return Verdict(Meaning.BUSY, text, answer.status)
        if kind in _BUSY | _OURS or (kind == "MessageRejected" and "not verified" in said.lower()):
            return Verdict(Meaning.NOT_FROM_US, text, answer.status)
        if kind == "MessageRejected":
            return Verdict(Meaning.NOT_TO_THEM, text, answer.status)
        return by_status(self.name, answer, f"{kind} {said}".strip())

    def _ask(self, method: str, path: str, content: bytes) -> Ask:
        headers = {"Content-Type": "application/json"}
        url = self._base + path
        return Ask(
            method, url, self._signer.signed(method, url, content, headers, now=self._clock()), content
        )


def _credentials(key: str) -> Credentials:
    parts = key.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise Misconfigured(
            "mail_key: for ses it is an access key's id and secret as ID:SECRET, with :TOKEN behind when it "
            "is a temporary one"
        )
    return Credentials(*parts)


def _standing(account: object) -> str:
    """Say how the account stands. Raises `Refused` when it may not send."""
    told = account if isinstance(account, dict) else {}
    if told.get("SendingEnabled") is False:
        raise Refused("Amazon SES has paused sending for this account. Look at its console")
    quota = told.get("SendQuota")
    rate = quota.get("MaxSendRate") if isinstance(quota, dict) else None
    is_rate = isinstance(rate, int | float) and rate < 1e9
    words = f"takes the key; {rate:g} mails a second" if is_rate else "takes the key"
    if told.get("ProductionAccessEnabled") is False:
        return f"{words}; in the sandbox: only verified addresses get mail"
    return words


def _kind(answer: Answer) -> str:
    """Return the name of an error, of which headers and bodies have several spellings."""
    name = answer.headers.get("x-amzn-errortype", "") or answer.field("__type", "code")
    return printable(name.partition(":")[0].rpartition("#")[2])


def _said(answer: Answer) -> str:
    return answer.field("message", "Message")
