"""Sign-ups: what strangers type into a form, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.cadences import Cadence
from digest.domain.consents import ConsentSource
from digest.domain.newsletters import NewsletterId
from digest.domain.topics import TopicSlug


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants of a newsletter; None and '' where they did not say.

    With `may_measure` they let it be measured what they open and follow.
    """

    topics: frozenset[TopicSlug]
    cadence: Cadence | None = None
    language: str = ""
    name: str = ""
    may_measure: bool = False


@dataclass(frozen=True, slots=True)
class SignUp:
    """A form that was sent: nobody knows yet whether whose address it is wants that.

    `wording` is what the form said they agree to, `network` where it came from, '' where that tells nothing.
    With `is_trapped` a field was filled in that people do not see.
    """

    newsletter_id: NewsletterId
    email: str
    wishes: Wishes
    source: ConsentSource
    wording: str
    network: str
    at: datetime
    is_trapped: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-up that waits for its reader to confirm it, and when it was made last."""

    wishes: Wishes
    at: datetime


class SignUpOutcome(StrEnum):
    """What became of a sign-up. Whoever sent it is told the same in all cases."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    """Of one that was asked before: it is no other sign-up."""
    REMINDED = "reminded"
    SUPPRESSED = "suppressed"
    TRAPPED = "trapped"
    NEVER_AGAIN = "never_again"
    PER_ADDRESS = "per_address"
    PER_MONTH = "per_month"
    PER_NETWORK = "per_network"
    PER_DOMAIN = "per_domain"
    PER_NEWSLETTER = "per_newsletter"
    GIVEN_UP = "given_up"

    @property
    def in_words(self) -> str:
        """The outcome as ops read it."""
        return _WORDS[self]


_WORDS = {
    SignUpOutcome.ASKED: "mailed a link to confirm it",
    SignUpOutcome.CONFIRMED: "confirmed",
    SignUpOutcome.REMINDED: "a reader already: mailed the link to their settings",
    SignUpOutcome.SUPPRESSED: "the address is never mailed",
    SignUpOutcome.TRAPPED: "sent by a program that fills in every field",
    SignUpOutcome.NEVER_AGAIN: "the mailbox wants to be asked never again",
    SignUpOutcome.PER_ADDRESS: "over the cap for one address a day",
    SignUpOutcome.PER_MONTH: "over the cap for one address in 30 days",
    SignUpOutcome.PER_NETWORK: "over the cap for one network an hour",
    SignUpOutcome.PER_DOMAIN: "put off: over the cap for one domain an hour",
    SignUpOutcome.PER_NEWSLETTER: "put off: over the cap for the newsletter an hour",
    SignUpOutcome.GIVEN_UP: "given up: waited for two days, or no more may wait",
}

HOW_COUNTED = (
    "A sign-up is counted by what came of it, on the day it did. One that was put off is counted again when "
    "it is asked or given up, and one that was asked is counted again when it is confirmed. So a day's "
    "numbers do not add up to people."
)

PUT_OFF = frozenset({SignUpOutcome.PER_DOMAIN, SignUpOutcome.PER_NEWSLETTER})
"""Outcomes of a cap that lets through later what is too much now: many mailboxes, each of them asked once."""

CAPPED = PUT_OFF | {
    SignUpOutcome.PER_ADDRESS,
    SignUpOutcome.PER_MONTH,
    SignUpOutcome.PER_NETWORK,
    SignUpOutcome.GIVEN_UP,
}
"""Outcomes of a cap: nothing was mailed, at that time."""
