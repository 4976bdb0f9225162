"""Failures by their cause: servers say the same thing of each reader in slightly other words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from digest.domain.bounces import Meaning, meaning_of_outcome, statuses_in
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.mail import shorten

_WORDS_MAX = 100

_OWN_TO_ONE_MAIL = re.compile(
    r"""
    <[^<>\s]*@[^<>\s]*>|[^\s<>()\[\]"',;:]+@[\w.-]+\w   # whose it was
    | https?://\S+                                       # a page about it
    | \[?\d{1,3}(?:\.\d{1,3}){3}\]?|\[[0-9a-fA-F:]{3,}\] # where it came from
    | \b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{8,}\b              # a queue id, a reference
    | \b\d{5,}\b                                        # a time, a size, a number
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What `count` mails failed of: the reply's code, its enhanced code (RFC 3463), and its words.

    Of the words what is only one mail's own, such as its address, is `…`. None and '' where nothing was said.
    """

    code: int | None
    status: str
    words: str
    count: int
    came_back: Meaning | None = None
    """What they were taken for, of mails that a server took and that came back; None where none took them."""

    @property
    def in_words(self) -> str:
        """The cause on one line, without its count."""
        said = " ".join(str(part) for part in (self.code, self.status, self.words) if part)
        return ("came back: " if self.came_back else "") + (said or "nothing was said")

    @property
    def next_step(self) -> str:
        """What whoever keeps Digest running can do about it."""
        if self.came_back:
            return _WHEN_IT_CAME_BACK[self.came_back]
        outcome = Outcome(DeliveryState.FAILED, self.code, f"{self.status} {self.words}".strip())
        if self.code is None:
            return "no server refused it: what is said tells what to correct; then send it once more"
        if self.status == "5.2.2" or self.code == 552:
            return "the mailbox is full: nothing to do, three issues in a row pause the subscription"
        return _NEXT_STEPS[meaning_of_outcome(outcome)]


_NEXT_STEPS = {
    Meaning.GONE: "no such mailbox: nothing to do, the address is suppressed",
    Meaning.REFUSES_US: "they refuse us: mend log-in, SPF, DKIM or reputation ('digest doctor'), then "
    "send it once more",
    Meaning.ABOUT_MAIL: "they do not take this mail: its size or its making; look at it before it goes on",
    Meaning.SOFT: "they take no mail for this reader now: once more later, if it matters",
    Meaning.NOTHING: "see the mail server's log",
}


_WHEN_IT_CAME_BACK = {
    Meaning.GONE: _NEXT_STEPS[Meaning.GONE],
    Meaning.REFUSES_US: "they refuse us: mend SPF, DKIM or reputation ('digest doctor') before the next",
    Meaning.ABOUT_MAIL: "they do not take this mail: see its size and its making before the next issue",
    Meaning.SOFT: "it did not arrive: nothing to do, three issues in a row pause the subscription",
}


def causes_of(said: Iterable[tuple[int | None, str]]) -> tuple[Cause, ...]:
    """Group what was said of mails, each a reply's code and text, by cause; the most frequent first."""
    found = Counter(_cause(code, text) for code, text in said)
    return tuple(Cause(*key, count) for key, count in sorted(found.items(), key=_by_count))


def causes_of_returned(said: Iterable[tuple[Meaning, str]]) -> tuple[Cause, ...]:
    """Group mails that came back by what they were taken for and what was said; the most frequent first."""
    found = Counter((_cause(None, text), meaning) for meaning, text in said)
    causes = (Cause(*key, count, meaning) for (key, meaning), count in found.items())
    return tuple(sorted(causes, key=lambda one: (-one.count, one.status, one.words, one.came_back or "")))


def _by_count(item: tuple[tuple[int | None, str, str], int]) -> tuple[int, int, str, str]:
    (code, status, words), count = item
    return -count, code or 0, status, words


def _cause(code: int | None, text: str) -> tuple[int | None, str, str]:
    status = next(iter(statuses_in(text)), "")
    words = text.removeprefix(status).strip()
    same = " ".join(_OWN_TO_ONE_MAIL.sub("…", words).split())
    return code, status, shorten(same, _WORDS_MAX)
