"""What a piece of HTML holds, and whether its tags are balanced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_SPOKEN = frozenset({"a", "h1", "h2"})
"""Where what a picture stands for is read out as part of the words."""
_MSO_ONLY = re.compile(r"<!--\[if (?!!)[^\]]*\]>|<!\[endif\]-->")
_NOT_MSO = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)

Attributes = list[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Element:
    """A start tag: its name, its attributes ('' for one without a value), its line, the tags around it.

    `number` counts the elements of its outline from 0; `parent` is the nearest element around it.
    """

    name: str
    attributes: dict[str, str]
    line: int
    inside: tuple[str, ...] = ()
    number: int = 0
    parent: Element | None = field(default=None, repr=False, compare=False)

    @property
    def classes(self) -> frozenset[str]:
        """The words of its class attribute."""
        return frozenset(self.attributes.get("class", "").split())


@dataclass(slots=True)
class Outline:
    """The elements of a piece of HTML in order, its title, and what is wrong with its nesting, or ''.

    What stands in comments (Outlook's conditional ones too) is not part of the outline. `owners` are the
    elements that `texts` stand in, one for one; `left_open` those that the end of a piece leaves open.
    """

    elements: list[Element] = field(default_factory=list)
    title: str = ""
    imbalance: str = ""
    texts: list[str] = field(default_factory=list)
    owners: list[Element | None] = field(default_factory=list)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    left_open: tuple[Element, ...] = ()

    def text_of(self, element: Element) -> str:
        """Return the words inside an element of this outline; in links and headings its pictures' too."""
        start, end = self.spans.get(element.number, (0, 0))
        return " ".join("".join(self.texts[start:end]).split())

    def of_class(self, name: str) -> list[Element]:
        """Return the elements of this class, in order."""
        return [element for element in self.elements if name in element.classes]

    def named(self, *names: str) -> list[Element]:
        """Return the elements of these names, in order."""
        return [element for element in self.elements if element.name in names]


def outline(html: str) -> Outline:
    """Return the outline of `html`, which may be a page or a piece of one that leaves nothing open."""
    found = outline_of_piece(html)
    if found.left_open and not found.imbalance:
        left = found.left_open[-1]
        found.imbalance = f"line {left.line}: <{left.name}> is never closed"
    return found


def outline_of_piece(html: str, *, within: Sequence[Element] = ()) -> Outline:
    """Return the outline of what comes after the start tags `within`; it may close them, or open more."""
    parser = _OutlineParser(within)
    parser.feed(html)
    parser.close()
    return parser.finished()


def outlook_view(html: str) -> str:
    """Return `html` as Outlook on Windows reads it, with its conditional comments opened."""
    return _MSO_ONLY.sub("", _NOT_MSO.sub("", html))


class _OutlineParser(HTMLParser):
    def __init__(self, within: Sequence[Element]) -> None:
        super().__init__()
        self._outline = Outline()
        self._open: list[Element] = [*within]
        self._starts = {id(element) for element in within}

    def finished(self) -> Outline:
        self._outline.left_open = tuple(self._open)
        return self._outline

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        element = self._add(tag, attrs)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1].name == tag:
            closed = self._open.pop()
            if id(closed) not in self._starts:
                start, _ = self._outline.spans[closed.number]
                self._outline.spans[closed.number] = start, len(self._outline.texts)
        elif not self._outline.imbalance:
            inner = (
                f"<{self._open[-1].name}> of line {self._open[-1].line} is open"
                if self._open
                else "none is open"
            )
            self._outline.imbalance = f"line {self.getpos()[0]}: </{tag}> stands where {inner}"

    def handle_data(self, data: str) -> None:
        within = self._open[-1].name if self._open else ""
        if within == "title":
            self._outline.title += data
        elif within != "style":
            self._say(data, self._open[-1] if self._open else None)

    def _add(self, tag: str, attrs: Attributes) -> Element:
        inside = tuple(element.name for element in self._open)
        named = {name: value or "" for name, value in attrs}
        number, start = len(self._outline.elements), len(self._outline.texts)
        parent = self._open[-1] if self._open else None
        element = Element(tag, named, self.getpos()[0], inside, number, parent)
        self._outline.elements.append(element)
        self._outline.spans[number] = start, start
        if tag == "img" and _SPOKEN.intersection(inside):
            self._say(named.get("alt", ""), element)
        return element

    def _say(self, text: str, owner: Element | None) -> None:
        self._outline.texts.append(text)
        self._outline.owners.append(owner)
