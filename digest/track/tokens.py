"""Signed links: what a mail carries so that its reader needs no password.

Each purpose has its own salt, so a link that shows a mail cannot be turned into one that unsubscribes.
Unsubscribe links never expire: somebody who finds a mail from years ago can still stop it. A confirmation
does, and carries when it was signed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from itsdangerous import BadSignature, Signer
from itsdangerous.signer import SigningAlgorithm

from digest.domain.errors import Refused
from digest.domain.issues import IssueId
from digest.domain.letters import CONFIRM_WITHIN
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId


class Purpose(StrEnum):
    """What a link can do, and nothing else."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    ONLINE = "online"
    CONFIRM = "confirm"
    SHOWN = "shown"
    """Shows a preview to people without an account."""
    CLICK = "click"
    """Leads to an article, and counts that."""
    NEW_ADDRESS = "new-address"
    """Makes the address it was mailed to a reader's own."""
    OLD_ADDRESS = "old-address"
    """Takes that back."""
    SIGN_UP = "sign-up"
    """Says when a form was shown."""


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


class _HmacSha256(SigningAlgorithm):
    """As itsdangerous signs, begun once for each key: every mail carries three tokens.

    What signs at once, `hmac.digest`, lets other threads go first each time: ten times slower in a worker.
    """

    def __init__(self) -> None:
        self._begun: dict[bytes, hmac.HMAC] = {}

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        if key not in self._begun:
            self._begun[key] = hmac.new(key, digestmod=hashlib.sha256)
        mac = self._begun[key].copy()
        mac.update(value)
        return mac.digest()


class TooOld(Refused):
    """A confirmation that was signed here, too long ago; `newsletter_id` is what it was for."""

    def __init__(self, message: str, newsletter_id: NewsletterId) -> None:
        super().__init__(message)
        self.newsletter_id = newsletter_id


def _signer(keys: Sequence[str], salt: str) -> Signer:
    """Return a signer whose keys are derived here, instead of anew for each token."""
    derived = [
        Signer(key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256).derive_key()
        for key in keys
    ]
    return Signer(derived, key_derivation="none", algorithm=_HmacSha256())


class Tokens:
    """Signs and reads link tokens with HMAC-SHA-256.

    `keys` are in falling age, as itsdangerous wants them: the last one signs, all of them are believed.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._signers = {purpose: _signer(keys, f"digest.{purpose}") for purpose in Purpose}

    def sign(self, purpose: Purpose, first: int, second: int) -> str:
        """Return a token of letters, digits, `.`, `-` and `_` that carries two ids."""
        return self._sign(purpose, first, second)

    def sign_confirmation(
        self, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
    ) -> str:
        """Return a token that confirms a subscription, for `CONFIRM_WITHIN` from now on."""
        return self._sign(Purpose.CONFIRM, newsletter_id, subscriber_id, int(now.timestamp()))

    def read_confirmation(self, token: str, *, now: datetime) -> SubscriptionLink:
        """Return whose subscription a token confirms. Raises `Refused` when it is not ours, or `TooOld`.

        That it works once is the subscription's affair: it leaves `pending` by it.
        """
        newsletter_id, subscriber_id, signed_at = self._read(Purpose.CONFIRM, token, 3)
        if now > datetime.fromtimestamp(signed_at, UTC) + CONFIRM_WITHIN:
            hours = int(CONFIRM_WITHIN.total_seconds()) // 3600
            told = f"this link was good for {hours} hours and is older: sign up once more"
            raise TooOld(told, NewsletterId(newsletter_id))
        return SubscriptionLink(NewsletterId(newsletter_id), SubscriberId(subscriber_id))

    def read_subscription(self, purpose: Purpose, token: str) -> SubscriptionLink:
        """Return whom a token is about. Raises `Refused` when it was not signed here for this purpose."""
        newsletter_id, subscriber_id = self._read(purpose, token, 2)
        return SubscriptionLink(NewsletterId(newsletter_id), SubscriberId(subscriber_id))

    def read_online(self, token: str) -> OnlineLink:
        """Return which copy a token shows. Raises `Refused` when it was not signed here for that."""
        issue_id, subscriber_id = self._read(Purpose.ONLINE, token, 2)
        return OnlineLink(IssueId(issue_id), SubscriberId(subscriber_id))

    def read_shown(self, token: str) -> tuple[IssueId, int]:
        """Return which issue a token shows, and by which link. Raises `Refused` when it is not ours."""
        issue_id, link_id = self._read(Purpose.SHOWN, token, 2)
        return IssueId(issue_id), link_id

    def read_click(self, token: str) -> tuple[IssueId, int]:
        """Return whose link it is and its number there. Raises `Refused` when it is not ours."""
        issue_id, number = self._read(Purpose.CLICK, token, 2)
        return IssueId(issue_id), number

    def read_change(self, purpose: Purpose, token: str) -> tuple[int, int]:
        """Return which change of whose address it is about. Raises `Refused` when it is not ours for this."""
        change_id, subscriber_id = self._read(purpose, token, 2)
        return change_id, subscriber_id

    def sign_form(self, newsletter_id: NewsletterId, *, now: datetime) -> str:
        """Return what a sign-up form carries to say when it was shown."""
        return self._sign(Purpose.SIGN_UP, newsletter_id, int(now.timestamp() * 1000))

    def read_form(self, newsletter_id: NewsletterId, token: str, *, now: datetime) -> timedelta | None:
        """Return how long ago a form of this newsletter was shown; None when it was not shown here."""
        try:
            shown_for, at = self._read(Purpose.SIGN_UP, token, 2)
        except Refused:
            return None
        return timedelta(milliseconds=now.timestamp() * 1000 - at) if shown_for == newsletter_id else None

    def _sign(self, purpose: Purpose, *numbers: int) -> str:
        return self._signers[purpose].sign(".".join(map(str, numbers))).decode("ascii")

    def _read(self, purpose: Purpose, token: str, count: int) -> list[int]:
        try:
            numbers = [int(number) for number in self._signers[purpose].unsign(token).split(b".")]
            if len(numbers) != count:
                raise ValueError(f"{len(numbers)} numbers where there must be {count}")
        except (BadSignature, ValueError) as exc:
            raise Refused("this link is not complete: open it from the mail once more") from exc
        return numbers
