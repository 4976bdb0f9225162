"""Tokens of the API: a secret that is shown once, and what whoever has it may do."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from digest.domain.accounts import AccountId, Right
from digest.domain.errors import InvalidInput

TokenId = NewType("TokenId", int)

PREFIX = "dg_"
"""What a secret begins with: people and programs that look for leaked ones know it by that."""

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests a token had left at an instant: a minute's worth at most, which comes back evenly."""

    left: float
    at: datetime

    def at_instant(self, now: datetime, per_minute: int) -> float:
        """Return how many are left now."""
        passed = max(0.0, (now - self.at).total_seconds())
        return min(float(per_minute), self.left + passed * per_minute / 60)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is kept of a token: all but the secret itself.

    `hint` is how the secret begins. One with an `account_id` belongs to that account, and can do no more than
    it; one without `expires_at` works until it is removed. `last_used_at` is right to a minute, None before
    the first use. `allowance` is None while nobody has written any request down.
    """

    id: TokenId
    name: str
    hint: str
    rights: frozenset[Right]
    made_by: str
    made_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    account_id: AccountId | None = None
    allowance: Allowance | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether it still works."""
        return self.expires_at is None or now < self.expires_at


def new_secret() -> str:
    """Return a secret that nobody guesses: 256 random bits after the prefix."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def hashed(secret: str) -> str:
    """Return what is stored of a secret. Without salt or delay: nobody can try 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hint_of(secret: str) -> str:
    """Return how a secret begins, by which its owner knows it again."""
    return secret[: len(PREFIX) + 4]


def parse_rights(names: Iterable[str]) -> frozenset[Right]:
    """Return the rights of these names. Raises `InvalidInput` for none, and for a name that is no right."""
    known = {right.value: right for right in Right}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise InvalidInput(f"'{unknown[0]}' is not a right: there is {', '.join(known)}")
    if not wanted:
        raise InvalidInput(f"a token without a right opens nothing: give one or more of {', '.join(known)}")
    return frozenset(known[name] for name in wanted)
