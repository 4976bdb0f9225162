"""How many mails sign-ups may cause: per mailbox, network, domain and newsletter."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.networks import customer_of, tells_apart
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, SignUpOutcome
from digest.domain.subscribers import email_key

_HOUR, _DAY, _MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)

_GOOGLE = frozenset({"gmail.com", "googlemail.com"})


@dataclass(frozen=True, slots=True)
class Caps:
    """The most mails that sign-ups may cause; 0 is no cap. `secret` hides whom a count is about."""

    per_address_day: int
    per_address_month: int
    per_network_hour: int
    per_domain_hour: int
    per_newsletter_hour: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap that a sign-up comes under: `most` with this `key` `within` a time; over it, the `outcome`."""

    outcome: SignUpOutcome
    key: str
    most: int
    within: timedelta


def mailbox_of(email: str) -> str:
    """Return what addresses share that reach one mailbox, for counting alone.

    What follows a + is a note of its owner's at most providers, and Google's dots are nothing at all: by
    these somebody could be mailed a thousand times under as many names.
    """
    local, _, domain = email_key(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GOOGLE:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def caps_on(sign_up: SignUp, caps: Caps) -> Iterator[Cap]:
    """Yield the caps that a sign-up comes under, the narrowest first."""
    yield from caps_on_mailbox(sign_up.email, caps)
    yield from cap_on_network(sign_up, caps)
    domain, newsletter = sign_up.email.rpartition("@")[2].lower(), str(sign_up.newsletter_id)
    yield from _cap(caps, SignUpOutcome.PER_DOMAIN, domain, caps.per_domain_hour, _HOUR)
    yield from _cap(caps, SignUpOutcome.PER_NEWSLETTER, newsletter, caps.per_newsletter_hour, _HOUR)


def caps_on_mailbox(email: str, caps: Caps) -> Iterator[Cap]:
    """Yield the caps on mails to an address that nobody has confirmed, whatever asks for them."""
    mailbox = mailbox_of(email)
    yield from _cap(caps, SignUpOutcome.PER_ADDRESS, mailbox, caps.per_address_day, _DAY)
    yield from _cap(caps, SignUpOutcome.PER_MONTH, mailbox, caps.per_address_month, _MONTH)


def cap_on_network(sign_up: SignUp, caps: Caps) -> Iterator[Cap]:
    """Yield the cap on where a sign-up came from, none where that tells nobody apart."""
    customer = customer_of(sign_up.network) if tells_apart(sign_up.network) else ""
    yield from _cap(caps, SignUpOutcome.PER_NETWORK, customer, caps.per_network_hour, _HOUR)


def _cap(caps: Caps, outcome: SignUpOutcome, whose: str, most: int, within: timedelta) -> Iterator[Cap]:
    if most and whose:
        yield Cap(outcome, _key(caps.secret, outcome, whose), most, within)


def month_of(email: str, caps: Caps) -> str:
    """Return the key under which a mailbox's mails of 30 days are counted."""
    return _key(caps.secret, SignUpOutcome.PER_MONTH, mailbox_of(email))


def newsletter_key(newsletter_id: NewsletterId, caps: Caps) -> str:
    """Return the key under which a newsletter's mails of an hour are counted."""
    return _key(caps.secret, SignUpOutcome.PER_NEWSLETTER, str(newsletter_id))


def mailbox_key(email: str, caps: Caps) -> str:
    """Return what tells a mailbox apart without telling whose it is."""
    return _key(caps.secret, SignUpOutcome.PER_ADDRESS, mailbox_of(email))


class Count:
    """Mails that were caused, `before` and in this round, by key, and until when they count."""

    def __init__(self, before: Mapping[str, tuple[int, datetime]]) -> None:
        self._before = before
        self._added: Counter[str] = Counter()
        self._within: dict[str, timedelta] = {}

    def first_over(self, caps: Iterable[Cap]) -> Cap | None:
        """Return the cap that one more is too many for; None counts it as one more of each."""
        under = list(caps)
        for cap in under:
            before, _ = self._before.get(cap.key, (0, None))
            if before + self._added[cap.key] >= cap.most:
                return cap
        self.add(under)
        return None

    def add(self, caps: Iterable[Cap]) -> None:
        """Count one more of each."""
        for cap in caps:
            self._added[cap.key] += 1
            self._within[cap.key] = cap.within

    def ends(self, cap: Cap, *, now: datetime) -> datetime:
        """Return when what a cap has counted counts no more."""
        return self._before[cap.key][1] if cap.key in self._before else now + cap.within

    def added(self, *, now: datetime) -> dict[str, tuple[int, datetime]]:
        """Return how many were added to each key, and until when they count where nothing did before."""
        return {key: (count, now + self._within[key]) for key, count in self._added.items() if count}


def _key(secret: bytes, outcome: SignUpOutcome, whose: str) -> str:
    told = f"sign-up\0{outcome}\0{whose}".encode("utf-8", "replace")
    return hmac.new(secret, told, hashlib.sha256).hexdigest()
