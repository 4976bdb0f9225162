"""Signed links: what a mail carries so that its reader needs no password.

Each purpose has its own salt, so a link that shows a mail cannot be turned into one that unsubscribes.
Unsubscribe links never expire: somebody who finds a mail from years ago can still stop it. A confirmation
does, and carries when it was signed. A link to the settings is good for as long as the address that it was
mailed to is the reader's: that address is signed with it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from itsdangerous import BadSignature, Signer
from itsdangerous.signer import SigningAlgorithm

from digest.domain.errors import Refused
from digest.domain.issues import IssueId
from digest.domain.letters import CONFIRM_WITHIN
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import ReaderAddress, SubscriberId, email_key


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
    FOLLOW = "follow"
    """Stands behind such a link, and says whose mail it is in."""
    OPEN = "open"
    """Says that somebody's mail was opened."""
    NEW_ADDRESS = "new-address"
    """Agrees, from the new mailbox, that it becomes a reader's own."""
    LEAVE_ADDRESS = "leave-address"
    """Agrees to that from the old one."""
    OLD_ADDRESS = "old-address"
    """Takes it back."""
    SIGN_UP = "sign-up"
    """Says when a form was shown."""
    NEVER_AGAIN = "never-again"
    """Keeps sign-ups from mailing a mailbox, and lets them again."""


@dataclass(frozen=True, slots=True)
class SubscriptionLink:
    """Whose subscription to what a link is about."""

    newsletter_id: NewsletterId
    subscriber_id: SubscriberId


@dataclass(frozen=True, slots=True)
class ConfirmationLink(SubscriptionLink):
    """Whose subscription a link confirms, and when it was signed, to the second."""

    signed_at: datetime


@dataclass(frozen=True, slots=True)
class OnlineLink:
    """Whose copy of which issue a link shows."""

    issue_id: IssueId
    subscriber_id: SubscriberId


_NOT_WHOLE = "this link is not complete: open it from the mail once more"
_NUMBER_MOST = 2**63 - 1
_DIGITS_MOST = 19
_ID_MOST = 2**31 - 1
"""PostgreSQL takes no larger one of a newsletter or reader, whom we look up before the signature is read."""


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

    def sign_preferences(self, newsletter_id: NewsletterId, subscriber_id: SubscriberId, email: str) -> str:
        """Return a token that opens a reader's settings for as long as this is their address."""
        numbers = f"{newsletter_id}.{subscriber_id}"
        signature = self._signers[Purpose.PREFERENCES].get_signature(_with(email, numbers))
        return f"{numbers}.{signature.decode('ascii')}"

    def read_preferences(
        self, token: str, address_of: Callable[[SubscriberId], ReaderAddress | None]
    ) -> SubscriptionLink:
        """Return whose settings a token opens. Raises `Refused` when it is not ours, or not theirs any more.

        It is not where they have another address by now, or were removed. Older versions signed no address:
        such a token is believed of whoever never had another.
        """
        numbers, _, signature = token.rpartition(".")
        newsletter_id, subscriber_id = _numbers(numbers, 2, most=_ID_MOST)
        address = address_of(SubscriberId(subscriber_id))
        if address is not None:
            signer = self._signers[Purpose.PREFERENCES]
            signed = [_with(address.email, numbers)]
            if address.moved_at is None:
                signed.append(numbers.encode())
            if any(signer.verify_signature(value, signature.encode("utf-8", "replace")) for value in signed):
                return SubscriptionLink(NewsletterId(newsletter_id), SubscriberId(subscriber_id))
        raise Refused(_NOT_WHOLE)

    def sign_confirmation(
        self, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
    ) -> str:
        """Return a token that confirms a subscription, for `CONFIRM_WITHIN` from now on."""
        return self._sign(Purpose.CONFIRM, newsletter_id, subscriber_id, int(now.timestamp()))

    def read_confirmation(self, token: str, *, now: datetime) -> ConfirmationLink:
        """Return whose subscription a token confirms. Raises `Refused` when it is not ours, or `TooOld`.

        That it works once is the subscription's affair: it leaves `pending` by it.
        """
        newsletter_id, subscriber_id, seconds = self._read(Purpose.CONFIRM, token, 3)
        signed_at = datetime.fromtimestamp(seconds, UTC)
        if now > signed_at + CONFIRM_WITHIN:
            hours = int(CONFIRM_WITHIN.total_seconds()) // 3600
            told = f"this link was good for {hours} hours and is older: sign up once more"
            raise TooOld(told, NewsletterId(newsletter_id))
        return ConfirmationLink(NewsletterId(newsletter_id), SubscriberId(subscriber_id), signed_at)

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

    def read_measured(self, purpose: Purpose, token: str) -> OnlineLink:
        """Return whose copy of which issue was opened or followed. Raises `Refused` when it is not ours."""
        issue_id, subscriber_id = self._read(purpose, token, 2)
        return OnlineLink(IssueId(issue_id), SubscriberId(subscriber_id))

    def read_change(self, purpose: Purpose, token: str) -> tuple[int, int]:
        """Return which change of whose address it is about. Raises `Refused` when it is not ours for this."""
        change_id, subscriber_id = self._read(purpose, token, 2)
        return change_id, subscriber_id

    def sign_mark(self, mark: str) -> str:
        """Return a token that carries the mark of a mailbox, 64 hex digits."""
        return self._signers[Purpose.NEVER_AGAIN].sign(mark).decode("ascii")

    def read_mark(self, token: str) -> str:
        """Return which mailbox's mark a token carries. Raises `Refused` when it is not ours."""
        try:
            return self._signers[Purpose.NEVER_AGAIN].unsign(token).decode("ascii")
        except (BadSignature, ValueError) as exc:
            raise Refused(_NOT_WHOLE) from exc

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
            return _numbers(self._signers[purpose].unsign(token).decode(), count)
        except (BadSignature, ValueError) as exc:
            raise Refused(_NOT_WHOLE) from exc


def _with(email: str, numbers: str) -> bytes:
    """Return what is signed of a token that an address belongs to."""
    return f"{numbers}\n{email_key(email)}".encode("utf-8", "replace")


def _numbers(text: str, count: int, *, most: int = _NUMBER_MOST) -> list[int]:
    """Read the numbers of a token. Raises `Refused` for others than we write."""
    parts = text.split(".")
    if len(parts) != count or not all(part.isascii() and part.isdigit() for part in parts):
        raise Refused(_NOT_WHOLE)
    numbers = [int(part) for part in parts if len(part) <= _DIGITS_MOST]
    if len(numbers) != count or max(numbers) > most:
        raise Refused(_NOT_WHOLE)
    return numbers
