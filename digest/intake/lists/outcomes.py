"""What an import comes to for each line of a list, decided from what is known here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from digest.domain.subscribers import SubscriptionState
from digest.intake.lists.people import Person
from digest.intake.lists.said import Standing
from digest.store.subscription_lists import Known


class Outcome(StrEnum):
    """What became of a line, and in a trial what would."""

    ADDED = "added"
    UPDATED = "updated"
    UNSUBSCRIBED = "unsubscribed"
    """They left there, so they are not mailed here."""
    STAYS_AWAY = "stays_away"
    UNCONFIRMED = "unconfirmed"
    SUPPRESSED = "suppressed"
    """Their mail came back there, so their address is on our list as well."""
    NEVER_MAILED = "never_mailed"
    """Their address is on our list."""
    ERASED = "erased"
    """They had themselves erased here, and did not come back."""
    MERGED = "merged"
    WRONG = "wrong"

    @property
    def in_words(self) -> str:
        """The outcome as a report tells it."""
        return _WORDS[self]


_WORDS = {
    Outcome.ADDED: "added",
    Outcome.UPDATED: "a subscriber already",
    Outcome.UNSUBSCRIBED: "unsubscribed there, so here as well",
    Outcome.STAYS_AWAY: "unsubscribed and stays so",
    Outcome.UNCONFIRMED: "never confirmed there; left out",
    Outcome.SUPPRESSED: "could not be mailed there; is never mailed here",
    Outcome.NEVER_MAILED: "is on the suppression list; left out",
    Outcome.ERASED: "was erased here; left out",
    Outcome.MERGED: "taken as one",
    Outcome.WRONG: "wrong",
}

QUIET = frozenset({Outcome.ADDED, Outcome.UPDATED})
"""What happened as the list asked for it: nobody needs to be told line by line."""


@dataclass(frozen=True, slots=True)
class LineTold:
    """A line of the report. `said` is why, in words, where the outcome alone does not say it."""

    file: str
    line: int
    email: str
    outcome: Outcome
    said: str = ""

    def __str__(self) -> str:
        told = self.said if self.outcome is Outcome.WRONG else f"{self.email} {self.said}"
        return f"{self.file} line {self.line}: {told}"


def outcome_of(person: Person, known: Known) -> Outcome:
    """Return what becomes of somebody on a list.

    A list decides for nobody who has decided here: who unsubscribed stays away, and somebody who came here
    after they left there stays. Who left there, nobody knows when, is not mailed: one mail too few is the
    lesser harm. Of who was erased here not even that is kept.
    """
    if known.is_erased and known.state is None:
        return Outcome.ERASED
    if person.standing is Standing.NEVER:
        return Outcome.NEVER_MAILED if known.is_suppressed else Outcome.SUPPRESSED
    if known.state is SubscriptionState.UNSUBSCRIBED:
        return Outcome.STAYS_AWAY
    if person.standing is Standing.LEFT:
        return Outcome.UPDATED if _came_later(person, known) else Outcome.UNSUBSCRIBED
    if known.is_suppressed:
        return Outcome.NEVER_MAILED
    if person.standing is Standing.UNCONFIRMED and known.state is None:
        return Outcome.UNCONFIRMED
    return Outcome.UPDATED if known.state else Outcome.ADDED


def _came_later(person: Person, known: Known) -> bool:
    return known.since is not None and person.left is not None and known.since > person.left
