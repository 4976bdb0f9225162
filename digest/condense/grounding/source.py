"""An article as grounding reads it, and the sentences of it that a takeaway rests on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.condense.grounding.amounts import find_match
from digest.condense.grounding.figures import Figure, read_figures
from digest.condense.grounding.lexicon import Lexicon, get_lexicon
from digest.condense.grounding.reading import Kind, Token, read_tokens
from digest.condense.language import Language, get_language
from digest.condense.sentences import split_sentences
from digest.domain.articles import Article, Span

LONGEST_ARTICLE = 100_000
LONGEST_SENTENCE = 1_500
"""Characters that are read of an article, and at once of a sentence."""
MOST_SENTENCES = 3
"""Sentences a takeaway may rest on."""
MOST_RELATED = 8
"""Sentences that are compared with it for their meaning."""
WORTH_ADDING = 1.2
"""Weight of words not yet borne out for which another sentence is added."""
SOMETHING = 0.1
"""Weight without which not even the best sentence is one that a takeaway rests on."""
SHORT = 5
"""Letters of a month that may be another word: "may", "march", "mars", "Jan"."""
NAMES = frozenset({"jan", "mar", "set", "out", "ago"})
"""Short months that are also names or words with a capital."""
RELATED = 0.5
"""Of the best sentence's weight, what another must have to be compared for its meaning."""
NAME = 0.5
FIGURE = 0.6
"""What a name and a figure weigh in the choice of sentences, where other words weigh up to 1: they are what
is wrong when something is, so they must not lead to a sentence that has them and nothing else."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence or takeaway: its tokens, figures and the keys of its words. A title has no `span`."""

    text: str
    tokens: tuple[Token, ...]
    figures: tuple[Figure, ...]
    keys: frozenset[str]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """An article's sentences in order, its title as one more, and how much each word tells.

    `folded` are all words in lower case, `lower` those that somewhere stand without a capital, `named` those
    that have one where not any word would. Who wrote and who published it is named, too.
    """

    sentences: tuple[Passage, ...]
    title: Passage
    weights: dict[str, float]
    folded: frozenset[str]
    lower: frozenset[str]
    named: frozenset[str]
    language: Language
    lexicon: Lexicon

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The sentences and the title."""
        return (*self.sentences, self.title)


def read_passage(text: str, language: Language, lexicon: Lexicon, span: Span | None = None) -> Passage:
    """Read one sentence or takeaway."""
    tokens = read_tokens(text, language, spaced_thousands=lexicon.thousands == " ")
    return Passage(
        text,
        tuple(tokens),
        tuple(read_figures(text, tokens, lexicon)),
        frozenset(token.key for token in tokens if token.key).union(dates_of(tokens, lexicon).values()),
        span,
    )


def dates_of(tokens: Sequence[Token], lexicon: Lexicon) -> dict[int, str]:
    """Return a key for each token that is a month or weekday, the same for every form of it.

    What is also another word ("may", "Jan") is one only with a capital, or a number beside it.
    """
    found = {}
    for place, token in enumerate(tokens):
        if weekday := lexicon.weekdays.get(token.folded):
            found[place] = f"@day{weekday}"
        elif (month := lexicon.months.get(token.folded)) and _is_month(tokens, place):
            found[place] = f"@month{month}"
    return found


def _is_month(tokens: Sequence[Token], place: int) -> bool:
    token = tokens[place]
    is_only_a_month = token.is_capital and not token.opens and token.folded not in NAMES
    return len(token.text) > SHORT or is_only_a_month or _has_number_beside(tokens, place)


def _has_number_beside(tokens: Sequence[Token], place: int) -> bool:
    beside = (*tokens[max(0, place - 2) : place], *tokens[place + 1 : place + 3])
    return any(token.kind is Kind.NUMBER for token in beside)


@lru_cache(maxsize=2)
def read_source(article: Article) -> Source:
    """Read an article. The last two are kept: an article's takeaways are checked one after the other."""
    language, lexicon = get_language(article.language), get_lexicon(article.language)
    sentences = []
    for place, block in article.located_blocks():
        if place.start >= LONGEST_ARTICLE:
            break
        for span in split_sentences(block.text[:LONGEST_ARTICLE], article.language):
            # What is longer than any sentence is read in pieces: its words are compared with one another.
            for start in range(span.start, span.end, LONGEST_SENTENCE):
                end = min(start + LONGEST_SENTENCE, span.end)
                own = Span(place.start + start, place.start + end)
                sentences.append(read_passage(block.text[start:end], language, lexicon, own))
    title = read_passage(article.title, language, lexicon)
    count = Counter(key for sentence in sentences for key in sentence.keys)
    words = [
        token for passage in (*sentences, title) for token in passage.tokens if token.kind is not Kind.MARK
    ]
    credits_ = read_tokens(f"{article.byline or ''} {article.site_name or ''}", language)
    return Source(
        tuple(sentences),
        title,
        {key: 1 / (1 + math.log(times)) for key, times in count.items()},
        frozenset(token.folded for token in (*words, *credits_)),
        frozenset(token.folded for token in words if not token.is_capital),
        frozenset(token.folded for token in words if token.is_capital and not token.opens),
        language,
        lexicon,
    )


def goes_on(sentence: Passage, source: Source) -> bool:
    """Tell whether a sentence opens with a word that needs the one before: it, this, however."""
    return sentence.tokens[0].folded in source.language.leaning


def choose_support(claim: Passage, source: Source) -> list[Passage]:
    """Return the sentences that best bear out a takeaway, best first: none when no word is shared."""
    chosen: list[Passage] = []
    left = list(source.sentences)
    names = _names(claim, source)
    covered: set[str] = set()
    figures = [figure for figure in claim.figures if not figure.may_be_loose]
    while left and len(chosen) < MOST_SENTENCES:
        gains = [_gain(claim, sentence, covered, names, figures, source) for sentence in left]
        best = max(range(len(left)), key=gains.__getitem__)
        is_enough = gains[best] >= (WORTH_ADDING if chosen else SOMETHING)
        if not is_enough or (chosen and not _adds(claim, left[best], covered, names, figures)):
            break
        chosen.append(left.pop(best))
        covered |= chosen[-1].keys
        figures = [figure for figure in figures if find_match(figure, chosen[-1].figures) is None]
    return chosen


def _adds(
    claim: Passage, sentence: Passage, covered: set[str], names: set[str], figures: Sequence[Figure]
) -> bool:
    """Tell whether a sentence is more than the place of the one name or figure that may be wrong."""
    new = (claim.keys & sentence.keys) - covered
    borne_out = sum(find_match(figure, sentence.figures) is not None for figure in figures)
    return bool(new - names) or borne_out > 1 or bool(new and borne_out)


def _names(claim: Passage, source: Source) -> set[str]:
    if source.lexicon.nouns_have_capitals:
        return set()
    others = {*source.lexicon.months, *source.lexicon.weekdays, *source.lower}
    return {token.key for token in claim.tokens if token.is_capital and token.folded not in others}


def related(claim: Passage, source: Source) -> list[Passage]:
    """Return the sentences that bear a takeaway out nearly as well as the best, in the article's order.

    What says the opposite has the same words, so `choose_support` may pass it over for another.
    """
    gains = [_gain(claim, sentence, set(), set(), claim.figures, source) for sentence in source.sentences]
    least = RELATED * max(gains, default=0)
    fitting = [place for place, gain in enumerate(gains) if gain >= least > 0]
    best = sorted(fitting, key=lambda place: -gains[place])[:MOST_RELATED]
    return [source.sentences[place] for place in sorted(best)]


def _gain(
    claim: Passage,
    sentence: Passage,
    covered: set[str],
    names: set[str],
    figures: Sequence[Figure],
    source: Source,
) -> float:
    shared = (claim.keys & sentence.keys) - covered
    words = sum(source.weights.get(key, 1) * (NAME if key in names else 1) for key in shared)
    return words + FIGURE * sum(find_match(figure, sentence.figures) is not None for figure in figures)
