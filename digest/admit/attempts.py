"""How often somebody may try: by account, by network, and by the browser an owner is known by.

Who guesses at an account from everywhere uses up that account's tries. Its owner's own browser has tries of
its own (OWASP's device cookies), so nobody can lock them out. An address that is nobody's is counted alike.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.domain.networks import customer_of
from digest.domain.subscribers import email_key
from digest.store.attempts import count_attempts, forgive_attempts
from digest.store.database import writing

WITHIN = timedelta(minutes=15)
FOR_AN_ACCOUNT = 10
"""Tries within that time: for an account from all unknown browsers together, and from each known one."""

FROM_A_NETWORK = 50
"""An office that shares one address mistypes less."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What a try is counted by: `own` is forgotten when it was right, `shared` is not."""

    own: str
    shared: str = ""


def tries_of(secret: bytes, *, email: str, device: str, network: str) -> Tries:
    """Return what a try at an account is counted by; `network` '' for one that says nothing of who asks."""
    if is_device_of(secret, email, device):
        return Tries(_key(secret, "device", device))
    shared = _key(secret, "network", customer_of(network)) if network else ""
    return Tries(_key(secret, "account", email_key(email)), shared)


def tries_at(secret: bytes, what: str, whose: str) -> Tries:
    """Return what a try at something else is counted by, such as a code or one's own password."""
    return Tries(_key(secret, what, whose))


def tries_to_ask(secret: bytes, *, email: str, network: str) -> Tries:
    """Return what asking for a new password at the door is counted by: no browser is known there."""
    shared = _key(secret, "network asks", customer_of(network)) if network else ""
    return Tries(_key(secret, "account asks", email_key(email)), shared)


def must_wait(engine: Engine, tries: Tries, *, now: datetime) -> timedelta | None:
    """Count a try before anything is compared; return how long to wait instead, None when it may be made."""
    keys = [key for key in (tries.own, tries.shared) if key]
    with writing(engine) as session:
        counted = count_attempts(session, keys, now=now, within=WITHIN)
    most = {tries.own: FOR_AN_ACCOUNT, tries.shared: FROM_A_NETWORK}
    waits = [until - now for key, (count, until) in counted.items() if count > most[key]]
    return max(waits, default=None)


def forgive(engine: Engine, tries: Tries) -> None:
    """Forget tries at what was opened rightly. A network's go on counting: it may guess at others, too."""
    with writing(engine) as session:
        forgive_attempts(session, [tries.own])


def new_device(secret: bytes, email: str) -> str:
    """Return what a browser is given by which an account's owner is known from now on."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mark(secret, nonce, email)}"


def is_device_of(secret: bytes, email: str, device: str) -> bool:
    """Tell whether a browser was given this when the owner of an account signed in."""
    nonce, _, mark = device.partition(".")
    return bool(mark) and hmac.compare_digest(_mark(secret, nonce, email).encode(), mark.encode())


def _mark(secret: bytes, nonce: str, email: str) -> str:
    return hmac.digest(secret, f"device\0{nonce}\0{email_key(email)}".encode(), "sha256").hex()


def _key(secret: bytes, what: str, whose: str) -> str:
    return hmac.new(secret, f"{what}\0{whose}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
