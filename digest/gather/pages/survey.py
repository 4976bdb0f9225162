"""How much text each part of a page holds, and how much of it in links: measured once, asked often.

Asking every element of a page for its own text is quadratic in the depth of its boxes; one walk is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml.etree import _Element

from digest.gather.markup import UNSEEN, text_of


class Survey:
    """The measures of a tree, kept right while parts are taken out through `remove`.

    Lengths are characters that readers see, without the spaces around each run of text.
    """

    def __init__(self, tree: _Element) -> None:
        # The list keeps lxml's objects alive: making them anew at every visit would cost more than the rest.
        self._elements = [element for element in tree.iter() if isinstance(element.tag, str)]
        self._lengths = dict.fromkeys(self._elements, 0)
        self._linked: dict[_Element, int] = dict.fromkeys(self._elements, 0)
        self._texts: dict[_Element, str] = {}
        self._removed: set[_Element] = set()
        self._measure()

    def _measure(self) -> None:
        """Add every element's text to its parent's, the innermost first."""
        lengths, linked = self._lengths, self._linked
        for element in reversed(self._elements):
            tag = element.tag
            if tag in UNSEEN:
                length = link = 0
            else:
                length = lengths[element] + len((element.text or "").strip())
                link = length if tag == "a" and element.get("href") else linked[element]
            lengths[element], linked[element] = length, link
            parent = element.getparent()
            if parent is not None:
                lengths[parent] += length + len((element.tail or "").strip())
                linked[parent] += link

    def length(self, element: _Element) -> int:
        """Return how many characters readers see of an element."""
        return self._lengths.get(element, 0)

    def link_share(self, element: _Element) -> float:
        """Return how much of an element's text is inside links, 0 to 1. Without text it is 0."""
        total = self.length(element)
        return min(1.0, self._linked.get(element, 0) / total) if total else 0.0

    def short_text(self, element: _Element, most: int) -> str:
        """Return an element's text when that is at most `most` characters, else ''."""
        if not 0 < self.length(element) <= most:
            return ""
        text = self._texts.get(element)
        if text is None:
            text = self._texts[element] = text_of(element)
        return text

    def inside(self, element: _Element, *tags: str) -> Iterator[_Element]:
        """Yield what is left of `tags` under `element`, it included, in reading order."""
        return (found for found in element.iter(*tags) if found not in self._removed)

    def is_left(self, element: _Element) -> bool:
        """Say whether an element is still in the tree."""
        return element not in self._removed

    def remove(self, element: _Element) -> None:
        """Take an element out of the tree and leave the text after it where it was."""
        parent = element.getparent()
        if parent is None:
            return
        self._removed.update(element.iter())
        length, link = self.length(element), self._linked.get(element, 0)
        current: _Element | None = parent
        while current is not None:
            self._lengths[current] -= length
            self._linked[current] -= link
            self._texts.pop(current, None)
            current = current.getparent()
        _unlink(parent, element)


def _unlink(parent: _Element, element: _Element) -> None:
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    element.tail = None
    parent.remove(element)
