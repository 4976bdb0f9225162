"""Which topics an article belongs to, by the rules of each topic, and why in words."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from digest.condense.words import CJK
from digest.domain.articles import Article, BlockKind
from digest.domain.topics import Topic, TopicMatch, TopicRule

THRESHOLD = 0.3
"""Below this an article mentions a topic without being about it.

One mention behind the opening of a 600-word article scores 0.22, one in its opening 0.52, two behind
the opening 0.39.
"""

SOURCE = 0.8
CATEGORY = 0.8
TITLE = 0.8
OPENING_WORDS = 60
"""The opening, where a text says what it is about; headings count like it."""
OPENING_MENTION = 1.5
MENTION = 0.5
USUAL_WORDS = 300
"""The length at which a mention counts in full; it counts less in a longer text, by the square root."""
MOST_FOR_SHORT = 1.4

_WORD = re.compile(r"\S+")
_IDEOGRAPH = re.compile(f"[{CJK}]")


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One thing that speaks for a topic: how strongly, from 0 to 1, and in words."""

    strength: float
    reason: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """An article as rules look at it: texts made comparable, and where the opening of `text` ends.

    `text` holds the headings and then the other blocks, a line each, so that no phrase spans two.
    """

    title: str
    text: str
    opening_end: int
    weight_of_mention: float
    categories: Mapping[str, str]


def match_topics(article: Article, topics: Sequence[Topic], *, source_name: str) -> tuple[TopicMatch, ...]:
    """Return the topics an article belongs to, in falling score; equal scores keep the order of `topics`.

    What speaks for a topic adds up as independent chances do: 1 − ∏(1 − strength). Phrases match whole
    words, whatever their case, once in the title and as often as they occur in the text, where the opening
    and headings count three times. A topic below `THRESHOLD` is left out. An empty result: no topic.
    """
    reading = _read(article)
    matches = [match for topic in topics if (match := _match(topic, reading, source_name))]
    return tuple(sorted(matches, key=lambda match: -match.score))


def _match(topic: Topic, reading: _Reading, source_name: str) -> TopicMatch | None:
    evidence = list(_evidence(topic.rule, reading, source_name))
    score = 1 - math.prod(1 - found.strength for found in evidence)
    if score < THRESHOLD:
        return None
    strongest_first = sorted(evidence, key=lambda found: -found.strength)
    return TopicMatch(topic.slug, round(score, 3), "; ".join(found.reason for found in strongest_first))


def _evidence(rule: TopicRule, reading: _Reading, source_name: str) -> Iterator[_Evidence]:
    if _compared(source_name) in map(_compared, rule.sources):
        yield _Evidence(SOURCE, f"all of {source_name}'s articles")
    for category in rule.categories:
        if _compared(category) in reading.categories:
            yield _Evidence(CATEGORY, f"labelled '{reading.categories[_compared(category)]}' by its source")
    for phrase in rule.phrases:
        yield from _evidence_of_phrase(phrase, reading)


def _evidence_of_phrase(phrase: str, reading: _Reading) -> Iterator[_Evidence]:
    pattern = _pattern(phrase)
    if pattern.search(reading.title):
        yield _Evidence(TITLE, f"matched '{phrase}' in title")
    places = [match.start() for match in pattern.finditer(reading.text)]
    if places:
        opening = sum(place < reading.opening_end for place in places)
        weight = OPENING_MENTION * opening + MENTION * (len(places) - opening)
        yield _Evidence(
            1 - 0.5 ** (weight * reading.weight_of_mention), _mentions(phrase, len(places), opening)
        )


def _mentions(phrase: str, times: int, opening: int) -> str:
    if times == 1:
        return f"matched '{phrase}' once in the {'opening' if opening else 'text'}"
    return f"matched '{phrase}' {times} times in the text"


@lru_cache(maxsize=10_000)
def _pattern(phrase: str) -> re.Pattern[str]:
    """Match a phrase as whole words; next to a Chinese or Japanese character, anywhere."""
    compared = _compared(phrase)
    if not compared:
        return re.compile(r"(?!)")
    before = "" if _IDEOGRAPH.match(compared[0]) else r"(?<!\w)"
    after = "" if _IDEOGRAPH.match(compared[-1]) else r"(?!\w)"
    return re.compile(f"{before}{re.escape(compared)}{after}")


def _read(article: Article) -> _Reading:
    headings = [_compared(block.text) for block in article.blocks if block.kind is BlockKind.HEADING]
    others = [_compared(block.text) for block in article.blocks if block.kind is not BlockKind.HEADING]
    above = "".join(f"{heading}\n" for heading in headings)
    body = "\n".join(others)
    return _Reading(
        title=_compared(article.title),
        text=above + body,
        opening_end=len(above) + _end_of_opening(body),
        weight_of_mention=min(MOST_FOR_SHORT, math.sqrt(USUAL_WORDS / max(1, article.word_count))),
        categories={_compared(category): category for category in article.categories},
    )


def _end_of_opening(body: str) -> int:
    words = islice(_WORD.finditer(body), OPENING_WORDS)
    return max((word.end() for word in words), default=0)


def _compared(text: str) -> str:
    """Return `text` as it is compared: case-folded, one kind of apostrophe, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(folded.split())
