"""Clicks on the links of a mail: whether a newsletter has them counted, and where each link leads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from digest.domain.topics import TOPICS_MAX


class Clicks(StrEnum):
    """What a newsletter learns of the links that are followed in its mail."""

    OFF = "off"
    """Nothing: links lead to their articles directly."""
    COUNTED = "counted"
    """How many were followed, and not by whom: all have the same links, but for who agreed to more."""

    @property
    def in_words(self) -> str:
        """What that means, as a person reads it."""
        return "not counted" if self is Clicks.OFF else "counted, without who it was"


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """Where a counted link leads, and what a click on it counts for.

    `position` names the item within its issue, `topic` is the one it stands under. `source` is whose report
    it leads to, which may be another one of the same story.
    """

    url: str
    position: int
    topic: str
    source: str


def link_number(url: str, topic: int) -> int:
    """Return the number of a link within its issue: of an address under the `topic`-th topic, from 0.

    It is made of the address, so a link in a mail that tested a draft still leads to its article when others
    came before it. 40 bits: among the 1,000 links of an issue two are alike once in two million issues.
    """
    digest = hashlib.sha256(url.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:5], "big") * (TOPICS_MAX + 1) + topic


def target_of(url: str, links: Mapping[str, ArticleLink]) -> str:
    """Return where a link of a mail leads: a counted one to its article, any other where it says.

    A counted one ends in its token and its place, `…/c/TOKEN/3`.
    """
    parts = url.rsplit("/", 2)
    link = links.get(parts[1]) if len(parts) == 3 else None
    return link.url if link else url
