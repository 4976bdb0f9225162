"""Who may let an issue go where its newsletter wants a second pair of eyes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Approval

AUTOMATIC = "automatic approval"
"""Who approves where nobody does."""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asked for an issue to be approved; `note` is what they say to whoever approves."""

    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hands:
    """Who had a draft in hand: who changed it last ('': nobody did), and who asked for its approval."""

    shaped_by: str = ""
    request: Request | None = None

    def why_not(self, by: str) -> str:
        """Return why `by` is no second pair of eyes, as in 'Ada changed it last'; '' when they are.

        A name is the same in any case of its letters.
        """
        if _same(by, self.shaped_by):
            return f"{by} changed it last"
        if self.request and _same(by, self.request.by):
            return f"{by} asked for it"
        return ""


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def require_eyes(approval: Approval, *, second_eyes: bool) -> None:
    """Raise `InvalidInput` where nobody would look though two are to."""
    if second_eyes and approval is not Approval.MANUAL:
        raise InvalidInput(
            f"approval '{approval}' asks nobody, so there is no second pair of eyes: let approval be "
            f"'{Approval.MANUAL}', or leave out the second pair"
        )
