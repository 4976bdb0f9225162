"""The publisher's own takeaways: found in the page, and put back where extraction lost or flattened them.

Extractors take a box of bullet points for furniture; a later stage takes it for the best summary there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lxml.etree import _Element

from digest.domain.articles import Block, BlockKind
from digest.gather.markup import text_of
from digest.gather.pages.boxes import Found, find_under
from digest.gather.pages.labels import Label, labels_in
from digest.gather.pages.survey import Survey
from digest.gather.plain import comparable

_LABELS_MOST = 40
_FOLLOWING = 40
_LINE_LEAST = 4


@dataclass(frozen=True, slots=True)
class Highlights:
    """A summary by the publisher: its heading, its items in order, and the lines that follow it on the page.

    `lines` is all that the page shows as it, promotions and details between the items too. With `is_prose`
    the one item is a paragraph of several sentences.
    """

    heading: str
    items: tuple[str, ...]
    following: tuple[str, ...]
    lines: tuple[str, ...] = ()
    is_prose: bool = False

    def blocks(self) -> tuple[Block, ...]:
        """Return the heading and its items as an article holds them; prose stands behind its label."""
        if self.is_prose:
            return (Block(BlockKind.PARAGRAPH, f"{self.heading}: {self.items[0]}"),)
        return (
            Block(BlockKind.HEADING, self.heading),
            *(Block(BlockKind.LIST_ITEM, item) for item in self.items),
        )

    def shows(self, block: Block) -> bool:
        """Say whether a block is a part of what the page shows as this summary, lines of it joined too."""
        text = _letters(block.text)
        told = list(map(_letters, (self.heading, *self.lines)))
        if text in told or text in map(_letters, self.items):
            return True
        # A heading of the article may say a part of a point; what was joined here has a whole line in it.
        joins = any(len(line) >= _LINE_LEAST and line in text for line in told)
        return joins and text in "".join(told)


def find_highlights(tree: _Element, survey: Survey) -> Highlights | None:
    """Return the first summary a publisher printed in a page, None when it has none.

    That is a line that `is_takeaways_label`, with a list, lines with bullets, a small box of lines or one
    paragraph below or behind it (`boxes`). Of lists in lists `points` says what a point is.
    """
    for label in islice(labels_in(tree, survey), _LABELS_MOST):
        found = find_under(label, survey)
        if found:
            return _highlights(label, found)
    return None


def with_highlights(blocks: Sequence[Block], highlights: Highlights | None) -> tuple[Block, ...]:
    """Return `blocks` with the summary as a heading and its list items, in its place on the page."""
    if highlights is None:
        return tuple(blocks)
    shown = [highlights.shows(block) for block in blocks]
    place = shown.index(True) if True in shown else _place(blocks, highlights)
    kept = [(index, block) for index, block in enumerate(blocks) if not shown[index]]
    before = [block for index, block in kept if index < place]
    after = [block for index, block in kept if index >= place]
    return (*before, *highlights.blocks(), *_parted(after))


def _parted(after: list[Block]) -> list[Block]:
    """Return what follows a summary, so that no other list's first item reads as one more of its points."""
    if after and after[0].kind is BlockKind.LIST_ITEM:
        return [Block(BlockKind.PARAGRAPH, after[0].text), *after[1:]]
    return after


def _highlights(label: Label, found: Found) -> Highlights:
    following = tuple(islice(_lines_after(found.last), _FOLLOWING))
    return Highlights(label.text.rstrip(" :–—-"), found.points, following, found.lines, found.is_prose)


def _place(blocks: Sequence[Block], highlights: Highlights) -> int:
    """Return where a summary belongs that extraction lost: before the first line that follows it."""
    following = set(map(comparable, highlights.following))
    return next((index for index, block in enumerate(blocks) if comparable(block.text) in following), 0)


def _letters(text: str) -> str:
    """Return a line's letters and digits only: extraction glues the lines of a box together."""
    return comparable(text).replace(" ", "")


def _lines_after(element: _Element) -> Iterator[str]:
    """Yield the lines that follow an element in reading order, from the boxes around it outwards."""
    current: _Element | None = element
    while current is not None and current.tag != "body":
        for sibling in current.itersiblings():
            yield from map(text_of, sibling.iter("p", "h2", "h3", "li"))
        current = current.getparent()
