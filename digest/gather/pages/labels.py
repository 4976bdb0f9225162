"""The labels of publishers' summaries: where they stand in a page, and how much each can be believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element

from digest.gather.pages.phrases import is_takeaways_label
from digest.gather.pages.points import has_bullet
from digest.gather.pages.survey import Survey
from digest.gather.plain import plain_line

_LABEL_MOST = 60
_LABEL_TAGS = frozenset(
    {"h2", "h3", "h4", "h5", "h6", "p", "strong", "b", "em", "u", "span", "div", "header"}
    | {"summary", "dt", "legend", "caption", "figcaption", "th", "td", "li"}
)
_LINE_TAGS = frozenset({"p", "div", "td", "section"})
# A label in front of the text that it announces: "TL;DR: The council …".
_IN_FRONT = re.compile(r"(?P<label>[^:–—]{2,40}?)(?:\s*[:–—]|\s-(?=\s))")
# Labels that seldom head a part of an article. The others ("In brief", "What to know") often do.
_SURE = re.compile(
    r"\W*(?:"
    r"(?:.*\b(?:key|main|top|quick|big|biggest)[ -])?(?:take-?aways?|points?|findings|messages|insights?)"
    r"|(?:the |our )?take-?aways?|tl;?dr|(?:article|story) highlights"
    r"|.*\bpoints (?:clés|essentiels)|(?:l['’])?essentiel|à retenir|.*\bfaut retenir"
    r"|das wichtigste.*|kernpunkte|.*\bpuntos clave|lo (?:más importante|esencial)|.*\bpunti chiave"
    r"|.*\bpontos?[ -]chave|o mais importante|.*\bbelangrijkste punten|in het kort|w skrócie|najważniejsze.*"
    r")\W*",
    re.IGNORECASE,
)
_SHORT = re.compile(r"\W*tl;?dr\W*", re.IGNORECASE)
_ONE = re.compile(r"\W*(?:the |our )?(?:key |main |big )?take-?away\W*", re.IGNORECASE)
_MARK = re.compile(r"\s*[:–—-]\s*")


@dataclass(frozen=True, slots=True)
class Label:
    """A label of takeaways as the page writes it, and the element that holds or begins with it."""

    text: str
    element: _Element

    @property
    def is_sure(self) -> bool:
        """Whether it seldom heads anything but takeaways."""
        return _SURE.fullmatch(self.text) is not None

    @property
    def heads_a_paragraph(self) -> bool:
        """Whether one paragraph below it is all it announces: "TL;DR", "Key takeaway"."""
        return bool(_SHORT.fullmatch(self.text) or _ONE.fullmatch(self.text))

    @property
    def is_of_one(self) -> bool:
        """Whether it announces one point: "Key takeaway"."""
        return _ONE.fullmatch(self.text) is not None

    def parted(self, line: str) -> str:
        """Return what a line that begins with the label says behind it, '' where nothing parts the two."""
        rest = line[len(self.text) :]
        marked = _MARK.match(rest)
        if marked:
            return rest[marked.end() :]
        is_parted = self.text.endswith((":", "–", "—", "-")) or has_bullet(rest)
        return rest.strip() if is_parted or _SHORT.fullmatch(self.text) else ""


def labels_in(tree: _Element, survey: Survey) -> Iterator[Label]:
    """Yield the labels of takeaways in reading order: elements that are one, and beginnings of lines."""
    for element in tree.iter(*_LABEL_TAGS, *_LINE_TAGS):
        if element.tag in _LABEL_TAGS:
            text = survey.short_text(element, _LABEL_MOST)
            if text and is_takeaways_label(text):
                yield Label(text, element)
                continue
        if element.tag in _LINE_TAGS and (label := _label_in_front(element)):
            yield Label(label, element)


def _label_in_front(element: _Element) -> str:
    """Return the label that an element's own text begins with, '' when it begins with none."""
    beginning = plain_line((element.text or "")[: 2 * _LABEL_MOST])
    if not beginning:
        return ""
    front = _IN_FRONT.match(beginning)
    label = front["label"] if front else beginning if len(element) and element[0].tag == "br" else ""
    return label if label and is_takeaways_label(label) else ""
