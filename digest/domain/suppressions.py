"""Addresses never to be mailed again, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.domain.issues import IssueId


class SuppressionReason(StrEnum):
    """Why an address is never mailed."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    BY_HAND = "by_hand"
    IMPORTED = "imported"

    @property
    def in_words(self) -> str:
        """The reason as ops read it."""
        return _WORDS[self]


_WORDS = {
    SuppressionReason.HARD_BOUNCE: "no such mailbox",
    SuppressionReason.COMPLAINT: "complained of spam",
    SuppressionReason.BY_HAND: "put there by hand",
    SuppressionReason.IMPORTED: "from a list that was imported",
}


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address on the list: `email` in lower case, as its spellings share it.

    `detail` is what was said, by a mail server or by whoever put it there. `issue_id` is the issue whose
    mail came back, None where it was none. `by` is the person, '' where the program did it.
    """

    email: str
    reason: str
    detail: str
    since: datetime
    issue_id: IssueId | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """A suppression that somebody took off the list: who, when and why."""

    suppression: Suppression
    removed_at: datetime
    by: str
    why: str
