"""What a piece of HTML holds, and whether its tags are balanced."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_MSO_ONLY = re.compile(r"<!--\[if (?!!)[^\]]*\]>|<!\[endif\]-->")
_NOT_MSO = re.compile(r"<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->", re.DOTALL)

Attributes = list[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Element:
    """A start tag: its name, its attributes ('' for one without a value), its line, the tags around it."""

    name: str
    attributes: dict[str, str]
    line: int
    inside: tuple[str, ...] = ()


@dataclass(slots=True)
class Outline:
    """The elements of a piece of HTML in order, its title, and what is wrong with its nesting, or ''.

    What stands in comments (Outlook's conditional ones too) is not part of the outline.
    """

    elements: list[Element] = field(default_factory=list)
    title: str = ""
    imbalance: str = ""

    def named(self, *names: str) -> list[Element]:
        """Return the elements of these names, in order."""
        return [element for element in self.elements if element.name in names]


def outline(html: str) -> Outline:
    """Return the outline of `html`, which may be a page or a piece of one."""
    parser = _OutlineParser()
    parser.feed(html)
    parser.close()
    return parser.finished()


def outlook_view(html: str) -> str:
    """Return `html` as Outlook on Windows reads it, with its conditional comments opened."""
    return _MSO_ONLY.sub("", _NOT_MSO.sub("", html))


class _OutlineParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._outline = Outline()
        self._open: list[tuple[str, int]] = []

    def finished(self) -> Outline:
        if self._open and not self._outline.imbalance:
            tag, line = self._open[-1]
            self._outline.imbalance = f"line {line}: <{tag}> is never closed"
        return self._outline

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._add(tag, attrs)
        if tag not in _VOID:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self._add(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        line = self.getpos()[0]
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        elif not self._outline.imbalance:
            inner = (
                f"<{self._open[-1][0]}> of line {self._open[-1][1]} is open" if self._open else "none is open"
            )
            self._outline.imbalance = f"line {line}: </{tag}> stands where {inner}"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "title":
            self._outline.title += data

    def _add(self, tag: str, attrs: Attributes) -> None:
        inside = tuple(name for name, _ in self._open)
        named = {name: value or "" for name, value in attrs}
        self._outline.elements.append(Element(tag, named, self.getpos()[0], inside))
