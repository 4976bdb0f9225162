"""Consents: how somebody came to be a reader, as a record that is only ever added to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentAct(StrEnum):
    """What was done."""

    ASKED = "asked"
    """Somebody typed an address. Whose it is, nobody knows yet."""
    CONFIRMED = "confirmed"
    """Whoever reads the mail of that address pressed the button."""
    ADDED = "added"
    """Whoever keeps the list says that they asked for it."""
    MEASURED = "measured"
    """They let it be measured what they open and follow."""
    UNMEASURED = "unmeasured"
    """They took that back."""

    @property
    def in_words(self) -> str:
        """The act as ops read it."""
        return _ACTS.get(self, self.value)


_ACTS = {
    ConsentAct.MEASURED: "agreed to be measured",
    ConsentAct.UNMEASURED: "took back that they may be measured",
}


class ConsentSource(StrEnum):
    """Where it was done."""

    PAGE = "page"
    FORM = "form"
    API = "api"
    IMPORT = "import"
    COMMAND = "command"
    DESK = "desk"
    MAIL = "mail"
    SETTINGS = "settings"

    @property
    def in_words(self) -> str:
        """The source as ops read it."""
        return _WORDS[self]


_WORDS = {
    ConsentSource.PAGE: "on the sign-up page",
    ConsentSource.FORM: "by a form on another site",
    ConsentSource.API: "by the API",
    ConsentSource.IMPORT: "by an import",
    ConsentSource.COMMAND: "by a command",
    ConsentSource.DESK: "on the page of readers",
    ConsentSource.MAIL: "by the link in the mail",
    ConsentSource.SETTINGS: "in their settings",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """One act of it, which stands for good once it is recorded.

    `at` is when it was done, and `recorded_at` when it was written down here: an import tells of years ago.
    `wording` is what the page said they agree to, '' where no page of ours did; `network` the address the
    request came from, '' where nobody knows it; `by` who added them, '' where they did it themselves.
    """

    act: ConsentAct
    source: ConsentSource
    at: datetime
    recorded_at: datetime
    wording: str = ""
    network: str = ""
    by: str = ""

    @property
    def in_words(self) -> str:
        """The act as ops read it, on a line."""
        told = f"{self.act.in_words} {self.source.in_words}, {self.at:%Y-%m-%d %H:%M} UTC"
        return (
            told + (f", from {self.network}" if self.network else "") + (f", by {self.by}" if self.by else "")
        )
