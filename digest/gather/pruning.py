"""Taking a page's furniture out of its tree, before an extractor looks for the article.

This is the first pass: names of boxes, forms, and links beside a lead-in give themselves away by structure.
What only its words betray goes in `furniture`.
"""

from __future__ import annotations

import re

from lxml.etree import _Element

from digest.gather.markup import INLINE, link_share, short_text_of, text_of
from digest.gather.phrases import LABEL_MOST, is_related_label, is_takeaways_label
from digest.gather.plain import word_count

# A part of a page with more than this share of its text is the page, whatever its class says.
_MOST = 0.3
_NAMED = re.compile(
    r"(?:^|[\s_-])(?:related|recirc\w*|recommend\w*|also-(?:on|read)|read-(?:more|next|also)"
    r"|more-(?:from|on|stories)|outbrain|taboola|promo(?:-\w+)?|newsletter\w*|signup|sign-up|subscribe\w*"
    r"|share(?:-?(?:bar|tools?|buttons?|links?))?|social\w*|sharing|cookies?(?:-\w+)?|consent\w*|gdpr"
    r"|popular|trending|most-read|author-(?:bio|box)|breadcrumbs?|advert\w*|toolbar|skip-link)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NAMED_COMMENTS = re.compile(
    r"(?:^|[\s_-])(?:comments?(?:-\w+)?|respond|disqus\w*)(?:$|[\s_-])", re.IGNORECASE
)
# Sites wrap the article itself in classes such as `social-embeds`; what holds this much prose is not a box.
_PROSE_WORDS = 90
_LABEL_TAGS = ("h2", "h3", "h4", "h5", "h6", "p", "div", "strong", "b", "span")
_BOX_MOST = 800
_BESIDE_LINKS = 0.6


def prune(tree: _Element) -> None:
    """Take out of `tree` the parts that are named as furniture or that a lead-in announces as links."""
    body = tree.find("body")
    if body is None:
        return
    total = len(text_of(body))
    for element in list(body.iter("div", "section", "aside", "ul", "ol", "form", "p", "nav", "dialog")):
        if _is_named_furniture(element) and len(text_of(element)) < _MOST * total:
            _remove(element)
    for form in [area.getparent() for area in body.iter("textarea")]:
        _remove_reply_form(form)
    for label in [element for element in body.iter(*_LABEL_TAGS) if _is_lead_in(element)]:
        _remove_related(label)


def _is_named_furniture(element: _Element) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('data-component') or ''}"
    if any(True for _ in element.iter("h1", "article", "main")):
        return False
    if _NAMED_COMMENTS.search(names):
        return True
    return bool(_NAMED.search(names)) and not _holds_takeaways(element) and _prose(element) < _PROSE_WORDS


def _prose(element: _Element) -> int:
    """Return how many words stand in paragraphs that are not links."""
    return sum(word_count(text_of(line)) for line in element.iter("p") if link_share(line) < 0.5)


def _holds_takeaways(element: _Element) -> bool:
    return any(is_takeaways_label(short_text_of(e, LABEL_MOST)) for e in element.iter(*_LABEL_TAGS))


def _remove_reply_form(form: _Element | None) -> None:
    """Remove what invites a comment: the form, and the box around it when that holds little more."""
    while form is not None and form.tag not in ("form", "body"):
        form = form.getparent()
    if form is None or form.tag == "body":
        return
    box = form.getparent()
    _remove(box if box is not None and box.tag != "body" and short_text_of(box, _BOX_MOST) else form)


def _is_lead_in(element: _Element) -> bool:
    has_blocks = any(child.tag not in INLINE for child in element)
    return not has_blocks and is_related_label(short_text_of(element, LABEL_MOST))


def _remove_related(label: _Element) -> None:
    """Remove a lead-in with the links it announces, which stand beside it or beside what wraps it."""
    holder = _wrapper_of(label)
    parent = holder.getparent()
    if parent is not None and _is_box_of_links(parent, label):
        _remove(parent)
        return
    following = holder.getnext()
    if holder.tag in INLINE or following is None or not _is_links(following):
        return
    while (following := holder.getnext()) is not None and _is_links(following):
        _remove(following)
    _remove(holder)


def _wrapper_of(label: _Element) -> _Element:
    """Return the outermost element that holds nothing but the label."""
    text = text_of(label)
    current = label
    while (parent := current.getparent()) is not None and parent.tag not in ("body", "article", "main"):
        if short_text_of(parent, LABEL_MOST) != text:
            break
        current = parent
    return current


def _is_box_of_links(box: _Element, label: _Element) -> bool:
    """Say whether a small box holds a lead-in and, beside it, hardly anything but links."""
    text = short_text_of(box, _BOX_MOST)
    beside = len(text) - len(text_of(label))
    return box.tag != "body" and (bool(text) and beside * _BESIDE_LINKS <= link_share(box) * len(text))


def _is_links(element: _Element) -> bool:
    return element.tag not in ("h1", "h2", "h3") and link_share(element) > 0.6


def _remove(element: _Element) -> None:
    """Remove an element and leave the text after it where it was."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)
