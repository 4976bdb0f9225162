"""Letters: mails to one person that are no issue, such as the link to somebody's settings.

A letter moves through the states of a delivery and keeps its promise: none is sent twice, none is lost
silently (see `digest.domain.deliveries`). What it says is not kept but told anew when it is written, so that
a letter which waited says what is true then, and its signed links are nowhere in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from digest.domain.accounts import AccountId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId

LetterId = NewType("LetterId", int)


class LetterKind(StrEnum):
    """What a mail besides the digest is for; also the name of its template's folder.

    A test and an alert are sent at once or not at all: they never wait among the letters.
    """

    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    PREFERENCES = "preferences"
    GOODBYE = "goodbye"
    NEW_ADDRESS = "new-address"
    LEAVE_ADDRESS = "leave-address"
    OLD_ADDRESS = "old-address"
    INVITATION = "invitation"
    NEW_PASSWORD = "new-password"  # noqa: S105 (a kind of mail)
    TEST = "test"
    ALERT = "alert"


OF_ACCOUNTS = (LetterKind.INVITATION, LetterKind.NEW_PASSWORD)
"""Those to people with an account, who need not read any newsletter."""

OF_CHANGES = (LetterKind.NEW_ADDRESS, LetterKind.LEAVE_ADDRESS, LetterKind.OLD_ADDRESS)
"""About a change of a reader's address: the first two ask for it, the last one tells the old mailbox."""

OF_NEWSLETTERS = tuple(kind for kind in LetterKind if kind not in (*OF_ACCOUNTS, LetterKind.ALERT))
"""Those that a newsletter words and dresses."""

CONFIRM_WITHIN = timedelta(hours=48)
"""How long the link in a confirmation is good for."""

UNDO_WITHIN = timedelta(days=14)
"""How long a reader's old address can take back that they have a new one."""

LETTER_STALE_AFTER = timedelta(hours=48)
"""A letter still deferred after this long has failed: whoever waited for it asks again, or has gone."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that one worker holds until its lease ends; `fence` is as a delivery's claim has it.

    `message_id` is written with its angle brackets. It is to a subscriber, of a newsletter, or to an account.
    """

    id: LetterId
    fence: int
    kind: LetterKind
    newsletter_id: NewsletterId | None
    subscriber_id: SubscriberId | None
    email: str
    message_id: str
    attempts: int
    created_at: datetime
    account_id: AccountId | None = None
