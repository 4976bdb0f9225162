"""Which topics an article belongs to, by the rules of each topic, and why in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from digest.condense.topics.comparing import compared, places_of, without_diacritics
from digest.condense.topics.query import compiled
from digest.condense.topics.reading import Reading, Wording, read
from digest.condense.topics.tokens import Field
from digest.domain.articles import Article
from digest.domain.query import Both, Either, Neither, Node, Term
from digest.domain.topics import Topic, TopicMatch, TopicSlug

THRESHOLD = 0.3
"""Below this an article mentions a topic without being about it.

One mention behind the opening of a 600-word article scores 0.22, one in its opening 0.52, two behind
the opening 0.39.
"""

ORIGIN = 0.8
"""What a source, site, author, language or address says, when it is all that a rule asks for."""
CATEGORY = 0.8
TITLE = 0.8
OPENING_MENTION = 1.5
MENTION = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks for a topic: how strongly, from 0 to 1, and in words.

    What only `narrows` tells where an article comes from, not what it is about.
    """

    strength: float
    reason: str
    narrows: bool = False


def match_topics(
    article: Article,
    topics: Sequence[Topic],
    *,
    sources: Collection[str] = (),
    learned: Mapping[TopicSlug, Evidence] | None = None,
) -> tuple[TopicMatch, ...]:
    """Return the topics an article belongs to, in falling score; equal scores keep the order of `topics`.

    What speaks for a topic adds up as independent chances do: 1 − ∏(1 − strength). Words match whole, once
    in the title and as often as they occur in the text, where the opening and headings count three times.
    `learned` is what else speaks for a topic. One below `THRESHOLD` is left out. An empty result: no topic.
    """
    reading = read(article, sources)
    matches = [
        match for topic in topics if (match := _match(topic, reading, (learned or {}).get(topic.slug)))
    ]
    return tuple(sorted(matches, key=lambda match: -match.score))


def _match(topic: Topic, reading: Reading, learned: Evidence | None) -> TopicMatch | None:
    node = compiled(topic.rule)
    evidence = list(_find(node, reading) or ()) if node else []
    evidence += [learned] if learned else []
    score = 1 - math.prod(1 - found.strength for found in evidence)
    if score < THRESHOLD:
        return None
    strongest_first = sorted(evidence, key=lambda found: -found.strength)
    return TopicMatch(topic.slug, round(score, 3), "; ".join(found.reason for found in strongest_first))


def _find(node: Node, reading: Reading) -> tuple[Evidence, ...] | None:
    """Return what speaks for a match, None when there is none."""
    match node:
        case Term():
            return tuple(_weighed(found, node.weight) for found in _LOOKS[node.field](node, reading)) or None
        case Either(parts):
            found = [_find(part, reading) for part in parts]
            return tuple(one for part in found for one in part or ()) or None
        case Both(parts):
            return _find_both(parts, reading)
        case Neither():
            return None
    return None


def _find_both(parts: Sequence[Node], reading: Reading) -> tuple[Evidence, ...] | None:
    """Ask for every part. Where one is about the subject, those about the origin only narrow it down."""
    evidence: list[Evidence] = []
    for part in parts:
        if isinstance(part, Neither):
            if _find(part.part, reading) is not None:
                return None
            continue
        found = _find(part, reading)
        if found is None:
            return None
        evidence += found
    return tuple(found for found in evidence if not found.narrows) or tuple(evidence)


def _weighed(found: Evidence, weight: float) -> Evidence:
    """Count evidence `weight` times, as independent chances add up."""
    if weight == 1:
        return found
    return replace(found, strength=1 - (1 - found.strength) ** weight, reason=f"{found.reason} (×{weight:g})")


def _anywhere(term: Term, reading: Reading) -> Iterator[Evidence]:
    yield from _in_title(term, reading)
    yield from _in_text(term, reading)


def _in_title(term: Term, reading: Reading) -> Iterator[Evidence]:
    text, wording = _worded(term, reading)
    if places_of(text, wording.title, is_prefix=term.is_prefix):
        yield Evidence(TITLE, f"matched '{_said(term)}' in title")


def _in_text(term: Term, reading: Reading) -> Iterator[Evidence]:
    text, wording = _worded(term, reading)
    places = places_of(text, wording.text, is_prefix=term.is_prefix)
    opening = sum(place < wording.opening_end for place in places)
    if places:
        yield Evidence(_mentioned(opening, len(places), reading), _mentions(term, len(places), opening))


def _in_opening(term: Term, reading: Reading) -> Iterator[Evidence]:
    text, wording = _worded(term, reading)
    if times := len(places_of(text, wording.text, is_prefix=term.is_prefix, end=wording.opening_end)):
        yield Evidence(_mentioned(times, times, reading), f"matched '{_said(term)}' in the opening")


def _mentioned(opening: int, times: int, reading: Reading) -> float:
    weight = OPENING_MENTION * opening + MENTION * (times - opening)
    return float(1 - 0.5 ** (weight * reading.weight_of_mention))


def _mentions(term: Term, times: int, opening: int) -> str:
    if times == 1:
        return f"matched '{_said(term)}' once in the {'opening' if opening else 'text'}"
    return f"matched '{_said(term)}' {times} times in the text"


def _worded(term: Term, reading: Reading) -> tuple[str, Wording]:
    """Return what to look for and where: what is written without diacritics is found with them as well."""
    text, is_bare = _wanted(term.text)
    return text, reading.bare if is_bare else reading.exact


@lru_cache(maxsize=10_000)
def _wanted(text: str) -> tuple[str, bool]:
    """Return a term's text as it is compared, and whether it has no diacritics."""
    wanted = compared(text)
    return wanted, wanted == without_diacritics(wanted)


def _said(term: Term) -> str:
    return f"{term.text}*" if term.is_prefix else term.text


def _labelled(term: Term, reading: Reading) -> Iterator[Evidence]:
    for label in _named(term, reading.categories):
        yield Evidence(CATEGORY, f"labelled '{label}' by its source")


def _listed(term: Term, reading: Reading) -> Iterator[Evidence]:
    for source in _named(term, reading.sources):
        yield Evidence(ORIGIN, f"all of {source}'s articles", narrows=True)


def _named(term: Term, names: Mapping[str, str]) -> list[str]:
    """Return the first of `names` that the term names in whole, or begins."""
    wanted, _ = _wanted(term.text)
    return [told for name, told in names.items() if wanted and _is_named(term, wanted, name)][:1]


def _is_named(term: Term, wanted: str, name: str) -> bool:
    return name == wanted or (term.is_prefix and name.startswith(wanted))


def _sited(term: Term, reading: Reading) -> Iterator[Evidence]:
    wanted = _wanted(term.text)[0].removeprefix("www.")
    for site in reading.sites:
        if _is_named(term, wanted, site) or (site == reading.sites[0] and site.endswith(f".{wanted}")):
            yield Evidence(ORIGIN, f"from {site}", narrows=True)
            return


def _written(term: Term, reading: Reading) -> Iterator[Evidence]:
    text, is_bare = _wanted(term.text)
    byline = without_diacritics(reading.byline) if is_bare else reading.byline
    if places_of(text, byline, is_prefix=term.is_prefix):
        yield Evidence(ORIGIN, f"written by '{_said(term)}'", narrows=True)


def _in_language(term: Term, reading: Reading) -> Iterator[Evidence]:
    if reading.language and reading.language == _wanted(term.text)[0].partition("-")[0]:
        yield Evidence(ORIGIN, f"its language is {reading.language}", narrows=True)


def _at_address(term: Term, reading: Reading) -> Iterator[Evidence]:
    if (wanted := _wanted(term.text)[0]) and wanted in reading.url:
        yield Evidence(ORIGIN, f"its address holds '{term.text}'", narrows=True)


_LOOKS: Mapping[str | None, Callable[[Term, Reading], Iterator[Evidence]]] = {
    None: _anywhere,
    Field.TITLE: _in_title,
    Field.TEXT: _in_text,
    Field.OPENING: _in_opening,
    Field.CATEGORY: _labelled,
    Field.SOURCE: _listed,
    Field.SITE: _sited,
    Field.AUTHOR: _written,
    Field.LANGUAGE: _in_language,
    Field.URL: _at_address,
}
