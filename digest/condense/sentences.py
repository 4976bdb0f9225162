"""Where sentences begin and end, by rules that know a language's abbreviations."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from digest.condense.language import Language, get_language
from digest.domain.articles import Span

# German closes with “ and ‘, which elsewhere open; what opens has a space before it, so none follows a stop.
_CLOSERS = "\"'”’“‘»›)\\]」』）】〉》"
_OPENERS = "\"'“‘«‹„‚(\\[¿¡—–\\-"

_CJK_CLOSERS = "\"'”’»›)\\]」』）】〉》"
_SAYING = "[^。！？，]{0,14}(?:说|道|表示|称|指出)[。，]"
"""Chinese: who said what was quoted, without a comma before."""

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Chinese and Japanese: no space after a sentence. Korean has one."""

_BULLETS_AND_SPACE = "•▪●◦‣" + string.whitespace + "\u00a0\u2003\u2009\u202f\u3000"

_STOP = re.compile(
    rf"(?P<hard>\n\s*\n|\s[•▪●◦‣]\s)"
    rf"|(?P<cjk>[。！？｡]+(?:[{_CJK_CLOSERS}]+(?![ぁ-ん]|{_SAYING}))?(?![{_CJK_CLOSERS}]))"
    rf"|(?<![.!?…؟।۔])(?P<end>[.!?…؟।۔]+)(?:[{_CLOSERS}]|\s»(?!\w))*(?!\s»(?!\w))(?=\s|[{_UNSPACED}]|$)"
)
_LAST_WORD = re.compile(r"(?:[^\W_]|[.'’])+$")
_FIRST_WORD = re.compile(rf"[{_OPENERS}\s]*(?P<word>[^\W_]*)")
_DASH = re.compile(r"\s*[—–-]")
_WORDY = re.compile(r"\w")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")


def split_sentences(text: str, language: str | None) -> list[Span]:
    """Return the sentences of `text` in order: without overlap, trimmed of white space and bullets.

    A blank line always ends a sentence, so a headline without a full stop stands alone. Every word
    belongs to a sentence, and every sentence has one. `language` is an ISO 639-1 code; an unknown one
    is split by punctuation and capitals alone.
    """
    spans: list[Span] = []
    for start, end in _pieces(text, get_language(language)):
        span = _trimmed(text, start, end)
        if _WORDY.search(text, span.start, span.end):
            spans.append(span)
        elif spans and span.start < span.end and "\n" not in text[spans[-1].end : span.start]:
            spans[-1] = Span(spans[-1].start, span.end)
    return spans


def _pieces(text: str, language: Language) -> Iterator[tuple[int, int]]:
    start = 0
    for stop in _STOP.finditer(text):
        if stop["hard"] is not None:
            yield start, stop.start()
            start = stop.end()
        elif stop["cjk"] is not None or _ends_sentence(text, stop, language):
            yield start, stop.end()
            start = stop.end()
    yield start, len(text)


def _ends_sentence(text: str, stop: re.Match[str], language: Language) -> bool:
    first = _FIRST_WORD.match(text, stop.end())
    next_word = first["word"] if first else ""
    if next_word[:1].islower():
        return False
    if stop["end"] != ".":
        return True
    before = _LAST_WORD.search(text, max(0, stop.start() - 40), stop.start())
    if before is None:
        return True
    if _DASH.match(text, stop.end()) and _may_end(before[0], language):
        return False  # WASHINGTON, D.C. — The Senate …
    return not _is_abbreviated(before[0], next_word, language)


def _is_abbreviated(word: str, next_word: str, language: Language) -> bool:
    """Tell whether the full stop after `word` belongs to it rather than to the sentence."""
    folded = word.casefold().rpartition("'")[2].rpartition("’")[2]
    if folded in language.abbreviations or (
        len(word) == 1 and word.islower() and not _may_end(word, language)
    ):
        return True  # a single small letter is half of an abbreviation: z. B., i. e.
    is_numbered = folded in language.abbreviations_number or folded.endswith(tuple(language.abbreviated_ends))
    if is_numbered and next_word[:1].isdecimal():
        return True  # Nr. 4, Industriestr. 12
    return _may_end(word, language) and next_word != "" and next_word.casefold() not in language.stop


def _may_end(word: str, language: Language) -> bool:
    """Tell whether a word is shortened by its full stop where it stands, yet could also end a sentence."""
    return (
        word.casefold() in language.abbreviations_final
        or _DOTTED.fullmatch(word) is not None
        or (len(word) == 1 and word.isupper())
        or (language.ordinal_dot and word.isdecimal() and len(word) <= 2)
    )


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end].rstrip()
    return Span(start + len(piece) - len(piece.lstrip(_BULLETS_AND_SPACE)), start + len(piece))
