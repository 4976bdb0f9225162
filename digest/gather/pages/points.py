"""The points of a publisher's list: each once, word for word, without what advertises between them.

Of a list in a list an editor wants what can stand alone:

- below a mere label ("What changes:", a few words, a short bold line) the points are the lower ones;
- below a statement they are its details. Where all of them are short sentences, one point tells statement and
  details as the page does; else the statement alone is the point, and the article tells the details.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from lxml.etree import _Element

from digest.gather.markup import INLINE, UNSEEN, text_of
from digest.gather.pages.promotions import is_promotion
from digest.gather.pages.survey import Survey
from digest.gather.plain import comparable, plain_line, word_count

POINTS_MOST = 12
POINT_WORDS_MOST = 80
_POINT_WORDS_LEAST = 3
_FOLDED_MOST = 45
_LABEL_WORDS = 3
_BOLD_LABEL_WORDS = 6
_FACT_WORDS = 6

LISTS = frozenset({"ul", "ol"})
_BOLD = frozenset({"b", "strong"})
_LINE_BREAK = "\x1f"
# »So« begins a quotation in German; a bullet of that form has a space behind it.
_BULLET = re.compile(r"\s*(?:[•‣▪▫●○◦∙·✓✔☑✅➤►▶▸→]\ufe0f?\s*|(?:[»*–—-]|\d{1,2}[.)])\s+)")
_INNER_BULLET = re.compile(r"\s+[•‣▪●◦∙]\s*")
_SENTENCE = re.compile(r".*[.!?…]['\"”’»)\]]*$", re.DOTALL)
_FACT = re.compile(r"[^:]{1,30}:\s")


@dataclass(frozen=True, slots=True)
class _Entry:
    """An item of a list: its own words, and the items of the lists in it."""

    text: str
    is_bold: bool = False
    parts: tuple[_Entry, ...] = ()


def points_of(listing: _Element, survey: Survey) -> tuple[str, ...]:
    """Return the points of a `ul` or `ol` in its order, each once; what promotes other things is left out."""
    entries = [
        entry
        for item in _items_of(listing)
        for entry in _entries_of(item)
        if not _is_detour(item, survey) or _are_mostly_links(listing, survey)
    ]
    return without_promotions(point for entry in _joined(entries) for point in _points(entry))


def without_promotions(lines: Collection[str] | Iterator[str]) -> tuple[str, ...]:
    """Return the lines that are points: no "Read more: …", no sign-up, no share bar, none twice."""
    return tuple(dict.fromkeys(line for line in lines if line and not is_promotion(line)))


def are_points(lines: Sequence[str], *, least: int, words_most: int = POINT_WORDS_MOST) -> bool:
    """Say whether lines can be a publisher's points: few, neither words nor essays, no questions, no data."""
    if not least <= len(lines) <= POINTS_MOST:
        return False
    if max(map(word_count, lines)) > words_most:
        return False
    scanty = sum(word_count(line) < _POINT_WORDS_LEAST for line in lines)
    asking = sum(line.endswith(("?", "?»", "?”")) for line in lines)
    facts = sum(word_count(line) <= _FACT_WORDS and bool(_FACT.match(line)) for line in lines)
    return 3 * scanty <= len(lines) and 2 * asking < len(lines) and 2 * facts < len(lines)


def lines_of(element: _Element, *, without: Collection[str] = ()) -> list[str]:
    """Return what readers see of an element, a line for each block, cell and `<br>`; none is empty.

    The text of tags in `without` is left out.
    """
    parts: list[str] = [element.text or ""]
    if element.tag not in UNSEEN:
        _collect(element, without, parts)
    return [line for part in "".join(parts).split(_LINE_BREAK) if (line := plain_line(part))]


def _collect(element: _Element, without: Collection[str], parts: list[str]) -> None:
    """Add the text under an element to `parts`. The parser nests nothing deeper than 256."""
    for child in element:
        gap = "" if child.tag in INLINE else _LINE_BREAK
        parts.append(gap)
        if child.tag not in UNSEEN and child.tag not in without and isinstance(child.tag, str):
            parts.append(child.text or "")
            _collect(child, without, parts)
        parts += (gap, child.tail or "")


def has_bullet(line: str) -> bool:
    """Say whether a line begins with a sign or number that sets points apart."""
    return _BULLET.match(line) is not None


def bulleted(line: str) -> list[str]:
    """Return the points of a line that begins with a bullet: one, or several where they share the line."""
    return [point for point in _INNER_BULLET.split(_without_bullet(line)) if point]


def _items_of(listing: _Element) -> Iterator[_Element]:
    """Yield the items of a list in order, and lists that stand between them; what wraps items is opened."""
    for child in listing:
        if child.tag == "li" or child.tag in LISTS:
            yield child
        elif isinstance(child.tag, str):
            yield from _items_of(child)


def _entries_of(item: _Element) -> tuple[_Entry, ...]:
    """Return one entry for an item; for a list between items one without words, whose parts are its items."""
    if item.tag in LISTS:
        return (_Entry("", parts=_below(item)),)
    text = " ".join(lines_of(item, without=LISTS))
    bold = " ".join(text_of(part) for part in item if part.tag in _BOLD)
    parts = tuple(entry for inner in _outermost_lists(item) for entry in _below(inner))
    return (_Entry(_as_typed(text), bool(text) and comparable(bold) == comparable(text), parts),)


def _below(listing: _Element) -> tuple[_Entry, ...]:
    return _joined([entry for item in _items_of(listing) for entry in _entries_of(item)])


def _joined(entries: Sequence[_Entry]) -> tuple[_Entry, ...]:
    """Return entries with each list that stood between items in the item before it, where it belongs."""
    found: list[_Entry] = []
    for entry in entries:
        if not entry.text and found:
            found[-1] = replace(found[-1], parts=(*found[-1].parts, *entry.parts))
        else:
            found.append(entry)
    return tuple(found)


def _outermost_lists(element: _Element) -> Iterator[_Element]:
    for child in element:
        if child.tag in LISTS:
            yield child
        else:
            yield from _outermost_lists(child)


def _as_typed(text: str) -> str:
    """Return an item without a bullet typed into it. A number stays: it may be what the item says."""
    return text if text[:1].isdigit() else _without_bullet(text)


def _without_bullet(line: str) -> str:
    bullet = _BULLET.match(line)
    return line[bullet.end() :] if bullet else line


def _points(entry: _Entry) -> list[str]:
    """Return what an item says that can stand alone, nothing where it leads elsewhere."""
    if is_promotion(entry.text):
        return []
    details = [point for part in entry.parts for point in _points(part)]
    if details and _is_mere_label(entry):
        return details
    told = (entry.text, *details)
    whole = " ".join(told)
    reads_on = word_count(whole) <= _FOLDED_MOST and all(map(_SENTENCE.match, told))
    return [whole if reads_on else entry.text]


def _is_mere_label(entry: _Entry) -> bool:
    words = word_count(entry.text)
    if words <= _LABEL_WORDS or entry.text.endswith((":", "?")):
        return True
    return entry.is_bold and words <= _BOLD_LABEL_WORDS and not _SENTENCE.match(entry.text)


def _is_detour(item: _Element, survey: Survey) -> bool:
    """Say whether an item is nothing but the linked headline of something else."""
    return survey.link_share(item) > 0.9 and not _SENTENCE.match(text_of(item))


def _are_mostly_links(listing: _Element, survey: Survey) -> bool:
    return survey.link_share(listing) > 0.5
