"""Topics are what subscribers follow; a topic's rule says which articles belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NewType

from digest.domain.errors import InvalidInput

TopicSlug = NewType("TopicSlug", str)

TOPICS_MAX = 60
"""Topics a newsletter can have: the topics one reader follows are one 64-bit number."""

DEPTH_MAX = 4
"""Levels of topics within topics: deeper ones nobody can survey on a sign-up page."""

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
    `query` says in the query language of topics (docs/topics.md) what else does. An empty rule matches
    nothing.
    """

    phrases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """Something a subscriber can follow. What belongs to it belongs to its `parent` as well."""

    slug: TopicSlug
    name: str
    description: str = ""
    rule: TopicRule = TopicRule()
    parent: TopicSlug | None = None


def ancestors(topics: Iterable[Topic], slug: TopicSlug) -> tuple[TopicSlug, ...]:
    """Return the parents of a topic, the nearest first; a circle of parents is followed once."""
    parents = {topic.slug: topic.parent for topic in topics}
    found: list[TopicSlug] = []
    above = parents.get(slug)
    while above is not None and above not in found and above != slug:
        found.append(above)
        above = parents.get(above)
    return tuple(found)


def require_parent(topics: Sequence[Topic], slug: TopicSlug, parent: TopicSlug) -> None:
    """Raise `InvalidInput` when `parent` cannot be that of `slug`: a circle, or over `DEPTH_MAX` levels."""
    above = (parent, *ancestors(topics, parent))
    if slug in above:
        circle = " is part of ".join((slug, *above[: above.index(slug) + 1]))
        raise InvalidInput(f"topic '{slug}' cannot be part of '{parent}': then {circle}, which is a circle")
    below = max(
        (len(ancestors(topics, t.slug)) for t in topics if slug in ancestors(topics, t.slug)), default=0
    )
    own = len(ancestors(topics, slug))
    levels = 1 + len(above) + max(0, below - own)
    if levels > DEPTH_MAX:
        raise InvalidInput(
            f"topic '{slug}' cannot be part of '{parent}': that makes {levels} levels, and {DEPTH_MAX} are "
            "the most; name a parent further up"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """An editor's word on whether an article belongs to a topic: it wins over every rule."""

    slug: TopicSlug
    is_yes: bool
    by: str


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """An article belongs to a topic: how strongly (0 to 1], and why in words an editor can read."""

    slug: TopicSlug
    score: float
    reason: str
