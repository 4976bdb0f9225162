"""What is kept of somebody who was erased: a mark by which their address is known again, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import timedelta

from digest.domain.subscribers import email_key

ASKED_AGAIN_AFTER = timedelta(days=30)
"""Anybody can fill in a sign-up form: somebody who was erased is asked this seldom whether it was them."""


@dataclass(frozen=True, slots=True)
class ErasureKeys:
    """The keys of marks, the newest first: it makes them, and by all of them they are known again."""

    keys: tuple[bytes, ...] = field(repr=False)

    def mark(self, email: str) -> str:
        """Return the mark of an address: an HMAC-SHA-256 of its lower-case form, as 64 hex digits.

        Without the key nobody can try addresses out on it.
        """
        return _mark(self.keys[0], email)

    def marks(self, email: str) -> tuple[str, ...]:
        """Return every mark an address may have, by each key."""
        return tuple(_mark(key, email) for key in self.keys)

    @property
    def names(self) -> tuple[str, ...]:
        """What tells each key from others, without telling the key: 8 hex digits."""
        return tuple(hashlib.sha256(b"digest.erasure-key" + key).hexdigest()[:8] for key in self.keys)


NO_MARKS = ErasureKeys(())
"""Where who was erased is not asked for, or nobody can have been."""


def _mark(key: bytes, email: str) -> str:
    return hmac.digest(key, email_key(email).encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Erased:
    """What erasing somebody took: how much of each.

    `mails` are those sent to them, which stay as numbers without an address, and `stopped` of these were
    still to be sent. `mentions` are texts that named them, `sign_ups` forms that waited to be looked at.
    `has_account`: the address can still sign in, which erasing a reader leaves alone. `goes_on`: it is not
    done yet and counted nowhere, but kept, and carried out to its end by another process.
    """

    newsletters: int
    mails: int
    stopped: int
    letters: int
    reports: int
    mentions: int
    sign_ups: int
    was_suppressed: bool
    has_account: bool
    goes_on: bool = False

    @property
    def is_anything(self) -> bool:
        """Whether anything was there."""
        counts = self.newsletters, self.mails, self.letters, self.reports, self.mentions, self.sign_ups
        return any(counts) or self.was_suppressed


NOTHING = Erased(0, 0, 0, 0, 0, 0, 0, was_suppressed=False, has_account=False)
"""What is told of an erasure whose first half somebody else did."""

GOES_ON = replace(NOTHING, goes_on=True)
"""What is told of an erasure that another process carries out to its end."""
