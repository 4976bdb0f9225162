"""A tree of markup to blocks: HTML as feeds carry it, or the XML that trafilatura makes of a page."""

from __future__ import annotations

from lxml import etree

from digest.domain.articles import Block, BlockKind
from digest.gather.markup import INLINE
from digest.gather.plain import plain_line

_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "head"), BlockKind.HEADING),
    **dict.fromkeys(("li", "item", "dt", "dd"), BlockKind.LIST_ITEM),
    **dict.fromkeys(("blockquote", "quote"), BlockKind.QUOTE),
    **dict.fromkeys(("tr", "row"), BlockKind.TABLE_ROW),
    **dict.fromkeys(("pre", "code"), BlockKind.CODE),
}
_CELLS = frozenset({"td", "th", "cell"})
_BREAKS = frozenset({"br", "lb"})
_SKIPPED = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "form", "button"}
    | {"select", "textarea", "figcaption"}
)
_CELL_MARK = "\x1f"


def blocks_of(root: etree._Element) -> tuple[Block, ...]:
    """Return the text under `root` as blocks in reading order; none of them is empty.

    Paragraphs inside a quote or a list item keep its kind; two line breaks end a paragraph; the cells of a
    table row are joined by ` | `; captions, forms and scripts are left out.
    """
    return _Reading(root).blocks()


class _Reading:
    """One walk through a tree: the text since the last boundary, and the kinds it is inside of."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._kinds = [BlockKind.PARAGRAPH]
        self._text: list[str] = []
        self._blocks: list[Block] = []

    def blocks(self) -> tuple[Block, ...]:
        walk = etree.iterwalk(self._root, events=("start", "end"))
        for event, element in walk:
            if event == "start":
                if element.tag in _SKIPPED:
                    walk.skip_subtree()
                else:
                    self._enter(element)
            else:
                self._leave(element)
        self._end_block()
        return tuple(self._blocks)

    def _enter(self, element: etree._Element) -> None:
        if element.tag in _BREAKS:
            self._break_line()
        elif not self._is_inline(element):
            self._boundary(element)
            self._kinds.append(_KINDS.get(str(element.tag), self._kinds[-1]))
        self._text.append(element.text or "")

    def _leave(self, element: etree._Element) -> None:
        if element.tag not in _SKIPPED and element.tag not in _BREAKS and not self._is_inline(element):
            self._boundary(element)
            self._kinds.pop()
        if element is not self._root:
            self._text.append(element.tail or "")

    def _boundary(self, element: etree._Element) -> None:
        """End the block before or after `element`; inside a table row only cells count."""
        if BlockKind.TABLE_ROW not in self._kinds or _KINDS.get(str(element.tag)) is BlockKind.TABLE_ROW:
            self._end_block()
        else:
            self._text.append(_CELL_MARK if element.tag in _CELLS else " ")

    def _break_line(self) -> None:
        last = next((part for part in reversed(self._text) if part.strip(" \t")), "")
        if last.rstrip(" \t").endswith("\n") and BlockKind.TABLE_ROW not in self._kinds:
            self._end_block()
        else:
            self._text.append("\n")

    def _end_block(self) -> None:
        cells = [plain_line(cell) for cell in "".join(self._text).split(_CELL_MARK)]
        self._text = []
        filled = [cell for cell in cells if cell]
        kind = self._kinds[-1]
        if kind is BlockKind.TABLE_ROW and len(filled) == 1:
            kind = BlockKind.PARAGRAPH
        if filled:
            self._blocks.append(Block(kind, " | ".join(filled)))

    def _is_inline(self, element: etree._Element) -> bool:
        """Say whether `element` continues the line: `code` does unless it stands by itself."""
        if not isinstance(element.tag, str):
            return True
        parent = element.getparent()
        alone = element.tag == "code" and (parent is None or parent.tag in ("body", "pre", "div"))
        return element.tag in INLINE and not alone
