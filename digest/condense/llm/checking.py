"""What of a model's draft a reader may see: plain sentences that the article bears out, none twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from digest.condense.grounding import ground
from digest.condense.language import get_language
from digest.condense.llm.drafts import Draft, Written
from digest.condense.llm.options import LlmOptions
from digest.condense.llm.orders import find_orders, gives_orders
from digest.condense.llm.prompt import VERSION, Prompt
from digest.condense.words import count_words, stems, words
from digest.domain.articles import Article, Origin, Rejected, Span, Takeaway

LIKE = 0.7
"""Of the shorter one's words, the share from which two takeaways say the same."""
SHORTEST = 3
"""Words a takeaway needs to say something; "The" stands in every article."""
LETTERS = 14
"""Characters a word may have on average: "words" of a hundred letters would make any limit."""
SHOWN = 300
"""Characters of a rejected takeaway that an editor is shown."""

_JOINERS = "\u200c\u200d"
"""Unseen, and part of how Persian and Indic words are written."""
_BULLET = re.compile(r"^(?:[-*•–—]\s+)+")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_MARKUP = re.compile(r"<[/!?]?\w|&(?:#\w+|\w{2,8});|\]\(|\*\*|__|`|^#+\s|\{\{|\{%")
_CITED = re.compile(r"\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\]")
_LINK = re.compile(
    r"\w+://|\b(?:www\.|mailto:|javascript:|data:)|\S@\S+\.\w|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\w",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """The takeaways of a draft that stand, in the model's order, and those that do not, with the reasons."""

    takeaways: tuple[Takeaway, ...]
    rejected: tuple[Rejected, ...]


def check_draft(
    draft: Draft, prompt: Prompt, article: Article, options: LlmOptions, *, count: int, max_words: int
) -> Checked:
    """Check one takeaway of a draft after the other until `count` stand."""
    withheld = find_orders(article)
    stand: list[Takeaway] = []
    rejected: list[Rejected] = []
    for written in draft.takeaways:
        if len(stand) == count:
            break
        text = plain(written.text)
        support, problems = _grounds(text, written, prompt, article)
        problem = form_problem(text, max_words) or _nothing_said(text, article.language)
        problem = problem or "; ".join(problems) or _place_problem(text, support, withheld)
        takeaway = Takeaway(text, Origin.LLM, support, options.model, VERSION)
        if not problem and repeats(takeaway, stand, article.language):
            problem = "it says what another takeaway says"
        if problem:
            rejected.append(Rejected(text[:SHOWN], problem))
        else:
            stand.append(takeaway)
    return Checked(tuple(stand), tuple(rejected))


def plain(text: str) -> str:
    """Return a text on one line, without what nobody sees, bullets, emphasis and numbers of sentences."""
    seen = "".join(" " if _is_unseen(char) else char for char in unicodedata.normalize("NFC", text))
    line = _BULLET.sub("", " ".join(seen.split()))
    return _CITED.sub("", _EMPHASIS.sub(r"\2", line))


def _is_unseen(char: str) -> bool:
    return char not in _JOINERS and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def form_problem(text: str, max_words: int) -> str:
    """Say what makes a text no takeaway whatever the article says, '' for nothing."""
    if not text:
        return "it has no words"
    if _LINK.search(text):
        return "it holds an address"
    if _MARKUP.search(text):
        return "it holds markup"
    length = count_words(text)
    if length < min(SHORTEST, max_words):
        return "it is too short to say anything"
    if length > max_words:
        return f"it has {length} words, and {max_words} were asked for at most"
    if len(text) > LETTERS * max_words:
        return f"it has {len(text)} characters, too many for {max_words} words"
    return ""


def _grounds(
    text: str, written: Written, prompt: Prompt, article: Article
) -> tuple[tuple[Span, ...], tuple[str, ...]]:
    """Return the sentences a takeaway rests on and its problems; the model's own where none was found."""
    grounded = ground(text, article)
    named = (number for number in dict.fromkeys(written.sentences) if 1 <= number <= len(prompt.sentences))
    own = tuple(prompt.sentences[number - 1] for number in sorted(named))
    support = grounded.support or own
    nothing = () if support or grounded.problems else ("no sentence of the article says it",)
    return support, (*grounded.problems, *nothing)


def _nothing_said(text: str, language: str | None) -> str:
    """Say that a text has none but words like "this" and "was", which every article bears out."""
    return "" if _stems(text, language) else "none of its words says anything"


def _place_problem(text: str, support: Sequence[Span], withheld: Sequence[Span]) -> str:
    if gives_orders(text) or overlaps(support, withheld):
        return "it repeats a passage of the article that gives orders to a language model"
    return ""


def overlaps(spans: Iterable[Span], others: Sequence[Span]) -> bool:
    """Tell whether any of some places has a character in common with any of others."""
    return any(span.start < other.end and other.start < span.end for span in spans for other in others)


def repeats(takeaway: Takeaway, others: Iterable[Takeaway], language: str | None) -> bool:
    """Tell whether one of `others` says the same in about the same words."""
    ours = _stems(takeaway.text, language)
    return any(_is_like(ours, _stems(other.text, language)) for other in others)


def _is_like(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    shorter = min(len(ours), len(theirs))
    return shorter == 0 or len(ours & theirs) >= LIKE * shorter


def _stems(text: str, language: str | None) -> frozenset[str]:
    return frozenset(stems(words(text), get_language(language)))
