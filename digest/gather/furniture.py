"""Taking a page's furniture out of an article: related links, share bars, sign-ups, captions, comments.

This is the second pass, over blocks, after `pruning` took away what the tree alone gives away. Here the words
decide, with what the tree said of single lines (`Hints`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxml.etree import _Element

from digest.domain.articles import Block, BlockKind
from digest.gather.phrases import (
    is_byline,
    is_comments_label,
    is_furniture,
    is_related_label,
    is_takeaways_label,
)
from digest.gather.plain import comparable, word_count
from digest.gather.survey import Survey

# What is cut from the end as other stories is never more of the text than this.
_TAIL_MOST = 0.3
_TITLE_PLACES = 3
_BYLINE_PLACES = 6
_CAPTION_MOST = 400
_LINE_MOST = 400
_REPEATED_MOST = 3
_CAPTION_KINDS = (BlockKind.PARAGRAPH, BlockKind.HEADING)
_SENTENCE_END = re.compile(r"[.!?…:;,]['\"”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class Hints:
    """What a page's structure says about lines of its text, each in comparable form.

    `captions` are captions and alternative texts of pictures, `linked` the lines that are one link.
    """

    captions: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()


NO_HINTS = Hints()

# What every last block is followed by.
_END = Block(BlockKind.HEADING, "")


def hints_of(tree: _Element, survey: Survey) -> Hints:
    """Return what `tree` tells about its lines. Read them before `prune` takes parts away."""
    shown = [*tree.iter("figcaption"), *filter(_is_named_caption, tree.iter("div", "p", "span"))]
    captions = {comparable(survey.short_text(element, _CAPTION_MOST)) for element in shown}
    captions |= {comparable((image.get("alt") or "")[:_CAPTION_MOST]) for image in tree.iter("img")}
    lines = tree.iter("p", "li", "h2", "h3", "h4", "h5", "div")
    linked = {comparable(survey.short_text(line, _LINE_MOST)) for line in lines if _is_link(line, survey)}
    return Hints(frozenset(captions - {""}), frozenset(linked - {""}))


def _is_named_caption(element: _Element) -> bool:
    return "caption" in (element.get("class") or "").lower()


def _is_link(element: _Element, survey: Survey) -> bool:
    """Say whether a line's text is all link, and all to one page (`#…` leads to a place on this one)."""
    if survey.link_share(element) <= 0.9 or survey.length(element) > _LINE_MOST:
        return False
    targets = {href for link in element.iter("a") if not (href := link.get("href") or "#").startswith("#")}
    return len(targets) == 1 and next(element.iter("ul", "ol"), None) is None


def without_furniture(blocks: Sequence[Block], *, title: str, hints: Hints = NO_HINTS) -> tuple[Block, ...]:
    """Return `blocks` without the page around the article, the title at its head, and repeated captions.

    The publisher's own takeaways are never taken for furniture, whatever their words.
    """
    kept = _before_comments(list(blocks))
    kept = _without_title(kept, title)
    kept = _without_related(kept, hints)
    kept = _without_tail_of_stories(kept, hints)
    kept = _without_captions(kept, hints)
    kept = _without_lines_of_furniture(kept, hints)
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
    for block, following in pairwise([*blocks, _END]):
        if block.kind is not BlockKind.LIST_ITEM:
            in_takeaways = is_takeaways_label(block.text)
        before_prose = block.kind is BlockKind.HEADING and _is_prose(following, hints)
        if not in_takeaways and is_related_label(block.text, before_prose=before_prose):
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
    return blocks[:cut] if headings >= 2 and sum(words[cut:]) <= _TAIL_MOST * sum(words) else blocks


def _is_prose(block: Block, hints: Hints) -> bool:
    return block.kind in (BlockKind.PARAGRAPH, BlockKind.QUOTE) and not _is_link_line(block, hints)


def _is_link_line(block: Block, hints: Hints) -> bool:
    return block.kind is BlockKind.LIST_ITEM or comparable(block.text) in hints.linked


def _without_captions(blocks: list[Block], hints: Hints) -> list[Block]:
    """Drop captions standing as paragraphs: known ones, and short lines without a full stop that repeat.

    Many different lines that repeat are a table or a list of results, and stay.
    """
    times = Counter(comparable(block.text) for block in blocks if _is_fragment(block))
    repeated = {line for line, count in times.items() if count > 1}
    if len(repeated) > _REPEATED_MOST or any(times[line] > _REPEATED_MOST for line in repeated):
        repeated = set()
    return [
        block
        for block in blocks
        if not (block.kind is BlockKind.PARAGRAPH and comparable(block.text) in hints.captions)
        and not (block.kind in _CAPTION_KINDS and comparable(block.text) in repeated)
    ]


def _is_fragment(block: Block) -> bool:
    text = block.text
    is_short = block.kind in _CAPTION_KINDS and word_count(text) <= 20
    return is_short and not _SENTENCE_END.search(text) and not is_takeaways_label(text)


def _without_lines_of_furniture(blocks: list[Block], hints: Hints) -> list[Block]:
    kept: list[Block] = []
    in_takeaways = False
    for block in blocks:
        in_takeaways = is_takeaways_label(block.text) or (in_takeaways and block.kind is BlockKind.LIST_ITEM)
        if in_takeaways or not _is_line_of_furniture(block, hints):
            kept.append(block)
    return kept


def _is_line_of_furniture(block: Block, hints: Hints) -> bool:
    promotion = block.kind is BlockKind.PARAGRAPH and comparable(block.text) in hints.linked
    return promotion or is_furniture(block.text)


def _without_empty_headings(blocks: list[Block]) -> list[Block]:
    """Drop what leads to nothing: a short line ending in a colon before a heading, headings at the end."""
    kept = [
        block
        for block, following in pairwise([*blocks, _END])
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
