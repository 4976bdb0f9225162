"""What a look at DNS comes to, as the checks that the doctor shows."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field

from digest.doctor.checks import Check
from digest.doctor.identity.tags import cut
from digest.domain.errors import Unavailable

_SHOWN = 160
"""Characters of a record that are repeated where it is well."""


@dataclass(slots=True)
class Verdict:
    """Gathers what was found of one thing: errors make it ill, hints only make it worth a look."""

    what: str
    found: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    record: str = ""

    def told(self) -> Check:
        """Return it as a check; the record only beside what it is to mend."""
        advice = " ".join(f"{part.rstrip('.')}." for part in (*self.errors, *self.hints))
        return Check(
            self.what,
            not self.errors,
            "; ".join(self.found),
            advice,
            self.record if advice else "",
        )


async def unless_away(what: str, look: Awaitable[Verdict]) -> Check:
    """Return what a look comes to, or that DNS could not be asked, which says nothing of what is there."""
    try:
        return (await look).told()
    except Unavailable as exc:
        return Check(
            what,
            True,
            f"could not ask: {exc}",
            "Nothing is known of it. Try again; if it stays so, see to dns_resolver or the system's name "
            "server.",
        )


def within(text: str) -> str:
    """Return a record's text, cut where it gets too long to read."""
    return cut(text, _SHOWN)
