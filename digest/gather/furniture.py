"""Taking a page's furniture out of an article: related links, share bars, sign-ups, captions, comments.

Twice: parts of the tree go before extraction, where structure tells (`prune`), and blocks after it, where
only the words do (`without_furniture`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from lxml.etree import _Element

from digest.domain.articles import Block, BlockKind
from digest.gather.markup import INLINE, link_share, short_text_of, text_of
from digest.gather.phrases import (
    LABEL_MOST,
    is_byline,
    is_comments_label,
    is_furniture,
    is_related_label,
    is_takeaways_label,
)
from digest.gather.plain import comparable, word_count

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
_TITLE_PLACES = 3
_BYLINE_PLACES = 6
_CAPTION_MOST = 400
_REPEATED_MOST = 3
_SENTENCE_END = re.compile(r"[.!?…:;,]['\"”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class Hints:
    """What a page's structure says about lines of its text, each in comparable form.

    `captions` are captions and alternative texts of pictures, `linked` the lines that are one link.
    """

    captions: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()


NO_HINTS = Hints()


def hints_of(tree: _Element) -> Hints:
    """Return what `tree` tells about its lines. Read it before `prune` takes parts away."""
    captions = {comparable(text_of(element)) for element in tree.iter("figcaption")}
    captions |= {comparable(image.get("alt") or "") for image in tree.iter("img")}
    captions |= {
        comparable(text_of(element)) for element in tree.iter("div", "p", "span") if _is_caption(element)
    }
    lines = tree.iter("p", "li", "h2", "h3", "h4", "h5", "div")
    linked = {comparable(text_of(line)) for line in lines if _is_one_link(line)}
    return Hints(frozenset(captions - {""}), frozenset(linked - {""}))


def _is_caption(element: _Element) -> bool:
    return "caption" in (element.get("class") or "").lower() and bool(short_text_of(element, _CAPTION_MOST))


def _is_one_link(element: _Element) -> bool:
    """Say whether a line's text is all one link to another page (`#…` leads to a place on this one)."""
    links = list(islice((e for e in element.iter("a") if not (e.get("href") or "#").startswith("#")), 2))
    return len(links) == 1 and link_share(element) > 0.9 and not any(True for _ in element.iter("ul", "ol"))


def prune(tree: _Element) -> None:
    """Take out of `tree` the parts that are named as furniture or that a lead-in announces as links."""
    body = tree.find("body")
    if body is None:
        return
    total = len(text_of(body))
    for element in list(body.iter("div", "section", "aside", "ul", "ol", "form", "p", "nav", "dialog")):
        if _is_named_furniture(element) and len(text_of(element)) < _MOST * total:
            _remove(element)
    for label in [
        e
        for e in body.iter("h2", "h3", "h4", "h5", "h6", "p", "div", "strong", "b", "span")
        if _is_lead_in(e)
    ]:
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


def _is_lead_in(element: _Element) -> bool:
    has_blocks = any(child.tag not in INLINE for child in element)
    return not has_blocks and is_related_label(short_text_of(element, LABEL_MOST))


def _remove_related(label: _Element) -> None:
    """Remove a lead-in with the links it announces, which stand beside it or beside what wraps it."""
    holder = label
    for _ in range(3):
        following = holder.getnext()
        parent = holder.getparent()
        if following is not None or parent is None or parent.tag == "body":
            break
        holder = parent
    while (following := holder.getnext()) is not None and _is_links(following):
        _remove(following)
    parent = holder.getparent()
    _remove(holder if holder is not label or parent is None or text_of(parent) != text_of(label) else parent)


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


def without_furniture(blocks: Sequence[Block], *, title: str, hints: Hints = NO_HINTS) -> tuple[Block, ...]:
    """Return `blocks` without the page around the article, the title at its head, and repeated captions.

    The publisher's own takeaways are never taken for furniture, whatever their words.
    """
    kept = _before_comments(list(blocks))
    kept = _without_title(kept, title)
    kept = _without_related(kept, hints)
    kept = _without_tail_of_stories(kept, hints)
    kept = _without_captions(kept, hints)
    kept = [block for block in kept if not _is_line_of_furniture(block, hints)]
    return tuple(_without_empty_headings(kept))


def _before_comments(blocks: list[Block]) -> list[Block]:
    """Cut at the line that opens the comments, once there has been an article before it."""
    paragraphs = 0
    for index, block in enumerate(blocks):
        paragraphs += word_count(block.text) >= 12
        if paragraphs >= 2 and block.kind is not BlockKind.LIST_ITEM and is_comments_label(block.text):
            return blocks[:index]
    return blocks


def _without_title(blocks: list[Block], title: str) -> list[Block]:
    """Drop the title where it opens the text, and the lines of author and day around it."""
    wanted = comparable(title)
    return [
        block
        for index, block in enumerate(blocks)
        if not (index < _TITLE_PLACES and wanted and comparable(block.text) == wanted)
        and not (index < _BYLINE_PLACES and block.kind is not BlockKind.LIST_ITEM and is_byline(block.text))
    ]


def _without_related(blocks: list[Block], hints: Hints) -> list[Block]:
    """Drop lead-ins to other articles with the links that follow them."""
    kept: list[Block] = []
    dropping = in_takeaways = False
    for block in blocks:
        if block.kind is not BlockKind.LIST_ITEM:
            in_takeaways = is_takeaways_label(block.text)
        if not in_takeaways and is_related_label(block.text):
            dropping = True
        elif not (dropping and _is_link_line(block, hints)):
            dropping = False
            kept.append(block)
    return kept


def _without_tail_of_stories(blocks: list[Block], hints: Hints) -> list[Block]:
    """Cut a tail whose headings are all links: other stories with their teasers.

    A small part of the text only: in a list of the ten best, every heading may be a link.
    """
    words = [word_count(block.text) for block in blocks]
    cut = len(blocks)
    headings = 0
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index].kind is BlockKind.HEADING:
            if comparable(blocks[index].text) not in hints.linked:
                break
            headings += 1
            cut = index
    return blocks[:cut] if headings >= 2 and sum(words[cut:]) <= _MOST * sum(words) else blocks


def _is_link_line(block: Block, hints: Hints) -> bool:
    return block.kind is BlockKind.LIST_ITEM or comparable(block.text) in hints.linked


def _without_captions(blocks: list[Block], hints: Hints) -> list[Block]:
    """Drop captions standing as paragraphs: known ones, and short lines without a full stop that repeat.

    Many different lines that repeat are a table or a list of results, and stay.
    """
    lines = [block for block in blocks if block.kind in (BlockKind.PARAGRAPH, BlockKind.HEADING)]
    times = Counter(comparable(block.text) for block in lines if _is_fragment(block.text))
    repeated = {line for line, count in times.items() if count > 1}
    if len(repeated) > _REPEATED_MOST or any(times[line] > _REPEATED_MOST for line in repeated):
        repeated = set()
    return [
        block
        for block in blocks
        if not (block.kind is BlockKind.PARAGRAPH and comparable(block.text) in hints.captions)
        and not (block in lines and comparable(block.text) in repeated)
    ]


def _is_fragment(text: str) -> bool:
    return word_count(text) <= 20 and not _SENTENCE_END.search(text) and not is_takeaways_label(text)


def _is_line_of_furniture(block: Block, hints: Hints) -> bool:
    if is_takeaways_label(block.text):
        return False
    promotion = block.kind is BlockKind.PARAGRAPH and comparable(block.text) in hints.linked
    return promotion or is_furniture(block.text)


def _without_empty_headings(blocks: list[Block]) -> list[Block]:
    """Drop what leads to nothing: a short line ending in a colon before a heading, headings at the end."""
    kept = [
        block
        for block, following in pairwise([*blocks, Block(BlockKind.HEADING, "")])
        if not (
            block.kind is BlockKind.PARAGRAPH
            and following.kind is BlockKind.HEADING
            and block.text.endswith(":")
            and word_count(block.text) <= 6
        )
    ]
    while kept and kept[-1].kind is BlockKind.HEADING:
        kept.pop()
    return kept
