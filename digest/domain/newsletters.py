"""A newsletter, how much an issue of it holds, and who may let it go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from digest.domain.articles import Style
from digest.domain.cadences import Cadence
from digest.domain.clicks import Clicks
from digest.domain.measuring import Measuring
from digest.domain.quiet import QuietHours
from digest.domain.themes import USUAL, Theme

NewsletterId = NewType("NewsletterId", int)


WINDOW_DAYS, MAX_ITEMS, TAKEAWAYS, TAKEAWAY_WORDS = (1, 366), (1, 200), (1, 5), (8, 80)
"""The least and the most of each. Fewer words than eight make no sentence, more than eighty a paragraph."""

SLUG_MAX, NAME_MAX, POSTAL_ADDRESS_MAX, ORIGINS_MAX = 64, 200, 500, 4_000


class Approval(StrEnum):
    """Who lets an issue go out."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    """It goes out by itself unless its checks find errors: then it waits for a person."""
    DEADLINE = "deadline"
    """It goes out by itself when it is due, also with errors: its note and ops are told."""

    @property
    def asks_nobody(self) -> bool:
        """Whether an issue goes out without a person's word."""
        return self is not Approval.MANUAL


@dataclass(frozen=True, slots=True)
class Newsletter:
    """A publication: its identity, its zone, how much an issue holds and who approves it.

    `window_days` is how many whole local days an issue covers; `max_items` caps an issue, `takeaways`
    the bullets of each of its articles and `takeaway_words` the words of each of these. With `llm` a language
    model writes them. `theme` is how its mail looks and is worded. With `archive` everybody may read what was
    sent. With `welcome` whoever subscribes gets a letter, with `goodbye` whoever unsubscribes on its page.
    With `local_time` a scheduled issue leaves at its hour by each reader's own clock. `cadences` are what
    subscribers may choose from, the most frequent first.
    In its `quiet_hours`, in its own zone, no digest leaves. With `second_eyes` whoever changed an issue last
    or asked for its approval cannot approve it. What readers answer goes to `reply_to`, '' for the sender.
    `clicks` says what is learned of the links that are followed, `measuring` whether readers are asked for
    more. It asks them since `measuring_since` and counts since `counting_since`, None for always.
    With `sign_up` everybody may ask for it on a page of its own; of other sites' pages, scripts of those in
    `sign_up_origins` may, of all with `*`.
    """

    id: NewsletterId
    slug: str
    name: str
    sender_name: str
    sender_email: str
    postal_address: str
    language: str = "en"
    timezone: str = "UTC"
    window_days: int = 7
    max_items: int = 30
    takeaways: int = 3
    takeaway_words: int = 35
    takeaway_style: Style = Style.NEUTRAL
    llm: bool = False
    approval: Approval = Approval.MANUAL
    template: str = "digest"
    theme: Theme = USUAL
    welcome: bool = False
    goodbye: bool = False
    archive: bool = False
    local_time: bool = False
    cadences: tuple[Cadence, ...] = (Cadence.EVERY,)
    quiet_hours: QuietHours | None = None
    second_eyes: bool = False
    reply_to: str = ""
    clicks: Clicks = Clicks.OFF
    measuring: Measuring = Measuring.OFF
    measuring_since: datetime | None = None
    counting_since: datetime | None = None
    sign_up: bool = True
    sign_up_origins: tuple[str, ...] = ()
