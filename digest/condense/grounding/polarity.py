"""Whether a takeaway says yes where the article says no, or up where it says down.

Meaning is out of reach; what can be told is whether the same word is negated on one side only, and whether
two words of opposite meaning stand in the same company. Where a paraphrase may have put the negation into
another word ("did not extend", "let expire"), the takeaway gets the benefit of the doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.condense.grounding.company import company, likeness
from digest.condense.grounding.figures import Hedge
from digest.condense.grounding.lexicon import Lexicon
from digest.condense.grounding.reading import Kind, Token
from digest.condense.grounding.source import Passage, Source

AFTER = 3
BEFORE = 2
"""Words with a subject after and before a negator that it may be about."""
LEAST_ALIKE = 0.3
"""Likeness of the words around two words from which they may be said of the same thing."""
HEDGED = 4
NEIGHBOURS = 2
"""Sentences on each side of those a takeaway rests on in which its negation may be."""


@dataclass(frozen=True, slots=True)
class Negation:
    """A negator: its word, its token, the keys it may be about, and which of those it is likelier about.

    `head` is the token that it is about most likely; None when it stands alone.
    """

    text: str
    place: int
    about: tuple[str, ...]
    onward: tuple[str, ...]
    head: int | None


@dataclass(frozen=True, slots=True)
class Sign:
    """A word of an axis: +1 for up, -1 for down, turned by a negator; and the words around it."""

    axis: int
    sign: int
    text: str
    company: Mapping[str, float]


def polarity_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return where a takeaway says the opposite of the sentences it rests on, in words; at most one."""
    if not support:
        return []
    found = [
        _opposite(claim, support, source.lexicon),
        _negated_here(claim, support, source),
        _negated_there(claim, support, source.lexicon),
    ]
    return [problem for problem in found if problem][:1]


def negations(passage: Passage, lexicon: Lexicon) -> list[Negation]:
    """Return the negators of a passage in order."""
    folded = [token.folded for token in passage.tokens]
    found = []
    for place, token in enumerate(passage.tokens):
        if token.kind is not Kind.WORD or not _negates(folded, place, lexicon):
            continue
        after = _subjects(passage.tokens[place + 1 :], token, AFTER)
        before = _subjects(passage.tokens[:place][::-1], token, BEFORE)
        head = after[0] if after else before[0] if before else None
        about = tuple(other.key for other in (*after, *before))
        onward = tuple(other.key for other in after or before)
        at = None if head is None else passage.tokens.index(head)
        found.append(Negation(token.text, place, about, onward, at))
    return found


def _negates(folded: list[str], place: int, lexicon: Lexicon) -> bool:
    word = folded[place]
    if not (word.endswith("n't") or word in lexicon.negators or _refuses(folded, place, lexicon)):
        return False
    return not (word in lexicon.not_negating or lexicon.not_negating.length_at(folded, place, reach=1))


def _refuses(folded: list[str], place: int, lexicon: Lexicon) -> bool:
    """Tell whether a phrase of two words negates: "declined to say", and not "declined to 2,900"."""
    length = lexicon.negators.length_at(folded, place, reach=lexicon.reach)
    after = folded[place + length : place + length + 1]
    return length > 0 and not (after and after[0][0].isdigit())


def _subjects(tokens: Sequence[Token], negator: Token, most: int) -> list[Token]:
    """Return the nearest words with a subject in the negator's clause."""
    own = [token for token in tokens if token.clause == negator.clause and token.key]
    return own[:most]


def signs(passage: Passage, lexicon: Lexicon) -> list[Sign]:
    """Return the words of a passage that lie on an axis, in order; a hedge ("more than 200") is none."""
    folded = [token.folded for token in passage.tokens]
    flipped = _flipped(passage, lexicon)
    hedges = {
        place
        for figure in passage.figures
        if figure.hedge is not Hedge.EXACT
        for place in range(figure.first - HEDGED, figure.first)
    }
    found = []
    for place, token in enumerate(passage.tokens):
        if token.kind is not Kind.WORD or place in hedges:
            continue
        for number, sign in lexicon.axes.places_at(folded, place, reach=lexicon.reach):
            turned = -sign if place in flipped else sign
            found.append(
                Sign(
                    number, turned, _shown(passage, place, place in flipped), company(passage, place, lexicon)
                )
            )
    return found


def _flipped(passage: Passage, lexicon: Lexicon) -> set[int]:
    """Return the tokens a negator turns: the next word with a subject or on an axis, else the last."""
    folded = [token.folded for token in passage.tokens]
    flipped: set[int] = set()
    for negation in negations(passage, lexicon):
        clause = passage.tokens[negation.place].clause
        onward = [*range(negation.place + 1, len(folded)), *range(negation.place - 1, -1, -1)]
        for place in onward:
            token = passage.tokens[place]
            if token.clause != clause or token.kind is not Kind.WORD:
                continue
            if token.key or lexicon.axes.places_at(folded, place, reach=lexicon.reach):
                flipped ^= {place}
                break
    return flipped


def _shown(passage: Passage, place: int, is_turned: bool) -> str:
    """Return a word as the problem quotes it, with the negator before it."""
    first = place
    if is_turned:
        first = max(0, place - 2)
    return passage.text[passage.tokens[first].start : passage.tokens[place].end]


def _opposite(claim: Passage, support: Sequence[Passage], lexicon: Lexicon) -> str | None:
    """Say when the best fitting word of an axis lies at its other end."""
    theirs = [
        (0 if passage is support[0] else LEAST_ALIKE, sign)
        for passage in support
        for sign in signs(passage, lexicon)
    ]
    mine = signs(claim, lexicon)
    for ours in mine:
        fits = [
            (alike, sign)
            for least, sign in theirs
            if sign.axis == ours.axis and (alike := likeness(sign.company, ours.company)) >= least
        ]
        best, nearest = max(fits, key=lambda fit: fit[0], default=(0.0, ours))
        is_agreed = any(sign.sign == ours.sign and alike >= best for alike, sign in fits)
        # "Two would lower it, one would raise it": the article's "cut" is what "lower" stands for.
        is_taken = any(
            other.axis == ours.axis
            and other.sign == nearest.sign
            and likeness(nearest.company, other.company) >= best
            for other in mine
        )
        if nearest.sign != ours.sign and not is_agreed and not is_taken:
            return f"the article says the opposite: '{nearest.text}', not '{ours.text}'"
    return None


def _negated_here(claim: Passage, support: Sequence[Passage], source: Source) -> str | None:
    """Say when the takeaway denies what the article does not."""
    lexicon = source.lexicon
    negative = [
        {passage.tokens[place].key, *company(passage, place, lexicon)}
        for passage in _neighbours(support, source, 1)
        for place in _negative_places(passage, lexicon)
    ]
    said = set().union(*(passage.keys for passage in support))
    for negation in negations(claim, lexicon):
        if _is_on_axis(claim, negation, lexicon):
            continue  # "did not rise" is compared with "fell"
        if claim.tokens[negation.place].key in said:
            continue  # "denies", "refuses" are words of the article
        is_possible = negative or any(
            _negative_places(passage, lexicon) for passage in _neighbours(support, source, NEIGHBOURS)
        )
        if not is_possible or (
            said.intersection(negation.onward)
            and not any(words.intersection(negation.about) for words in negative)
        ):
            return f"the article does not say '{negation.text}' of this"
    return None


def _is_on_axis(passage: Passage, negation: Negation, lexicon: Lexicon) -> bool:
    words = [token.folded for token in passage.tokens]
    return negation.head is not None and bool(
        lexicon.axes.places_at(words, negation.head, reach=lexicon.reach)
    )


def _neighbours(support: Sequence[Passage], source: Source, reach: int) -> list[Passage]:
    places = [place for place, sentence in enumerate(source.sentences) if sentence in support]
    return [
        sentence
        for place in places
        for sentence in source.sentences[max(0, place - reach) : place + reach + 1]
    ]


def _negative_places(passage: Passage, lexicon: Lexicon) -> list[int]:
    """Return the tokens that may stand for a negation."""
    folded = [token.folded for token in passage.tokens]
    return [
        place
        for place, token in enumerate(passage.tokens)
        if token.kind is Kind.WORD and _is_negative(folded, place, lexicon)
    ]


def _is_negative(folded: list[str], place: int, lexicon: Lexicon) -> bool:
    word = folded[place]
    return (
        _negates(folded, place, lexicon)
        or word in lexicon.negative
        or bool(lexicon.negative.length_at(folded, place, reach=lexicon.reach))
        or (
            bool(lexicon.prefixes)
            and len(word) >= 6
            and word.startswith(lexicon.prefixes)
            and word not in lexicon.not_prefixed
        )
    )


def _negated_there(claim: Passage, support: Sequence[Passage], lexicon: Lexicon) -> str | None:
    """Say when the article denies what the takeaway asserts."""
    words = [token.folded for token in claim.tokens]
    negative = [
        place
        for place in range(len(words))
        if _is_negative(words, place, lexicon)
        or any(sign < 0 for _, sign in lexicon.axes.places_at(words, place, reach=lexicon.reach))
    ]
    for passage in support:
        folded = {token.folded for token in passage.tokens}
        # A merely negative word that the article has too does not stand for its negator.
        doubtful = set().union(
            *(
                company(claim, place, lexicon)
                for place in negative
                if words[place] not in folded or _negates(words, place, lexicon)
            )
        )
        for negation in negations(passage, lexicon):
            if negation.head is None:
                continue
            shared = set(negation.onward) & claim.keys
            is_in_best = passage is support[0] and passage.tokens[negation.head].key in claim.keys
            is_asserted = (
                is_in_best
                or _is_alike(claim, passage, negation.head, lexicon)
                or (passage is support[0] and len(shared) >= 2)
            )
            if (
                is_asserted
                and not shared & doubtful
                and not _said_elsewhere(claim, support, passage, negation.head, lexicon)
            ):
                return f"the article says the opposite: '{_quoted(passage, negation)}'"
    return None


def _is_alike(claim: Passage, passage: Passage, head: int, lexicon: Lexicon) -> bool:
    """Tell whether the takeaway has a word of the article in like company."""
    key = passage.tokens[head].key
    theirs = company(passage, head, lexicon)
    return any(
        token.key == key and likeness(company(claim, place, lexicon), theirs) >= LEAST_ALIKE
        for place, token in enumerate(claim.tokens)
        if key
    )


def _said_elsewhere(
    claim: Passage, support: Sequence[Passage], denied: Passage, head: int, lexicon: Lexicon
) -> bool:
    """Tell whether the word also stands without the negator, in company more like the takeaway's."""
    key = denied.tokens[head].key
    if key not in claim.keys:
        return False
    ours = claim.keys - {key}
    denying = len(ours & company(denied, head, lexicon).keys())
    return any(
        token.key == key and len(ours & company(passage, place, lexicon).keys()) >= denying
        for passage in support
        for place, token in enumerate(passage.tokens)
        if passage is not denied or place != head
    )


def _quoted(passage: Passage, negation: Negation) -> str:
    """Return a negator with the words up to what it is about."""
    head = negation.place if negation.head is None else negation.head
    first, last = sorted((negation.place, head))
    start = passage.tokens[max(0, first - 1)].start
    return passage.text[start : passage.tokens[last].end]
