"""The figures of a text: 1.2 million is 1,200,000 is 1,2 Mio.; a third, four in ten, about 40 percent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import zip_longest

from digest.condense.grounding.lexicon import Lexicon, Unit, find_unit
from digest.condense.grounding.reading import Kind, Token

SHARE = Unit("share", 1)
_PLAIN = Unit("", 1)
_SUFFIXES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "tn": 1e12}
_SPACES = re.compile(r"[\u00a0\u202f\u2009'’ ]")
LOOSE = 100
"""From here on a word alone counts nothing: hundreds, a multi-billion company."""
_MOST_DIGITS = 24


class Hedge(Enum):
    """How a figure is made less than exact."""

    EXACT = "exact"
    ABOUT = "about"
    NEARLY = "nearly"
    OVER = "over"
    UNDER = "under"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, the tokens `[first, last]` that make it, and its words in the text.

    `readings` are what it may stand for: 1.200 is one or the other, "third" 3 or 1/3. `unit` is what it
    counts, with an empty dimension when that is not known. `may_be_loose`: a word such as "a" or "both"
    that need not count anything. `scale` is 1e6 for so many million.
    """

    first: int
    last: int
    text: str
    readings: tuple[float, ...]
    unit: Unit = _PLAIN
    hedge: Hedge = Hedge.EXACT
    may_be_loose: bool = False
    scale: float = 1.0


def read_figures(text: str, tokens: Sequence[Token], lexicon: Lexicon) -> list[Figure]:
    """Return the figures of a text in order. A word for 1 is one of them only if a unit or scale follows."""
    figures: list[Figure] = []
    at = 0
    while at < len(tokens):
        read = _read_at(tokens, at, lexicon)
        if read is None:
            at += 1
            continue
        figure = _finished(text, tokens, read, lexicon)
        figures.append(figure)
        at = figure.last + 1
    return [_as_in_range(figure, tokens, after) for figure, after in zip_longest(figures, figures[1:])]


def _as_in_range(figure: Figure, tokens: Sequence[Token], after: Figure | None) -> Figure:
    """Let "from 19 to 12 million euros" be 19 million euros too."""
    if (
        after is None
        or after.first - figure.last != 2
        or figure.unit.dimension
        or after.scale == figure.scale
    ):
        return figure
    between = tokens[figure.last + 1]
    if between.kind is Kind.MARK and between.text not in "-–—":
        return figure
    readings = (*figure.readings, *(reading * after.scale for reading in figure.readings))
    return replace(figure, readings=readings)


@dataclass(frozen=True, slots=True)
class _Number:
    """What stands at `[first, last]`, before its unit is read."""

    first: int
    last: int
    readings: tuple[float, ...]
    is_share: bool = False
    is_loose: bool = False
    scale: float = 1.0


def _read_at(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> _Number | None:
    token = tokens[at]
    if token.kind is Kind.NUMBER:
        number = _scaled(tokens, _Number(at, at, _digits(token.text, lexicon)), lexicon)
    elif token.kind is Kind.CODE and token.text[0].isdigit():
        return None
    elif token.kind is Kind.WORD:
        spelled = _spelled(tokens, at, lexicon)
        if spelled is None:
            return None
        number = spelled
    else:
        return None
    return _share(tokens, number, lexicon) or number


def _digits(written: str, lexicon: Lexicon) -> tuple[float, ...]:
    """Return what a number in digits may stand for, as any language writes it; infinity for none."""
    plain = _SPACES.sub("", written)
    if len(plain) > _MOST_DIGITS:
        return (float("inf"),)
    hours, colon, minutes = plain.partition(":")
    if colon:
        is_time = hours.isdecimal() and minutes.isdecimal()
        return (float(f"{hours}.{minutes}") if is_time else float("inf"),)
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        return (float(plain),)
    head, _, tail = plain.rpartition(marks[-1])
    whole = re.sub("[.,]", "", head)
    if len(set(marks)) > 1:
        return (float(f"{whole}.{tail}"),)
    if len(marks) > 1:
        return (float(whole + tail),)
    if len(tail) == 3 and len(head) <= 3 and head != "0":
        both = (float(whole + tail), float(f"{whole}.{tail}"))
        return both if marks[0] == lexicon.thousands else both[::-1]
    return (float(f"{whole}.{tail}"),)


def _scaled(tokens: Sequence[Token], number: _Number, lexicon: Lexicon) -> _Number:
    """Take the words after a number that multiply it: million, Mrd., mil millones."""
    last, readings, product = number.last, number.readings, 1.0
    while (after := _word_at(tokens, last + 1)) is not None:
        scale = lexicon.numbers.get(after) or _SUFFIXES.get(after, 0)
        if scale < 1000:
            break
        is_letter = after in ("m", "k")
        last, product = last + 1, product * scale
        # 6.2m may be metres.
        readings = tuple(reading * scale for reading in readings) + (readings if is_letter else ())
    return _Number(number.first, last, readings, number.is_share, scale=product)


def _word_at(tokens: Sequence[Token], at: int) -> str | None:
    return tokens[at].folded if at < len(tokens) and tokens[at].kind is Kind.WORD else None


def _spelled(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> _Number | None:
    """Read a number in words: twenty-three, two hundred and fifty, two thirds, third, dreiundzwanzig."""
    word = tokens[at].folded
    if word in lexicon.fractions and word not in lexicon.numbers:
        if _is_compound(tokens, at, lexicon):
            return None
        is_third_or_so = (lexicon.ordinals[word],) if word in lexicon.ordinals else ()
        return _Number(at, at, (*is_third_or_so, lexicon.fractions[word]), is_share=True)
    if word in lexicon.ordinals:
        return _Number(at, at, (lexicon.ordinals[word],))
    if word in lexicon.ones:
        return _from_one(tokens, at, lexicon)
    total, last = _cardinal(tokens, at, lexicon)
    if total is None:
        return None
    return _Number(at, last, (total,), is_loose=last == at and (word in lexicon.pairs or total >= LOOSE))


def _is_compound(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> bool:
    """Tell whether a fraction is part of another word, as in half-time and quarter-final."""
    if at + 2 >= len(tokens) or tokens[at + 1].text != "-":
        return False
    after = tokens[at + 2].folded
    return after not in lexicon.fractions and find_unit(after) is None


def _from_one(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> _Number:
    """Read what begins with a word for 1: one million, a third, or 1 itself."""
    after = _word_at(tokens, at + 1)
    if after is not None and after in lexicon.fractions:
        return _Number(at, at + 1, (lexicon.fractions[after],), is_share=True)
    if after is not None and lexicon.numbers.get(after, 0) >= 12:
        total, last = _cardinal(tokens, at + 1, lexicon)
        return _Number(at, last, (total or 1.0,))
    return _Number(at, at, (1.0,), is_loose=True)


def _cardinal(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[float | None, int]:
    """Return the number that words from `at` on spell, and the last token of it; None for no number."""
    total, group, last, smallest = 0.0, 0.0, at, float("inf")
    place = at
    while place < len(tokens):
        value = _value(tokens[place].folded, lexicon) if tokens[place].kind is Kind.WORD else None
        if value is None:
            is_joint = last == place - 1 and place > at and _joins(tokens[place], lexicon)
            if not is_joint or smallest <= 1:
                break
            place += 1
            continue
        if value >= 1000:
            total, group, smallest = total + (group or 1) * value, 0.0, value
        elif value >= 100 and 0 < group < 10:
            group, smallest = group * value, value
        elif value < smallest and (group == 0 or smallest >= 100 or value < 10 <= smallest):
            group, smallest = group + value, value
        else:
            break
        last = place
        place += 1
    return (total + group if last > at or total + group else None), last


def _joins(token: Token, lexicon: Lexicon) -> bool:
    return token.text == "-" or token.folded in lexicon.joiners


def _value(word: str, lexicon: Lexicon) -> float | None:
    value = lexicon.numbers.get(word)
    if value is not None or "und" not in word:
        return value
    unit, _, ten = word.partition("und")
    unit = "eins" if unit == "ein" else unit
    ones = 1.0 if unit == "eins" else lexicon.numbers.get(unit, 0)
    tens = lexicon.numbers.get(ten, 0)
    return tens + ones if 0 < ones < 10 and 20 <= tens < 100 else None


def _share(tokens: Sequence[Token], number: _Number, lexicon: Lexicon) -> _Number | None:
    """Read two thirds, three of four as "four in ten" has it; None when it is no share."""
    after = _word_at(tokens, number.last + 1)
    if after is None or not number.readings:
        return None
    top = number.readings[0]
    if after in lexicon.fractions and after not in lexicon.numbers and not number.is_share and top < 20:
        return _Number(number.first, number.last + 1, (top * lexicon.fractions[after],), is_share=True)
    if after in lexicon.share_of and (word := number.last + 2) < len(tokens):
        token = tokens[word]
        if token.kind is Kind.NUMBER:
            bottom: float | None = _digits(token.text, lexicon)[0]
        else:
            bottom = lexicon.numbers.get(token.folded)
        if bottom in (3, 4, 5, 6, 7, 8, 9, 10, 12, 20, 100) and 0 < top < bottom:
            return _Number(number.first, word, (top / bottom, top), is_share=True)
    return None


def _finished(text: str, tokens: Sequence[Token], number: _Number, lexicon: Lexicon) -> Figure:
    """Give a number its unit and hedge."""
    unit, last = _unit_after(tokens, number.last)
    if unit.dimension == "share" and number.is_share:
        unit, last = SHARE, number.last
    if not unit.dimension:
        unit = _unit_before(tokens, number.first) or (SHARE if number.is_share else unit)
    hedge = _hedge_before(tokens, number.first, lexicon)
    return Figure(
        number.first,
        last,
        text[tokens[number.first].start : tokens[last].end],
        number.readings,
        unit,
        hedge,
        number.is_loose,
        number.scale,
    )


def _unit_after(tokens: Sequence[Token], at: int) -> tuple[Unit, int]:
    """Return the unit after token `at` and the last token of it; a hyphen may stand between."""
    next_ = at + 1
    if next_ < len(tokens) and tokens[next_].text == "-":
        next_ += 1
    if next_ < len(tokens):
        following = tokens[next_ + 1].folded if next_ + 1 < len(tokens) else ""
        unit = find_unit(tokens[next_].folded, following)
        if unit is not None:
            is_pair = find_unit(tokens[next_].folded) is None
            return unit, next_ + is_pair
    return _PLAIN, at


def _unit_before(tokens: Sequence[Token], at: int) -> Unit | None:
    """Return the currency before a number: €27, US$ 3, R$ 920."""
    if at == 0 or (tokens[at - 1].kind is not Kind.MARK and not tokens[at - 1].is_capital):
        return None
    if at > 1 and tokens[at - 1].text == "$" and tokens[at - 2].folded == "r":
        return find_unit("r$")
    unit = find_unit(tokens[at - 1].folded)
    return unit if unit is not None and unit.dimension not in ("share", "degrees", "time") else None


def _hedge_before(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Hedge:
    """Return how the words just before a figure qualify it; articles and currency signs may stand between."""
    words = [token.folded for token in tokens[max(0, at - 5) : at]]
    while words and (
        words[-1] in lexicon.ones or not words[-1][0].isalpha() or words[-1] in ("the", "r", "us")
    ):
        words.pop()
    for hedge, listed in (
        (Hedge.OVER, lexicon.over),
        (Hedge.UNDER, lexicon.under),
        (Hedge.NEARLY, lexicon.nearly),
        (Hedge.ABOUT, lexicon.about),
    ):
        ends_pair = any(
            listed.length_at(words, start, reach=0) == len(words) - start
            for start in range(max(0, len(words) - 2), len(words))
        )
        if ends_pair or (words and words[-1] in listed):
            return hedge
    return Hedge.EXACT
