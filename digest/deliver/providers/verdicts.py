"""What a provider's answer means for one mail. What is our own fault never fails a reader's mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from digest.deliver.headers import printable
from digest.deliver.providers.http import Answer
from digest.domain.errors import Refused, Unavailable
from digest.domain.times import retry_after

LONGEST_REASON = 200
"""Characters of a provider's own words that are kept."""

_GATEWAYS = frozenset({502, 504, 520, 524})
"""A gateway did not hear the end of it (RFC 9110 §15.6.3, §15.6.5; 520 and 524 are Cloudflare's): behind it
the mail may have been taken."""

_WHOSE_FAULT = {
    401: "refuses the key (401{}). Check mail_key",
    402: "wants to be paid first (402{}). Look at the account",
    403: "does not let this key do it (403{}). Check mail_key and what it may do",
    404: "knows no such account or domain (404{}). Check mail_url",
    405: "does not take mail at this address (405{}). Check mail_url",
    407: "is behind a proxy that wants a log-in (407{}). Check mail_url",
}


class Meaning(Enum):
    """What an answer says about a mail."""

    TAKEN = auto()
    """The provider has it, and gave it a name."""
    NOT_TO_THEM = auto()
    """It will never take this mail, because of its reader or its size."""
    NOT_FROM_US = auto()
    """It takes nothing until we have mended something: key, account, sender, settings."""
    BUSY = auto()
    """Too many mails at once. It did not take this one, and soon may."""
    AWAY = auto()
    """It is out of order, and did not take this mail."""
    LATER = auto()
    """It did not take this mail, which says nothing about others."""
    UNCLEAR = auto()
    """It may have taken it or not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A meaning and the words for it. For TAKEN they are `PROVIDER:ID`, by which reports can be matched.

    `wait` is how long the provider asks to be left alone, None when it does not say.
    """

    meaning: Meaning
    text: str
    status: int | None = None
    wait: timedelta | None = None


def taken(scheme: str, answer: Answer, identifier: object) -> Verdict:
    """Return TAKEN under the provider's name for the mail; without a name nobody knows who answered."""
    if isinstance(identifier, str) and (name := printable(identifier).strip("<>")):
        return Verdict(Meaning.TAKEN, f"{scheme}:{name}", answer.status)
    text = f"the answer says {answer.status}, but not by which name {scheme} knows the mail"
    return Verdict(Meaning.UNCLEAR, text, answer.status)


def by_status(provider: str, answer: Answer, said: str = "") -> Verdict:
    """Read an answer that is no acceptance by its status alone; `said` are the provider's own words."""
    status, why = answer.status, reason(said)
    wait = retry_after(answer.headers.get("retry-after", ""), now=datetime.now(UTC))
    told = f": {why}" if why else ""
    if status in _WHOSE_FAULT:
        return Verdict(Meaning.NOT_FROM_US, f"{provider} {_WHOSE_FAULT[status].format(told)}", status)
    if status == 413:
        return Verdict(Meaning.NOT_TO_THEM, f"the mail is too large for {provider} (413{told})", status)
    if status == 429:
        return Verdict(Meaning.BUSY, f"{provider} wants fewer mails at once (429{told})", status, wait)
    if status in _GATEWAYS or status < 300:
        return Verdict(Meaning.UNCLEAR, f"{provider} answered {status}{told}, which leaves it open", status)
    if status < 400:
        text = f"{provider} sends us elsewhere ({status}), and the key goes nowhere else. Check mail_url"
        return Verdict(Meaning.NOT_FROM_US, text, status)
    text = f"{provider} did not take the mail ({status}{told})"
    return Verdict(Meaning.AWAY if status >= 500 else Meaning.LATER, text, status, wait)


def require_met(provider: str, answer: Answer, said: str = "") -> None:
    """Raise what the answer to a greeting calls for: `Refused` or `Unavailable`; nothing for 2xx."""
    if 200 <= answer.status < 300:
        return
    verdict = by_status(provider, answer, said)
    if verdict.meaning is Meaning.NOT_FROM_US:
        raise Refused(verdict.text)
    why = reason(said)
    told = f": {why}" if why else ""
    raise Unavailable(f"{provider} answers {answer.status}{told}", retry_after=verdict.wait)


def says(provider: str, kind: str, status: int, said: str) -> str:
    """Return what a provider's own name or number for an error says, with its words where it has any."""
    return f"{provider} says {kind} ({status})" + (f": {why}" if (why := reason(said)) else "")


def reason(said: str) -> str:
    """Return a provider's words on one line, and not too many of them."""
    return printable(said)[:LONGEST_REASON].rstrip(". ")
