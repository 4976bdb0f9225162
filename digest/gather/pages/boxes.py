"""What stands under a label of takeaways, in the shapes that publishers build it of.

A list; lines or paragraphs that begin with a bullet; a small box of lines, be it of `div`, table cells or a
`dl`; one paragraph; or the rest of the label's own line. The less a shape shows by itself, the more the label
or the box must: "What to know" over paragraphs heads a part of the article, "Key takeaways" over the same in
an `aside` does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from lxml.etree import _Element

from digest.gather.markup import INLINE, text_of
from digest.gather.pages.labels import Label
from digest.gather.pages.points import (
    LISTS,
    POINT_WORDS_MOST,
    POINTS_MOST,
    are_points,
    bulleted,
    has_bullet,
    lines_of,
    points_of,
    without_promotions,
)
from digest.gather.pages.survey import Survey
from digest.gather.plain import comparable, word_count

_BOX_MOST = POINTS_MOST * 12 * POINT_WORDS_MOST
_BESIDE_MOST = 180
_LEVELS = 4
_SIBLINGS = 40
_LINE_WORDS_MOST = 45
_PROSE_WORDS_LEAST, _PROSE_WORDS_MOST = 5, 90
_ONE_POINT_MOST = 60
_PAGE_SHARE_MOST = 0.5
_TELLING_WORDS = 3

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_WHOLE = ("h1", "article", "main")
_MARKED_TAGS = LISTS | {"aside", "figure", "details", "fieldset", "blockquote", "table", "tbody", "td", "dl"}
_MARKED_NAME = re.compile(
    r"take-?aways?|key-?(?:points?|facts?)|highlights?|tl-?dr|glance|summary|in-?brief|call-?out|(?:info|fact)-?box"
    r"|(?:^|[\s_-])box(?:$|[\s_-])|essentie?l|resum|zusammenfassung|kernpunkt",
    re.IGNORECASE,
)
_COMMENTS = re.compile(
    r"(?:^|[\s_-])(?:comments?(?:-\w+)?|respond|disqus\w*|repl(?:y|ies))(?:$|[\s_-])", re.I
)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands under a label: its points in order, or with `is_prose` one paragraph of several sentences.

    `lines` is all that the page shows there, promotions and details too; `last` is the element it ends in.
    """

    points: tuple[str, ...]
    lines: tuple[str, ...]
    last: _Element
    is_prose: bool = False


def find_under(label: Label, survey: Survey) -> Found | None:
    """Return what stands under a label, None where that is no publisher's summary."""
    if _is_elsewhere(label.element, survey):
        return None
    return _Reading(label, survey).found()


def _is_elsewhere(element: _Element, survey: Survey) -> bool:
    """Say whether an element is the page's or its readers' rather than the article's."""
    page = survey.length(element.getroottree().getroot())
    for box in element.iterancestors():
        if box.tag in ("nav", "footer"):
            return True
        names = f"{box.get('class') or ''} {box.get('id') or ''}"[:400]
        if survey.length(box) < _PAGE_SHARE_MOST * page and _COMMENTS.search(names):
            return True
    return False


class _Reading:
    """One label, and the shapes looked for around it, the plainest first."""

    def __init__(self, label: Label, survey: Survey) -> None:
        self._label, self._survey = label, survey
        self._holder = _block_of(label.element)
        self._wrapper = self._wrapper_of()
        self._is_marked = self._is_marked_box()

    def found(self) -> Found | None:
        label = self._label
        shapes: tuple[Callable[[], Found | None], ...]
        shapes = (self._list, self._bullets, self._group, self._box, self._paragraph)
        if self._survey.short_text(self._holder, len(label.text)) != label.text:
            shapes = (self._own_line,) if label.element is self._holder else (self._list, self._own_line)
        return next((found for shape in shapes if (found := shape())), None)

    def _found(
        self,
        points: Sequence[str],
        lines: Sequence[str],
        last: _Element,
        *,
        words_most: int = POINT_WORDS_MOST,
    ) -> Found | None:
        """Return points with what the page shows of them, None when they cannot be a publisher's."""
        least = 1 if self._label.is_sure else 2
        if not are_points(points, least=least, words_most=words_most) or self._lists_contents(points):
            return None
        return Found(tuple(points), tuple(lines), last)

    def _prose(self, text: str, last: _Element) -> Found | None:
        """Return a paragraph: one point where the label announces one, else a summary of sentences."""
        words = word_count(text)
        if not _PROSE_WORDS_LEAST <= words <= _PROSE_WORDS_MOST or text.endswith((":", "?")):
            return None
        is_prose = not (self._label.is_of_one and words <= _ONE_POINT_MOST)
        return Found((text,), (text,), last, is_prose) if without_promotions([text]) else None

    def _lists_contents(self, points: Sequence[str]) -> bool:
        """Say whether most points are headings of the page: a table of contents."""
        tree = self._holder.getroottree()
        headings = {comparable(self._survey.short_text(each, 300)) for each in tree.iter(*_HEADINGS)}
        return 2 * sum(comparable(point) in headings for point in points) > len(points)

    def _list(self) -> Found | None:
        """Read the list that comes next after the label, a short line before it allowed."""
        leads: list[str] = []
        for element in self._following():
            listing = next(element.iter(*LISTS), None)
            if listing is not None:
                beside = self._survey.length(element) - self._survey.length(listing)
                return self._listed(listing, leads) if beside < _BESIDE_MOST else None
            if self._survey.length(element):
                leads += lines_of(element) if self._is_lead(element) else ()
                if len(leads) != 1:
                    return None
        return None

    def _listed(self, listing: _Element, leads: Sequence[str]) -> Found | None:
        if self._survey.length(listing) > _BOX_MOST or self._survey.link_share(listing) >= 0.8:
            return None
        items = [text_of(item) for item in listing.iter("li")]
        return self._found(points_of(listing, self._survey), (*leads, *lines_of(listing), *items), listing)

    def _is_lead(self, element: _Element) -> bool:
        """Say whether an element is one short line that leads over to the list."""
        text = self._survey.short_text(element, _BESIDE_MOST)
        is_plain = element.tag not in _HEADINGS and not has_bullet(text)
        label = self._label
        return is_plain and (text.endswith(":") or (label.is_sure and not label.heads_a_paragraph))

    def _bullets(self) -> Found | None:
        """Read the lines that begin with a bullet, whichever elements they are in."""
        lines: list[str] = []
        last = self._label.element
        for element in self._following():
            if self._survey.length(element) > _BOX_MOST or len(lines) > POINTS_MOST:
                break
            inside = lines_of(element)
            leading = list(takewhile(has_bullet, inside))
            lines += leading
            last = element if leading else last
            if len(leading) < len(inside):
                break
        return self._bulleted(lines, last)

    def _bulleted(self, lines: Sequence[str], last: _Element) -> Found | None:
        points = without_promotions(point for line in lines for point in bulleted(line))
        return self._found(points, lines, last) if points else None

    def _group(self) -> Found | None:
        """Read a table, a `dl` or a box of lines right after a label that is sure."""
        element = next((each for each in self._following() if self._survey.length(each)), None)
        if element is None or not (self._label.is_sure or self._is_marked):
            return None
        if element.tag not in ("table", "dl", "div", "section", "blockquote") or not self._is_small(element):
            return None
        return self._lines([element], element, least=2)

    def _box(self) -> Found | None:
        """Read all that stands beside the label in its box."""
        box = self._wrapper.getparent()
        if box is None or not self._is_box(box):
            return None
        beside = self._beside()
        return self._lines(beside, beside[-1], least=1) if beside else None

    def _is_box(self, box: _Element) -> bool:
        if not self._is_small(box):
            return False
        return self._is_marked or (self._label.is_sure and box.tag in ("div", "section"))

    def _is_small(self, box: _Element) -> bool:
        """Say whether an element is a part of the article rather than the article itself."""
        page = self._survey.length(box.getroottree().getroot())
        length = self._survey.length(box)
        if box.tag in ("body", *_WHOLE) or next(box.iter(*_WHOLE), None) is not None:
            return False
        return length <= _BOX_MOST and length <= _PAGE_SHARE_MOST * page

    def _beside(self) -> list[_Element]:
        """Return what the label leads in its box, up to the next such label.

        That is what stands before it where it is the caption below a figure.
        """
        following = [
            each for each in islice(self._wrapper.itersiblings(), _SIBLINGS) if self._survey.length(each)
        ]
        if self._wrapper.tag in ("dt", *_HEADINGS):
            following = list(takewhile(lambda each: each.tag != self._wrapper.tag, following))
        if not following and self._wrapper.tag == "figcaption":
            following = list(islice(self._wrapper.itersiblings(preceding=True), _SIBLINGS))[::-1]
        return following

    def _lines(self, elements: Sequence[_Element], last: _Element, *, least: int) -> Found | None:
        if any(True for element in elements for _ in element.iter(*_HEADINGS)):
            return None
        shown = [line for element in elements for line in lines_of(element)]
        found = [line for element in elements for line in _told_by(element)]
        if all(map(has_bullet, found)):
            found = [point for line in found for point in bulleted(line)]
        points = without_promotions(found)
        if len(points) == 1 and least == 1 and len(found) == 1:
            return self._prose(points[0], last)
        if len(points) < 2:
            return None
        return self._found(points, shown, last, words_most=_LINE_WORDS_MOST)

    def _paragraph(self) -> Found | None:
        """Read the paragraph after a label that announces no more than one."""
        element = next((each for each in self._following() if self._survey.length(each)), None)
        if not self._label.heads_a_paragraph or element is None or element.tag != "p":
            return None
        return None if self._is_quoted() else self._prose(text_of(element), element)

    def _own_line(self) -> Found | None:
        """Read what follows the label in its own block: behind a colon, or on the lines below."""
        if self._survey.length(self._holder) > _BOX_MOST:
            return None
        lines = lines_of(self._holder)
        starts = (index for index, line in enumerate(lines) if line.startswith(self._label.text))
        index = next(starts, None)
        if index is None:
            return None
        behind = self._label.parted(lines[index])
        below = lines[index + 1 :]
        return self._behind_label(behind, below) if behind else self._below_label(below, index)

    def _behind_label(self, behind: str, below: Sequence[str]) -> Found | None:
        if has_bullet(behind):
            return self._bulleted([behind, *takewhile(has_bullet, below)], self._holder)
        if not (self._label.is_sure or self._is_marked) or self._is_quoted():
            return None
        return self._prose(behind, self._holder)

    def _below_label(self, below: Sequence[str], index: int) -> Found | None:
        found = self._bulleted(list(takewhile(has_bullet, below)), self._holder)
        if found or index or not self._may_be_plain(self._holder):
            return found
        if len(below) == 1:
            return None if self._is_quoted() else self._prose(below[0], self._holder)
        return self._found(without_promotions(below), below, self._holder, words_most=_LINE_WORDS_MOST)

    def _may_be_plain(self, holder: _Element) -> bool:
        """Say whether lines without bullets in `holder` can be points."""
        has_parts = next(holder.iter(*_HEADINGS), None) is not None
        return (self._label.is_sure or self._is_marked) and not has_parts and self._is_small(holder)

    def _is_quoted(self) -> bool:
        return any(each.tag in ("blockquote", "q") for each in self._label.element.iterancestors())

    def _following(self) -> Iterator[_Element]:
        """Yield what follows the label beside it, or beside the wrappers it is alone in."""
        current: _Element | None = self._label.element
        for _ in range(_LEVELS):
            if current is None or current.tag == "body" or (current.tail or "").strip():
                return
            if current.getnext() is not None:
                yield from islice(current.itersiblings(), _SIBLINGS)
                return
            current = current.getparent()

    def _wrapper_of(self) -> _Element:
        """Return the outermost element that holds the label and nothing else."""
        current = self._label.element
        length = self._survey.length(current)
        while (parent := current.getparent()) is not None and parent.tag != "body":
            if self._survey.length(parent) != length:
                break
            current = parent
        return current

    def _is_marked_box(self) -> bool:
        """Say whether what holds the label is built or named as a box."""
        box = self._wrapper.getparent()
        for _ in range(2):
            if box is None or box.tag in ("body", *_WHOLE):
                return False
            if box.tag in _MARKED_TAGS or _MARKED_NAME.search(
                f"{box.get('class') or ''} {box.get('id') or ''}"[:400]
            ):
                return self._is_small(box)
            box = box.getparent()
        return False


def _block_of(element: _Element) -> _Element:
    """Return the block that an element is a line of, itself when it is one."""
    parent = element.getparent()
    while element.tag in INLINE and parent is not None and parent.tag not in ("body", "html"):
        element, parent = parent, parent.getparent()
    return element


def _told_by(element: _Element) -> list[str]:
    """Return the lines of an element; of a table its rows' texts, of a `dl` what is said of each term."""
    rows = list(element.iter("tr"))
    if rows:
        told = list(map(_told_by_row, rows))
        return [] if None in told else [line for line in told if line]
    if element.tag == "dl":
        return [text_of(each) for each in element.iter("dd")]
    return lines_of(element)


def _told_by_row(row: _Element) -> str | None:
    """Return the one cell of a row that says something, '' of an empty row; None of a row of data."""
    cells = [text for cell in row if (text := text_of(cell))]
    telling = [text for text in cells if word_count(text) >= _TELLING_WORDS]
    if len(telling) == 1:
        return telling[0]
    return None if cells else ""
