"""The publisher's own takeaways: found in the page, and put back where extraction lost or flattened them.

Extractors take a box of bullet points for furniture; a later stage takes it for the best summary there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lxml.etree import _Element

from digest.domain.articles import Block, BlockKind
from digest.gather.markup import text_of
from digest.gather.pages.phrases import is_takeaways_label
from digest.gather.pages.survey import Survey
from digest.gather.plain import comparable, word_count

_MIN_ITEMS, _MAX_ITEMS = 2, 12
_MAX_ITEM_WORDS = 80
_ITEM_MOST = 12 * _MAX_ITEM_WORDS
_LIST_MOST = _MAX_ITEMS * _ITEM_MOST
_BESIDE_MOST = 180
_LABEL_MOST = 60
_LEVELS = 4
_LABEL_TAGS = ("h2", "h3", "h4", "h5", "h6", "p", "strong", "b", "span", "div", "summary", "dt", "legend")
_BULLET = re.compile(r"^\s*[•‣▪●◦∙·*–—-]\s+")


@dataclass(frozen=True, slots=True)
class Highlights:
    """One list of takeaways: its heading, its items in order, and the lines that follow it on the page."""

    heading: str
    items: tuple[str, ...]
    following: tuple[str, ...]

    def blocks(self) -> tuple[Block, ...]:
        """Return the heading and its items as an article holds them."""
        return (
            Block(BlockKind.HEADING, self.heading),
            *(Block(BlockKind.LIST_ITEM, item) for item in self.items),
        )


def find_highlights(tree: _Element, survey: Survey) -> Highlights | None:
    """Return the first list of takeaways in a page, None when it has none.

    That is a line that `is_takeaways_label`, followed by a list of 2 to 12 items that are not links, or by
    as many paragraphs that begin with a bullet.
    """
    for label in tree.iter(*_LABEL_TAGS):
        heading = survey.short_text(label, _LABEL_MOST)
        if heading and is_takeaways_label(heading):
            found = _list_after(label, survey) or _bullets_after(label, survey)
            if found:
                items, last = found
                return Highlights(heading.rstrip(" :"), items, tuple(islice(_lines_after(last), 40)))
    return None


def with_highlights(blocks: Sequence[Block], highlights: Highlights | None) -> tuple[Block, ...]:
    """Return `blocks` with the takeaways as a heading and its list items, in their place on the page."""
    if highlights is None:
        return tuple(blocks)
    parts = {comparable(highlights.heading), *map(comparable, highlights.items)}
    place = _place(blocks, highlights, parts)
    before = [block for block in blocks[:place] if comparable(block.text) not in parts]
    after = [block for block in blocks[place:] if comparable(block.text) not in parts]
    return (*before, *highlights.blocks(), *after)


def _place(blocks: Sequence[Block], highlights: Highlights, parts: set[str]) -> int:
    """Return where the list belongs: where extraction left it, else before the first line that follows it."""
    for index, block in enumerate(blocks):
        if comparable(block.text) in parts:
            return index
    following = set(map(comparable, highlights.following))
    return next((index for index, block in enumerate(blocks) if comparable(block.text) in following), 0)


def _list_after(label: _Element, survey: Survey) -> tuple[tuple[str, ...], _Element] | None:
    """Return the items of the list that comes next after `label`, and the list itself."""
    for element in _after(label):
        listing = next(element.iter("ul", "ol"), None)
        if listing is not None and survey.length(element) - survey.length(listing) < _BESIDE_MOST:
            if survey.length(listing) > _LIST_MOST:
                return None
            items = tuple(text for item in listing.iter("li") if (text := text_of(item)))
            return (items, listing) if _are_takeaways(items) and survey.link_share(listing) < 0.8 else None
        if survey.length(element):
            return None
    return None


def _bullets_after(label: _Element, survey: Survey) -> tuple[tuple[str, ...], _Element] | None:
    """Return the paragraphs with bullets that come next after `label`, and the last of them."""
    items: list[str] = []
    last = label
    for element in _after(label):
        text = survey.short_text(element, _ITEM_MOST)
        if not _BULLET.match(text) or len(items) > _MAX_ITEMS:
            break
        items.append(_BULLET.sub("", text))
        last = element
    return (tuple(items), last) if _are_takeaways(items) else None


def _after(label: _Element) -> Iterator[_Element]:
    """Yield what follows a label beside it, or beside the wrappers it is alone in."""
    current: _Element | None = label
    for _ in range(_LEVELS):
        if current is None or current.tag == "body":
            return
        if current.getnext() is not None:
            yield from current.itersiblings()
            return
        current = current.getparent()


def _are_takeaways(items: Sequence[str]) -> bool:
    return _MIN_ITEMS <= len(items) <= _MAX_ITEMS and all(
        3 <= word_count(item) <= _MAX_ITEM_WORDS for item in items
    )


def _lines_after(element: _Element) -> Iterator[str]:
    """Yield the lines that follow an element in reading order, from the boxes around it outwards."""
    current: _Element | None = element
    while current is not None and current.tag != "body":
        for sibling in current.itersiblings():
            yield from map(text_of, sibling.iter("p", "h2", "h3", "li"))
        current = current.getparent()
