"""Topics are what subscribers follow; a topic's rule says which articles belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from digest.domain.errors import InvalidInput

TopicSlug = NewType("TopicSlug", str)

TOPICS_MAX = 60
"""Topics a newsletter can have: the topics one reader follows are one 64-bit number."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def slug(text: str) -> str:
    """Return `text` when it is a slug. Raises `InvalidInput` with the rule otherwise."""
    if not _SLUG.fullmatch(text):
        raise InvalidInput(f"'{text}' is not a short name: use lower-case letters, digits and single hyphens")
    return text


@dataclass(frozen=True, slots=True)
class TopicRule:
    """What puts an article into a topic.

    `phrases` match whole words in title and text, ignoring case; `categories` match the labels of feed
    and page exactly, ignoring case; `sources` are names of sources whose every article belongs here.
    An empty rule matches nothing.
    """

    phrases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """Something a subscriber can follow."""

    slug: TopicSlug
    name: str
    description: str = ""
    rule: TopicRule = TopicRule()


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """An article belongs to a topic: how strongly (0 to 1], and why in words an editor can read."""

    slug: TopicSlug
    score: float
    reason: str
