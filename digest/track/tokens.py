"""Signed links: what a mail carries so that its reader needs no password.

Each purpose has its own salt, so a link that shows a mail cannot be turned into one that unsubscribes.
Unsubscribe links never expire: somebody who finds a mail from years ago can still stop it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadSignature, Signer

from digest.domain.errors import Refused
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId


class Purpose(StrEnum):
    """What a link can do, and nothing else."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class SubscriptionLink:
    """Whose subscription to what a link is about."""

    newsletter_id: NewsletterId
    subscriber_id: SubscriberId


@dataclass(frozen=True, slots=True)
class OnlineLink:
    """Whose copy of which issue a link shows."""

    issue_id: IssueId
    subscriber_id: SubscriberId


class Tokens:
    """Signs and reads link tokens with HMAC-SHA-256.

    `keys` are in falling age, as itsdangerous wants them: the last one signs, all of them are believed.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._signers = {
            purpose: Signer(
                list(keys), salt=f"digest.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256
            )
            for purpose in Purpose
        }

    def sign(self, purpose: Purpose, first: int, second: int) -> str:
        """Return a token of letters, digits, `.`, `-` and `_` that carries two ids."""
        return self._signers[purpose].sign(f"{first}.{second}").decode("ascii")

    def read_subscription(self, purpose: Purpose, token: str) -> SubscriptionLink:
        """Return whom a token is about. Raises `Refused` when it was not signed here for this purpose."""
        newsletter_id, subscriber_id = self._read(purpose, token)
        return SubscriptionLink(NewsletterId(newsletter_id), SubscriberId(subscriber_id))

    def read_online(self, token: str) -> OnlineLink:
        """Return which copy a token shows. Raises `Refused` when it was not signed here for that."""
        issue_id, subscriber_id = self._read(Purpose.ONLINE, token)
        return OnlineLink(IssueId(issue_id), SubscriberId(subscriber_id))

    def _read(self, purpose: Purpose, token: str) -> tuple[int, int]:
        try:
            first, second = self._signers[purpose].unsign(token).split(b".")
            return int(first), int(second)
        except (BadSignature, ValueError) as exc:
            raise Refused("this link is not complete: open it from the mail once more") from exc
