"""Which articles tell the same story, and which of them are the same text.

Two articles tell one story when one's text was made from the other's (`sharing`) or when they report one
event in words of their own (`likeness`). Being on one subject is not enough, and neither is a third article
that resembles both: those who join a story must resemble its members on the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from types import MappingProxyType

from digest.domain.articles import Article
from digest.gather.stories.likeness import SAME_EVENT, Likeness
from digest.gather.stories.sharing import RETOLD, Sharing
from digest.gather.stories.wording import read_traits, read_wordings

ON_THE_WHOLE = 0.6
"""How like each other the members of two groups must be, meaned over pairs, to become one story: more
than one pair in two that are certain, or a third article could join what has nothing in common."""

# What a shared text is worth beside a chance of one event: all but certain.
_SHARED_TEXT = 0.95
# Texts in the same words on other names and figures were written by one machine, not about one event.
_SAME_FACTS = 0.6
_COPIED_FACTS = 0.8
# Members of a group that stand for it, earliest first: 9 comparisons a union, however large the groups.
_SPOKESMEN = 3
# Texts of one story that later ones are held against.
_ORIGINALS = 20

_NO_DATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Story:
    """Articles on one event, as indices in rising order; `copies` maps those that copy to what they copy.

    A copy is nearly the same text as its original, or its beginning; the original is the earlier one and
    a member too. Members that are in no pair of `copies` tell the story in a text of their own.
    """

    members: tuple[int, ...]
    copies: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))


def find_stories(articles: Sequence[Article]) -> list[Story]:
    """Return `articles` grouped by story: every index in exactly one.

    Stories are in the order of their first article, and an article without a twin is a story of one. The
    order of `articles` decides nothing else. Articles in different languages never share a story; one of an
    unknown language joins by shared text only, which proves its language.
    """
    order = sorted(range(len(articles)), key=lambda index: _by_time(articles[index]))
    in_order = [articles[index] for index in order]
    comparison = _Comparison(in_order)
    groups = _joined(in_order, comparison)
    stories = [_story(group, comparison, order) for group in groups]
    return sorted(stories, key=lambda story: story.members[0])


def _by_time(article: Article) -> tuple[datetime, str, str, str]:
    return article.published_at or _NO_DATE, article.url, article.title, article.text[:200]


class _Comparison:
    """How two articles compare, worked out when asked and remembered. Articles are by place in time."""

    def __init__(self, articles: Sequence[Article]) -> None:
        wordings, vocabulary = read_wordings(articles)
        traits = read_traits(vocabulary)
        self._sharing = Sharing(wordings, traits)
        # Counted before the profiles are made, so that the memory for both is not needed at once.
        self._sharers = list(self._sharing.pairs())
        self._likeness = Likeness(articles, wordings, traits)
        self._known: dict[tuple[int, int], float] = {}

    def links(self) -> list[tuple[float, int, int]]:
        """Return the pairs that tell one story, the surest first."""
        links = [(self.score(one, other), one, other) for one, other in self._sharers]
        for one, other in self._likeness.pairs():
            # Texts that share much were found above; the others need not be held against each other.
            if (one, other) not in self._known:
                links.append((self._likeness.chance(one, other), one, other))
        return sorted(
            (link for link in links if link[0] >= SAME_EVENT), key=lambda link: (-link[0], link[1:])
        )

    def score(self, one: int, other: int) -> float:
        """Return how sure it is that two articles tell one story, 0 to 1."""
        key = (one, other) if one < other else (other, one)
        if key not in self._known:
            self._known[key] = self._scored(*key)
        return self._known[key]

    def _scored(self, one: int, other: int) -> float:
        shared = self._sharing.containment(one, other)
        if shared >= RETOLD and self._likeness.told_in(one, other) >= _SAME_FACTS:
            return _SHARED_TEXT + (1 - _SHARED_TEXT) * shared
        return self._likeness.chance(one, other)

    def is_copy(self, one: int, other: int) -> bool:
        """Return whether two articles are one text."""
        return self._sharing.is_copy(one, other) and self._likeness.told_in(one, other) >= _COPIED_FACTS


@dataclass(slots=True)
class _Group:
    """Articles that tell one story so far, and their language as soon as one's is known."""

    members: list[int]
    language: str | None


def _joined(articles: Sequence[Article], comparison: _Comparison) -> Iterable[list[int]]:
    """Return the groups that are left when every link, the surest first, has joined what it may."""
    group_of = [_Group([index], article.language) for index, article in enumerate(articles)]
    for _, one, other in comparison.links():
        first, second = group_of[one], group_of[other]
        if first is not second and _belong_together(first, second, comparison):
            first.members = sorted([*first.members, *second.members])
            first.language = first.language or second.language
            for member in second.members:
                group_of[member] = first
    found: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(group_of):
        found[id(group)].append(index)
    return found.values()


def _belong_together(one: _Group, other: _Group, comparison: _Comparison) -> bool:
    if one.language and other.language and one.language != other.language:
        return False
    return (
        fmean(comparison.score(a, b) for a in one.members[:_SPOKESMEN] for b in other.members[:_SPOKESMEN])
        >= ON_THE_WHOLE
    )


def _story(group: Sequence[int], comparison: _Comparison, order: Sequence[int]) -> Story:
    """Return the story of `group` (places in time) by the articles' own indices."""
    originals: list[int] = []
    copies: dict[int, int] = {}
    for place in group:
        copied = next((first for first in originals[:_ORIGINALS] if comparison.is_copy(first, place)), None)
        if copied is None:
            originals.append(place)
        else:
            copies[order[place]] = order[copied]
    return Story(tuple(sorted(order[place] for place in group)), MappingProxyType(copies))
