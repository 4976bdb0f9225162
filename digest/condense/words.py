"""Words and their stems: what sentences are compared by."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

from digest.condense.language import Language

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"

# Vowel signs and accents that stand after a letter are no letters to `re`: the combining ones, and those of
# the Indic and Thai blocks (without the dandas, which end sentences).
_MARKS = "\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff"

WORD = re.compile(rf"[{CJK}]|(?:[^\W\d_{CJK}]|[{_MARKS}])+|\d+(?:[.,:]\d+)*")
"""A run of letters, a number with its separators, or one CJK character."""

_IDEOGRAPH = re.compile(f"[{CJK}]")
_SPACED = re.compile(r"\w\S*")

_stemmers = threading.local()


def words(text: str) -> list[str]:
    """Return the words of `text`, case-folded, in order. An apostrophe parts two words: l'État, don't."""
    return WORD.findall(text.casefold())


def count_words(text: str) -> int:
    """Return the length of `text` in words as a reader counts them; two CJK characters count as one word."""
    ideographs = 0 if text.isascii() else len(_IDEOGRAPH.findall(text))
    spaced = len(_SPACED.findall(_IDEOGRAPH.sub(" ", text))) if ideographs else len(_SPACED.findall(text))
    return spaced + (ideographs + 1) // 2


def stems(words_: Iterable[str], language: Language) -> list[str]:
    """Return the stems of the words that carry a subject, in order, with repeats.

    Where the language has no list of function words, words of one or two letters count as such.
    """
    if language.stop:
        stop = language.stop
        kept = [word for word in words_ if word not in stop and (len(word) > 1 or not _is_letter(word))]
    else:
        kept = [word for word in words_ if len(word) > 2 or not word.isascii() or word.isdigit()]
    if language.stemmer is None:
        return kept
    return [_stem(word, language.stemmer) for word in kept]


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii() and word.isalpha()


@lru_cache(maxsize=50_000)
def _stem(word: str, algorithm: str) -> str:
    # A Snowball stemmer keeps the word it works on, so each thread has its own.
    stemmer = getattr(_stemmers, algorithm, None)
    if stemmer is None:
        stemmer = snowballstemmer.stemmer(algorithm)
        setattr(_stemmers, algorithm, stemmer)
    stem: str = stemmer.stemWord(word)
    return stem
