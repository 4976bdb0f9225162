"""The words of a language that grounding must understand: numbers, hedges, dates, negation, direction, deeds.

Each language is one file, `lexicons/<ISO 639-1 code>.toml`. What is counted is in `units.toml`, for all.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from importlib import resources
from typing import Any

REACH = 3
"""Words between the two halves of a phrase: "put the vote off"."""


@dataclass(frozen=True, slots=True)
class Words:
    """A set of folded words: whole ones, beginnings (`fail*`), and pairs of such (`turn*_down`)."""

    whole: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    pairs: tuple[tuple[Words, Words], ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Words:
        """Return the set that a list in a lexicon describes."""
        single: list[str] = []
        pairs: list[tuple[Words, Words]] = []
        for entry in entries:
            first, _, second = entry.replace("_", " ").partition(" ")
            if second:
                pairs.append((cls.of([first]), cls.of([second])))
            else:
                single.append(first)
        return cls(
            frozenset(word for word in single if not word.endswith("*")),
            tuple(word[:-1] for word in single if word.endswith("*")),
            tuple(pairs),
        )

    def __contains__(self, word: str) -> bool:
        return word in self.whole or (bool(self.beginnings) and word.startswith(self.beginnings))

    def length_at(self, words: list[str], at: int, *, reach: int = REACH) -> int:
        """Return how many words from `at` on one of the pairs takes, gaps included; 0 for none."""
        for first, second in self.pairs:
            if words[at] in first:
                for further in range(at + 1, min(at + 2 + reach, len(words))):
                    if words[further] in second:
                        return further - at + 1
        return 0


Place = tuple[int, int]
"""An axis by its number, and +1 or -1 for the end of it."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Words of opposite meaning (rise and fall, approve and reject), an axis each, by word."""

    whole: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    beginnings: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    pairs: tuple[tuple[Words, Place], ...] = ()

    @classmethod
    def of(cls, axes: Sequence[Mapping[str, str]]) -> Axes:
        """Return the axes that a lexicon lists as `up` and `down`."""
        whole, beginnings = defaultdict[str, set[Place]](set), defaultdict[str, set[Place]](set)
        pairs = []
        for number, axis in enumerate(axes):
            for end, sign in (("up", 1), ("down", -1)):
                words = Words.of(axis[end].split())
                for word in words.whole:
                    whole[word].add((number, sign))
                for beginning in words.beginnings:
                    beginnings[beginning].add((number, sign))
                if words.pairs:
                    pairs.append((Words(pairs=words.pairs), (number, sign)))
        return cls(
            {word: frozenset(places) for word, places in whole.items()},
            {word: frozenset(places) for word, places in beginnings.items()},
            tuple(pairs),
        )

    def places_at(self, words: list[str], at: int, *, reach: int = REACH) -> list[Place]:
        """Return where on the axes the word at `at` lies, alone or with another after it; nowhere mostly."""
        word = words[at]
        found = set(self.whole.get(word, ()))
        for letters in range(1, len(word) + 1):
            found |= self.beginnings.get(word[:letters], frozenset())
        found |= {place for pair, place in self.pairs if pair.length_at(words, at, reach=reach)}
        # What may be at both ends of an axis ("stemde met 17 tegen 10 voor") tells nothing.
        return [(number, sign) for number, sign in sorted(found) if (number, -sign) not in found]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted. Figures of one dimension compare by their number times `factor`."""

    dimension: str
    factor: float


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What one language's file says, all folded. A language without a file knows no words, only digits.

    - `numbers`, `fractions` and `ordinals` are words and what they stand for; `ones` may be 1 or an article,
      `pairs` say "both"; `share_of` stands between the two numbers of "four in ten", `joiners` within one;
      `thousands` is the mark between groups of digits. `turns` begin another clause. `doubling` says that
      something is twice what it was.
    - `reach` is how many words may part the halves of a phrase: many in "lehnte den Plan gestern ab".
      `determiners` stand before nouns.
    - `about`, `nearly`, `over` and `under` make a figure less than exact.
    - `months` and `weekdays` give the number of each, by any of its spellings.
    - `titles` stand before names and are none; one of `aliases` stands for the others of its group. With
      `nouns_have_capitals` a capital does not make a name: nouns end in one of `noun_endings` or stand before
      one of `genitives`.
    - `negators` turn what follows into its opposite, but not in `not_negating`. What begins with one of
      `prefixes` and is not `not_prefixed`, and all of `negative`, may say in one word what elsewhere takes a
      negator. `axes` are opposites.
    - `by` stands before the doer of a passive, `deeds` are done by one to another, `symmetric` ones with.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    ones: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    fractions: Mapping[str, float] = field(default_factory=dict)
    ordinals: Mapping[str, float] = field(default_factory=dict)
    share_of: frozenset[str] = frozenset()
    joiners: frozenset[str] = frozenset()
    turns: frozenset[str] = frozenset()
    thousands: str = ","
    reach: int = REACH
    doubling: Words = Words()
    determiners: frozenset[str] = frozenset()
    about: Words = Words()
    nearly: Words = Words()
    over: Words = Words()
    under: Words = Words()
    months: Mapping[str, int] = field(default_factory=dict)
    weekdays: Mapping[str, int] = field(default_factory=dict)
    titles: frozenset[str] = frozenset()
    aliases: tuple[Words, ...] = ()
    nouns_have_capitals: bool = False
    noun_endings: tuple[str, ...] = ()
    genitives: frozenset[str] = frozenset()
    negators: Words = Words()
    not_negating: Words = Words()
    prefixes: tuple[str, ...] = ()
    not_prefixed: Words = Words()
    negative: Words = Words()
    by: frozenset[str] = frozenset()
    symmetric: Words = Words()
    deeds: Words = Words()
    axes: Axes = field(default_factory=Axes)


@cache
def get_lexicon(code: str | None) -> Lexicon:
    """Return the lexicon of an ISO 639-1 code such as "de" or "pt-BR"; an empty one when it is not known."""
    primary = (code or "").lower().partition("-")[0]
    file = resources.files("digest.condense.grounding.lexicons") / f"{primary}.toml"
    if not primary.isalpha() or not file.is_file():
        return Lexicon()
    return _read(tomllib.loads(file.read_text("utf-8")))


def _read(raw: Mapping[str, Any]) -> Lexicon:
    def words(name: str) -> Words:
        return Words.of(raw[name].split())

    def folded(name: str) -> frozenset[str]:
        return frozenset(raw.get(name, "").split())

    return Lexicon(
        numbers=_values(raw["numbers"]),
        ones=folded("ones"),
        pairs=folded("pairs"),
        fractions=_values(raw["fractions"]),
        ordinals=_values(raw["ordinals"]),
        share_of=folded("share_of"),
        joiners=folded("joiners"),
        turns=folded("turns"),
        thousands=raw["thousands"],
        reach=raw.get("reach", REACH),
        doubling=words("doubling"),
        determiners=folded("determiners"),
        about=words("about"),
        nearly=words("nearly"),
        over=words("over"),
        under=words("under"),
        months=_places(raw["months"]),
        weekdays=_places(raw["weekdays"]),
        titles=folded("titles"),
        aliases=tuple(Words.of(group.split()) for group in raw["aliases"]),
        nouns_have_capitals=raw.get("nouns_have_capitals", False),
        noun_endings=tuple(raw.get("noun_endings", "").split()),
        genitives=folded("genitives"),
        negators=words("negators"),
        not_negating=words("not_negating"),
        prefixes=tuple(raw["prefixes"].split()),
        not_prefixed=words("not_prefixed"),
        negative=words("negative"),
        by=folded("by"),
        symmetric=words("symmetric"),
        deeds=words("deeds"),
        axes=Axes.of(raw["axes"]),
    )


def _values(listed: str) -> dict[str, float]:
    pairs = (entry.partition("=") for entry in listed.split())
    return {word: float(Fraction(value)) for word, _, value in pairs}


def _places(listed: str) -> dict[str, int]:
    return {
        spelling: place
        for place, entry in enumerate(listed.split(), start=1)
        for spelling in entry.split("/")
    }


@cache
def units() -> tuple[tuple[Words, Unit], ...]:
    """Return what can be counted, by the words for it."""
    raw = tomllib.loads((resources.files("digest.condense.grounding") / "units.toml").read_text("utf-8"))
    return tuple(
        (Words.of(entry["words"].split()), Unit(entry["dimension"], float(entry["factor"])))
        for entry in raw["unit"]
    )


@lru_cache(maxsize=10_000)
def find_unit(word: str, following: str = "") -> Unit | None:
    """Return what a folded word counts, alone or with the one after it ("per cent")."""
    for words, unit in units():
        if word in words or (following and words.length_at([word, following], 0, reach=0)):
            return unit
    return None
