"""Taking a page's furniture out of its tree, before an extractor looks for the article.

This is the first pass: names of boxes, forms, cards of other stories, and links beside a lead-in give
themselves away by structure. What only its words betray goes in `furniture`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from itertools import islice

from lxml.etree import _Element, strip_elements

from digest.gather.markup import INLINE, beginning_of
from digest.gather.pages.evidence import Dropped
from digest.gather.pages.phrases import LABEL_MOST, is_related_label, is_takeaways_label
from digest.gather.pages.survey import Survey

# A part of a page with more than this share of its text is the page, whatever its class says.
_MOST = 0.3
# How boxes are called, and what they then are. The first that fits a whole part of a name counts.
_NAMES = (
    ("related links", r"related|recirc\w*|recommend\w*|also-(?:on|read)|read-(?:more|next|also)"),
    ("related links", r"more-(?:from|on|stories)|outbrain|taboola|popular|trending|most-read"),
    ("newsletter box", r"newsletter\w*|signup|sign-up|subscribe\w*"),
    ("promotion", r"promo(?:-\w+)?|advert\w*"),
    ("share bar", r"share(?:-?(?:bar|tools?|buttons?|links?))?|social\w*|sharing|toolbar"),
    ("cookie notice", r"cookies?(?:-\w+)?|consent\w*|gdpr"),
    ("about the author", r"author-(?:bio|box)"),
    ("navigation", r"breadcrumbs?|skip-link"),
)
_NAMED = tuple(
    (reason, re.compile(rf"(?:^|[\s_-])(?:{names})(?:$|[\s_-])", re.IGNORECASE)) for reason, names in _NAMES
)
_NAMED_COMMENTS = re.compile(
    r"(?:^|[\s_-])(?:comments?(?:-\w+)?|respond|disqus\w*)(?:$|[\s_-])", re.IGNORECASE
)
_HIDDEN = re.compile(
    r"(?:^|\s)(?:sr-only|screen-reader-text|visually-?hidden|u-visually-hidden)(?:$|\s)", re.IGNORECASE
)
_NAME_MOST = 400
# Sites wrap the article itself in classes such as `social-embeds`; what holds this much prose is not a box.
_PROSE_CHARACTERS = 540
_LABEL_TAGS = ("h2", "h3", "h4", "h5", "h6", "p", "div", "strong", "b", "span")
_BOX_TAGS = ("div", "section", "aside", "ul", "ol", "form", "p", "nav", "dialog")
_CARD_TAGS = ("div", "article", "section", "li", "a")
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_CARDS = 3
_CARD_MOST = 420
_BOX_MOST = 800
_BESIDE_LINKS = 0.6


# The largest pages people write have a fifth of this; what is larger is cut, so that no page costs minutes.
ELEMENTS_MOST = 45_000
_CELLS_MOST = 200


def strip_machinery(tree: _Element) -> list[Dropped]:
    """Take out what no reader sees and no extractor reads (programs, styles, drawings), and what is too much.

    JSON-LD stays, because an extractor may find the whole text in it, and so does `noscript`. Returns what a
    reader would have seen of it.
    """
    dropped = [Dropped("the page goes on for too long", "", 0)] if _cut_off(tree) else []
    for row in tree.iter("tr"):
        del row[_CELLS_MOST:]
    for script in [e for e in tree.iter("script") if "ld+json" not in (e.get("type") or "").lower()]:
        script.text = None
    strip_elements(tree, "style", "svg", "template", "iframe", "object", with_tail=False)
    return dropped


def _cut_off(tree: _Element) -> bool:
    """Remove all that follows the first elements, and say whether there was any."""
    last = next(islice(tree.iter(), ELEMENTS_MOST, None), None)
    node = last
    while node is not None and (parent := node.getparent()) is not None:
        del parent[parent.index(node) + (node is not last) :]
        node = parent
    return last is not None


def prune(tree: _Element, survey: Survey) -> list[Dropped]:
    """Take out of `tree` what is named as furniture, shown as cards of other stories, or led in as links."""
    body = tree.find("body")
    return [] if body is None else _Pruning(body, survey).dropped()


class _Pruning:
    """One page's first pass, from the surest sign to the least."""

    def __init__(self, body: _Element, survey: Survey) -> None:
        self._body, self._survey = body, survey
        self._total = survey.length(body)
        self._dropped: list[Dropped] = []

    def dropped(self) -> list[Dropped]:
        self._remove_hidden()
        for element in list(self._body.iter(*_BOX_TAGS)):
            reason = self._survey.is_left(element) and self._named(element)
            if reason:
                self._remove(element, reason)
        for form in [area.getparent() for area in self._survey.inside(self._body, "textarea")]:
            self._remove_reply_form(form)
        for label in list(self._body.iter(*_LABEL_TAGS)):
            if self._survey.is_left(label) and self._is_lead_in(label):
                self._remove_related(label)
        self._remove_cards()
        return self._dropped

    def _remove(self, element: _Element, reason: str) -> None:
        length = self._survey.length(element)
        if length:
            self._dropped.append(Dropped(reason, beginning_of(element), max(1, length // 6)))
        self._survey.remove(element)

    def _remove_hidden(self) -> None:
        """Remove what only a screen reader says; it often says a link's text once more."""
        for element in list(self._body.iter("span", "div", "p", "a")):
            if _is_hidden(element.get("class") or "") and self._survey.length(element) < _BOX_MOST:
                self._survey.remove(element)

    def _named(self, element: _Element) -> str:
        """Return what an element is furniture for by its name, '' when it is not."""
        names = " ".join(filter(None, map(element.get, ("class", "id", "data-component"))))
        reason = _named_furniture(names[:_NAME_MOST]) if names else ""
        if not reason or self._survey.length(element) >= _MOST * self._total:
            return ""
        if any(True for _ in self._survey.inside(element, "h1", "article", "main")):
            return ""
        if reason == "comments":
            return reason
        return reason if not self._holds_takeaways(element) and self._is_box(element) else ""

    def _is_box(self, element: _Element) -> bool:
        """Say whether little prose stands in an element: paragraphs that are not links."""
        prose = 0
        for line in self._survey.inside(element, "p"):
            if self._survey.link_share(line) < 0.5:
                prose += self._survey.length(line)
        return prose < _PROSE_CHARACTERS

    def _holds_takeaways(self, element: _Element) -> bool:
        return any(
            is_takeaways_label(self._survey.short_text(e, LABEL_MOST))
            for e in self._survey.inside(element, *_LABEL_TAGS)
        )

    def _remove_reply_form(self, form: _Element | None) -> None:
        """Remove what invites a comment: the form, and the box around it when that holds little more."""
        while form is not None and form.tag not in ("form", "body"):
            form = form.getparent()
        if form is None or form.tag == "body":
            return
        box = form.getparent()
        is_box = box is not None and box.tag != "body" and self._survey.length(box) <= _BOX_MOST
        self._remove(box if box is not None and is_box else form, "comments")

    def _is_lead_in(self, element: _Element) -> bool:
        text = self._survey.short_text(element, LABEL_MOST)
        return bool(text) and is_related_label(text) and all(child.tag in INLINE for child in element)

    def _remove_related(self, label: _Element) -> None:
        """Remove a lead-in with the links it announces, beside it or beside what wraps it."""
        holder = self._wrapper_of(label)
        parent = holder.getparent()
        if parent is not None and self._is_box_of_links(parent, label):
            self._remove(parent, "related links")
            return
        following = holder.getnext()
        if holder.tag in INLINE or following is None or not self._is_links(following):
            return
        while (following := holder.getnext()) is not None and self._is_links(following):
            self._remove(following, "related links")
        self._remove(holder, "related links")

    def _wrapper_of(self, label: _Element) -> _Element:
        """Return the outermost element that holds nothing but the label."""
        length = self._survey.length(label)
        current = label
        while (parent := current.getparent()) is not None and parent.tag not in ("body", "article", "main"):
            if self._survey.length(parent) != length:
                break
            current = parent
        return current

    def _is_box_of_links(self, box: _Element, label: _Element) -> bool:
        """Say whether a small box holds a lead-in and, beside it, hardly anything but links."""
        length = self._survey.length(box)
        beside = length - self._survey.length(label)
        is_small = box.tag != "body" and length <= _BOX_MOST
        return is_small and beside * _BESIDE_LINKS <= self._survey.link_share(box) * length

    def _is_links(self, element: _Element) -> bool:
        return element.tag not in ("h1", "h2", "h3") and self._survey.link_share(element) > 0.6

    def _remove_cards(self) -> None:
        """Remove three or more neighbours that are each a linked headline with a line or two about it."""
        groups: dict[tuple[_Element, object, str], list[_Element]] = defaultdict(list)
        for heading in self._survey.inside(self._body, *_HEADINGS):
            card = self._card_of(heading)
            if card is not None and (parent := card.getparent()) is not None:
                groups[parent, card.tag, card.get("class") or ""].append(card)
        for cards in groups.values():
            unique = list(dict.fromkeys(cards))
            size = sum(map(self._survey.length, unique))
            if len(unique) >= _CARDS and size < _MOST * self._total:
                for card in unique:
                    if self._survey.is_left(card):
                        self._remove(card, "other stories")

    def _card_of(self, heading: _Element) -> _Element | None:
        """Return the small box around a linked headline that has the like of it beside it."""
        inside_link = any(parent.tag == "a" for parent in heading.iterancestors())
        if not inside_link and self._survey.link_share(heading) < 0.9:
            return None
        current = heading.getparent()
        found: _Element | None = None
        while current is not None and self._survey.length(current) <= _CARD_MOST:
            if current.tag in _CARD_TAGS and _has_twin(current):
                found = current
            current = current.getparent()
        return found


def _has_twin(element: _Element) -> bool:
    """Say whether a neighbour has the same tag and class."""
    neighbours = (element.getnext(), element.getprevious())
    return any(
        other is not None and other.tag == element.tag and other.get("class") == element.get("class")
        for other in neighbours
    )


@lru_cache(maxsize=8192)
def _named_furniture(names: str) -> str:
    if _NAMED_COMMENTS.search(names):
        return "comments"
    return next((reason for reason, pattern in _NAMED if pattern.search(names)), "")


@lru_cache(maxsize=4096)
def _is_hidden(names: str) -> bool:
    return bool(_HIDDEN.search(names[:_NAME_MOST]))
