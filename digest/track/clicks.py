"""Counted links, and which of those who follow them are people: pure rules, told in docs/clicks.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from digest.domain.issues import IssueId
from digest.store.clicks import Hit
from digest.track.tokens import Purpose, Tokens

PICTURE = "o"
"""Where the pictures are that tell that mails were opened."""

PAGE = "c"
"""Where counted links lead, below the public address: a mail holds two for each article, so it is short."""


@dataclass(frozen=True, slots=True)
class ClickLinks:
    """Makes counted links below `base`, the public address."""

    base: str
    tokens: Tokens

    def token(self, issue_id: IssueId, number: int) -> str:
        """Return what names a link of an issue, signed."""
        return self.tokens.sign(Purpose.CLICK, issue_id, number)

    def address(self, token: str) -> str:
        """Return the address of a counted link, but for its place."""
        return f"{self.base}/{PAGE}/{token}"


_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
"""Headers by which browsers say that nobody asked for a page yet."""

_AHEAD_WORDS = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)

_PROGRAMS = re.compile(
    r"(?<!cu)bot\b|bot[/_-]|crawl|spider|slurp|scan|preview|proxy|monitor|headless|validator|link ?check"
    r"|curl|wget|libwww|python|java/|go-http|okhttp|httpclient|node-fetch|axios|guzzle|ruby|php/|perl"
    r"|barracuda|mimecast|proofpoint|fireeye|symantec|trend ?micro|safelinks|zscaler|sophos|fortinet|cisco",
    re.IGNORECASE,
)
"""What programs call themselves that open links nobody followed. A phone by Cubot is none."""


def is_by_hand(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request may come from somebody who followed a link, by what it says of itself.

    `headers` are named in lower case.
    """
    if method != "GET" or any(_AHEAD_WORDS.search(headers.get(name, "")) for name in _AHEAD):
        return False
    if headers.get("sec-fetch-mode", "navigate") != "navigate":
        return False
    agent = headers.get("user-agent", "")
    return bool(agent.strip()) and not _PROGRAMS.search(agent)


_PICTURE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy")
"""What Gmail and Yahoo fetch pictures by when somebody opens a mail, and keep them."""

_UNASKED = "Mozilla/5.0"
"""All that Apple's Mail says of itself where it fetches the pictures of all mails, opened or not."""


def is_by_opening(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request for a mail's picture may come from its being opened, as `is_by_hand` does."""
    if method != "GET" or any(_AHEAD_WORDS.search(headers.get(name, "")) for name in _AHEAD):
        return False
    agent = headers.get("user-agent", "").strip()
    if _PICTURE_PROXIES.search(agent):
        return True
    return agent not in ("", _UNASKED) and not _PROGRAMS.search(agent)


TOO_SOON = timedelta(seconds=10)
"""So soon after a mail was delivered nobody has read it: whoever fetches anything then only looks at it."""

BURSTS = ((timedelta(seconds=1), 2), (timedelta(seconds=10), 5))
"""So many different links within so long no person follows: a scanner opens all of a mail's at once."""

QUIET = timedelta(seconds=15)
"""So long after their last link a visitor's are judged together: longer than any burst."""

AT_LAST = timedelta(minutes=10)
"""So long after their first they are judged in any case."""


def is_burst(hits: Sequence[Hit]) -> bool:
    """Return whether a visitor's hits, in the order of time, are those of a program that opens all links."""
    return any(_has_many(hits, span, most) for span, most in BURSTS)


def _has_many(hits: Sequence[Hit], span: timedelta, most: int) -> bool:
    first = 0
    for last, hit in enumerate(hits):
        while hit.at - hits[first].at > span:
            first += 1
        if len({one.link for one in hits[first : last + 1] if not one.is_open}) >= most:
            return True
    return False


def once_each(hits: Iterable[Hit]) -> list[Hit]:
    """Return the first hit of each link: headline and button of an article lead to the same place."""
    first: dict[object, Hit] = {}
    for hit in hits:
        first.setdefault(hit.link, hit)
    return list(first.values())
