"""Whether the names of a takeaway are those of the sentences it rests on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from digest.condense.grounding.company import company, likeness
from digest.condense.grounding.lexicon import Words
from digest.condense.grounding.reading import Kind, Token
from digest.condense.grounding.source import NAMES, Passage, Source, goes_on

ENDING = 3
"""Letters by which two forms of a name may differ: Nowak and Nowakiem."""
SHORTEST_STEM = 3
SAME_PLACE = 0.5
"""Likeness of the words around two names from which one stands in the other's place."""
MARGIN = 1.0
"""By how much another name must fit better to be the one that was meant."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring words with capitals: Dana Virelli, World Health Organization."""

    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        """The run as a reader sees it."""
        return " ".join(token.text for token in self.tokens)


def runs_of(passage: Passage, source: Source) -> Iterator[Run]:
    """Yield the names of a passage in order; months, weekdays, number words and titles are none."""
    run: list[Token] = []
    previous: Token | None = None
    for token in passage.tokens:
        if _may_name(token, source):
            # "Rosen-Quartett" is one run, "Kelmouth, Dana" and "Kelmouth. Dana" are two.
            if run and previous is not None and (previous is not run[-1] and previous.text not in "-'’&."):
                yield Run(tuple(run))
                run = []
            run.append(token)
        elif token.kind is not Kind.MARK and run:
            yield Run(tuple(run))
            run = []
        previous = token
    if run:
        yield Run(tuple(run))


def _may_name(token: Token, source: Source) -> bool:
    lexicon = source.lexicon
    if token.kind is Kind.CODE:
        return True
    return (
        token.kind is Kind.WORD
        and token.is_capital
        and len(token.text) > 1
        and (token.folded not in lexicon.months or token.folded in NAMES)
        and token.folded not in lexicon.weekdays
        and token.folded not in lexicon.numbers
        and token.folded not in lexicon.fractions
        and token.folded not in lexicon.ordinals
        and token.folded not in lexicon.titles
        and token.folded.rstrip("s") not in lexicon.titles
        and token.folded not in source.language.stop
    )


def name_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return what is wrong with the names of a takeaway, in words."""
    problems = []
    for run in runs_of(claim, source):
        problem = _unknown(run, claim, source) or _misplaced(run, claim, support, source)
        if problem:
            problems.append(problem)
    return problems


def _unknown(run: Run, claim: Passage, source: Source) -> str | None:
    """Say which part of a name the article does not have at all."""
    if _is_short_for(run, source):
        return None
    missing = [token for token in run.tokens if not _is_known(token, source)]
    if source.lexicon.nouns_have_capitals:
        missing = [token for token in missing if _is_name_by_place(token, run, claim, source)]
    elif len(run.tokens) == 1 or (missing == [run.tokens[0]] and not _is_last_name(run.tokens[1], source)):
        missing = [token for token in missing if not token.opens]
    if not missing:
        return None
    return f"'{run.text}' is not named in the article"


def _is_name_by_place(token: Token, run: Run, claim: Passage, source: Source) -> bool:
    """Tell a name from a noun where both have capitals: it stands behind another noun, or in a name's place.

    "Firma Nordstern" has a name, "die neue Firma" none; where the article says "Alpina Rail", "Nordstern
    Rail" is another.
    """
    place = run.tokens.index(token)
    if place > 0:
        return not _has_genitive(token, claim, source)
    if token.folded.endswith(source.lexicon.noun_endings):
        return False
    following = run.tokens[place + 1 : place + 2]
    return any(
        next_.folded == following[0].folded
        for passage in source.passages
        for before, next_ in _neighbours(passage)
        if following and before.is_capital and before.folded not in source.lower
    )


def _is_last_name(token: Token, source: Source) -> bool:
    """Tell whether the article has another name right before this one."""
    return any(
        before.is_capital and not before.opens and next_.folded == token.folded
        for passage in source.passages
        for before, next_ in _neighbours(passage)
    )


def _has_genitive(token: Token, claim: Passage, source: Source) -> bool:
    """Tell whether "des" or "der" follows: "Ende des Jahres" has no name."""
    at = claim.tokens.index(token) + 1
    return at < len(claim.tokens) and claim.tokens[at].folded in source.lexicon.genitives


def _neighbours(passage: Passage) -> Iterator[tuple[Token, Token]]:
    """Yield the pairs of words next to each other, or joined by a hyphen."""
    words = [token for token in passage.tokens if token.kind is not Kind.MARK]
    for before, next_ in pairwise(words):
        if next_.start - before.end <= 1:
            yield before, next_


def _is_known(token: Token, source: Source) -> bool:
    if token.folded in source.folded:
        return True
    groups = _aliases(token, source)
    return any(
        is_one_name(token.folded, word) or any(word in group for group in groups) for word in source.folded
    )


def _aliases(token: Token, source: Source) -> list[Words]:
    """Return the groups of names that may stand for one: France and French."""
    return [group for group in source.lexicon.aliases if token.folded in group]


def is_one_name(one: str, other: str) -> bool:
    """Tell whether two folded words are forms of one name: Kraków and Krakowie, Visser and Vissers."""
    if one == other:
        return True
    one, other = _plain(one), _plain(other)
    shorter, longer = sorted((one, other), key=len)
    same = next((at for at, letter in enumerate(shorter) if letter != longer[at]), len(shorter))
    return same >= max(SHORTEST_STEM, len(longer) - ENDING) and len(shorter) - same <= 1


def _plain(word: str) -> str:
    if word.isascii():
        return word
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter)
    )


def _is_short_for(run: Run, source: Source) -> bool:
    """Tell whether a run spells out an abbreviation of the article, or abbreviates a name in it."""
    initials = "".join(token.text[0] for token in run.tokens).casefold()
    if len(run.tokens) > 1 and initials in source.folded:
        return True
    word = run.tokens[0].text
    if len(run.tokens) > 1 or not (word.isupper() and 2 <= len(word) <= 6):
        return False
    return any(word.casefold() in _initials(passage) for passage in source.passages)


def _initials(passage: Passage) -> str:
    return "".join(
        token.folded[0] for token in passage.tokens if token.is_capital and token.kind is Kind.WORD
    )


def _misplaced(run: Run, claim: Passage, support: Sequence[Passage], source: Source) -> str | None:
    """Say when the article has a name, but says this of another."""
    mixed = _mixed(run, source)
    if mixed:
        return mixed
    token = run.tokens[-1]
    if (
        token.folded in source.lower
        or _is_short_for(run, source)
        or not _is_certain(run, source)
        or not _is_known(token, source)
    ):
        return None
    ours = _company(run, claim, source)
    own = [
        likeness(ours, _company(other, passage, source))
        for passage in (*support, source.title)
        for other in runs_of(passage, source)
        if _has(token, other)
    ]
    rivals = [
        (likeness(ours, _company(rival, passage, source)), rival)
        for passage in support
        for rival in runs_of(passage, source)
        if rival.tokens[0].folded not in source.lower
        and _is_certain(rival, source)
        and not _names(rival.tokens[-1], [claim], source)
        and _stands_like(run, claim, rival, passage)
    ]
    if not own and any(
        _names(token, [after], source) and goes_on(after, source)
        for before, after in pairwise(source.sentences)
        if before in support
    ):
        return None  # "She found a quartet. It is by X": the quartet by X.
    nearest, rival = max(rivals, key=lambda pair: pair[0], default=(0.0, run))
    if nearest < max([SAME_PLACE, *(alike + MARGIN for alike in own)]):
        return None
    return f"'{run.text}' is not named in the supporting sentences where '{rival.text}' is"


def _stands_like(run: Run, claim: Passage, rival: Run, passage: Passage) -> bool:
    """Tell whether two names could stand for each other: behind one word, or before the same sort.

    "Uganda's prosecutor" is no place for a person's name, nor "Disney fan" for who "is not sure".
    """
    before, after = _beside(run, claim)
    their_before, their_after = _beside(rival, passage)
    return (before != "" and before == their_before) or after == their_after


def _beside(run: Run, passage: Passage) -> tuple[str, str]:
    """Return the word before a run, and of what sort the token after it is."""
    first, last = passage.tokens.index(run.tokens[0]), passage.tokens.index(run.tokens[-1])
    before = passage.tokens[first - 1].folded if first else ""
    after = passage.tokens[last + 1 : last + 3]
    if not after or after[0].kind is Kind.MARK:
        is_possessive = len(after) > 1 and after[0].text in "'’" and after[1].folded == "s"
        return before, "possessive" if is_possessive else "mark"
    return before, "subject" if after[0].key else "function"


def _company(run: Run, passage: Passage, source: Source) -> dict[str, float]:
    first, last = passage.tokens.index(run.tokens[0]), passage.tokens.index(run.tokens[-1])
    return company(passage, first, source.lexicon, last)


def _is_certain(run: Run, source: Source) -> bool:
    """Tell whether a run is a name beyond doubt."""
    token = run.tokens[-1]
    if source.lexicon.nouns_have_capitals:
        return not _is_common(token, source)
    # At the front of a sentence any word has a capital.
    return len(run.tokens) > 1 or not token.opens or token.folded in source.named


def _is_common(token: Token, source: Source) -> bool:
    """Tell whether a word with a capital is just a noun: it never stands right behind another such word."""
    return not any(
        next_.folded == token.folded and before.is_capital and before.folded not in source.language.stop
        for passage in source.passages
        for before, next_ in _neighbours(passage)
    )


def _names(token: Token, passages: Iterable[Passage], source: Source) -> bool:
    groups = _aliases(token, source)
    return any(
        is_one_name(token.folded, other.folded) or any(other.folded in group for group in groups)
        for passage in passages
        for other in passage.tokens
        if other.kind is not Kind.MARK
    )


def _has(token: Token, run: Run) -> bool:
    return any(is_one_name(token.folded, other.folded) for other in run.tokens)


def _mixed(run: Run, source: Source) -> str | None:
    """Say when a first name has another's last name."""
    if len(run.tokens) < 2:
        return None
    first, last = run.tokens[-2:]
    together = [
        (before, next_)
        for passage in source.passages
        for before, next_ in _neighbours(passage)
        if before.is_capital and next_.is_capital
    ]
    of_last = [before for before, next_ in together if is_one_name(next_.folded, last.folded)]
    of_first = [next_ for before, next_ in together if is_one_name(before.folded, first.folded)]
    is_first_named = of_first or first.folded in source.named
    if not of_last or not is_first_named or first.folded in source.lower or last.folded in source.lower:
        return None
    if any(
        _has(first, other) and _has(last, other)
        for passage in source.passages
        for other in runs_of(passage, source)
    ):
        return None
    other = " ".join(token.text for token in (first, *of_first[:1]))
    theirs = f"'{of_last[0].text} {last.text}' and '{other}'"
    return f"'{run.text}' mixes two names of the article: {theirs}"
