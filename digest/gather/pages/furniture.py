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
from digest.domain.mail import shorten
from digest.gather.pages.boilerplate import furniture_of
from digest.gather.pages.evidence import Dropped
from digest.gather.pages.phrases import is_byline, is_comments_label, is_related_label, is_takeaways_label
from digest.gather.pages.survey import Survey
from digest.gather.plain import comparable, word_count

# What is cut from the end as other stories is never more of the text than this.
_TAIL_MOST = 0.3
_TITLE_PLACES = 3
_BYLINE_PLACES = 6
_CAPTION_MOST = 400
_LINE_MOST = 400
_REPEATED_MOST = 3
_NOTE_MOST = 700
_NOTE_AFTER = 3
# What follows a name in a note about its bearer.
_INTRODUCED = re.compile(
    r" (?:is|was|writes|covers|reports|has been|worked|joined|ist|schreibt|arbeitet|berichtet|est"
    r"|écrit|couvre|es"
    r"|escribe|trabaja|è|scrive|lavora|é|escreve|trabalha|schrijft|werkt|är|skriver|er|jest|pisze)\b"
)
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


def without_furniture(
    blocks: Sequence[Block], *, title: str, hints: Hints = NO_HINTS, authors: Sequence[str] = ()
) -> tuple[tuple[Block, ...], tuple[Dropped, ...]]:
    """Return `blocks` without the page around the article, and what was left out, each with the reason.

    The title at the head of the text and captions go too. The publisher's own takeaways are never taken for
    furniture, whatever their words.
    """
    sieve = _Sieve(title, hints, authors)
    return sieve.sifted(list(blocks)), tuple(sieve.dropped)


class _Sieve:
    """One text's second pass, and what it has dropped so far."""

    def __init__(self, title: str, hints: Hints, authors: Sequence[str]) -> None:
        self._title, self._hints = comparable(title), hints
        self._authors = tuple(map(comparable, authors))
        self.dropped: list[Dropped] = []

    def sifted(self, blocks: list[Block]) -> tuple[Block, ...]:
        blocks = self._before_comments(blocks)
        blocks = self._without_title(blocks)
        blocks = self._without_related(blocks)
        blocks = self._without_tail_of_stories(blocks)
        blocks = self._without_captions(blocks)
        blocks = self._without_lines_of_furniture(blocks)
        blocks = self._without_author_note(blocks)
        return tuple(self._without_empty_headings(blocks))

    def _drop(self, reason: str, *blocks: Block) -> None:
        self.dropped += [
            Dropped(reason, shorten(block.text, 80), len(block.text.split())) for block in blocks
        ]

    def _before_comments(self, blocks: list[Block]) -> list[Block]:
        """Cut at the line that opens the comments, once there has been an article before it."""
        paragraphs = 0
        for index, block in enumerate(blocks):
            paragraphs += word_count(block.text) >= 12
            if paragraphs >= 2 and block.kind is not BlockKind.LIST_ITEM and is_comments_label(block.text):
                self._drop("comments", *blocks[index:])
                return blocks[:index]
        return blocks

    def _without_title(self, blocks: list[Block]) -> list[Block]:
        """Drop the title where it opens the text, and the lines of author and day around it."""
        kept = []
        for index, block in enumerate(blocks):
            if index < _TITLE_PLACES and self._title and comparable(block.text) == self._title:
                self._drop("title repeated", block)
            elif index < _BYLINE_PLACES and block.kind is not BlockKind.LIST_ITEM and is_byline(block.text):
                self._drop("author and day", block)
            else:
                kept.append(block)
        return kept

    def _without_related(self, blocks: list[Block]) -> list[Block]:
        """Drop lead-ins to other articles with the links that follow them."""
        kept: list[Block] = []
        dropping = in_takeaways = False
        for block, following in pairwise([*blocks, _END]):
            if block.kind is not BlockKind.LIST_ITEM:
                in_takeaways = is_takeaways_label(block.text)
            before_prose = block.kind is BlockKind.HEADING and self._is_prose(following)
            if not in_takeaways and is_related_label(block.text, before_prose=before_prose):
                dropping = True
            elif not (dropping and self._is_link_line(block)):
                dropping = False
            if dropping:
                self._drop("related links", block)
            else:
                kept.append(block)
        return kept

    def _without_tail_of_stories(self, blocks: list[Block]) -> list[Block]:
        """Cut a tail whose headings are all links: other stories with their teasers.

        A small part of the text only: in a list of the ten best, every heading may be a link.
        """
        words = [word_count(block.text) for block in blocks]
        cut = len(blocks)
        headings = 0
        for index in range(len(blocks) - 1, -1, -1):
            if blocks[index].kind is BlockKind.HEADING:
                if comparable(blocks[index].text) not in self._hints.linked:
                    break
                headings += 1
                cut = index
        if headings < 2 or sum(words[cut:]) > _TAIL_MOST * sum(words):
            return blocks
        self._drop("other stories", *blocks[cut:])
        return blocks[:cut]

    def _is_prose(self, block: Block) -> bool:
        return block.kind in (BlockKind.PARAGRAPH, BlockKind.QUOTE) and not self._is_link_line(block)

    def _is_link_line(self, block: Block) -> bool:
        return block.kind is BlockKind.LIST_ITEM or comparable(block.text) in self._hints.linked

    def _without_captions(self, blocks: list[Block]) -> list[Block]:
        """Drop captions standing as paragraphs: known ones, and short lines without a full stop that repeat.

        Many different lines that repeat are a table or a list of results, and stay.
        """
        times = Counter(comparable(block.text) for block in blocks if _is_fragment(block))
        repeated = {line for line, count in times.items() if count > 1}
        if len(repeated) > _REPEATED_MOST or any(times[line] > _REPEATED_MOST for line in repeated):
            repeated = set()
        kept = []
        for block in blocks:
            line = comparable(block.text) if block.kind in _CAPTION_KINDS else ""
            if block.kind is BlockKind.PARAGRAPH and line in self._hints.captions:
                self._drop("caption", block)
            elif line and line in repeated:
                self._drop("caption repeated", block)
            else:
                kept.append(block)
        return kept

    def _without_lines_of_furniture(self, blocks: list[Block]) -> list[Block]:
        kept: list[Block] = []
        in_takeaways = False
        for block in blocks:
            in_takeaways = is_takeaways_label(block.text) or (
                in_takeaways and block.kind is BlockKind.LIST_ITEM
            )
            what = "" if in_takeaways else self._line_of_furniture(block)
            if what:
                self._drop(what, block)
            else:
                kept.append(block)
        return kept

    def _line_of_furniture(self, block: Block) -> str:
        if block.kind is BlockKind.PARAGRAPH and comparable(block.text) in self._hints.linked:
            return "a line that is one link"
        return furniture_of(block.text)

    def _without_author_note(self, blocks: list[Block]) -> list[Block]:
        """Drop the last paragraphs when they introduce an author: "Ada Berg is our man in Oslo."."""
        kept = list(blocks)
        while len(kept) > _NOTE_AFTER and self._is_author_note(kept[-1]):
            self._drop("about the author", kept.pop())
        return kept

    def _is_author_note(self, block: Block) -> bool:
        text = comparable(block.text)
        if block.kind is BlockKind.TABLE_ROW or len(text) > _NOTE_MOST:
            return False
        return any(text == name or _INTRODUCED.match(text, len(name)) for name in self._named_in(text))

    def _named_in(self, text: str) -> list[str]:
        """Return the authors whose whole names a line begins with."""
        return [name for name in self._authors if name and text.startswith(name)]

    def _without_empty_headings(self, blocks: list[Block]) -> list[Block]:
        """Drop what leads to nothing: a short line with a colon before a heading, headings at the end."""
        kept = []
        for block, following in pairwise([*blocks, _END]):
            leads = block.kind is BlockKind.PARAGRAPH and following.kind is BlockKind.HEADING
            if leads and block.text.endswith(":") and word_count(block.text) <= 6:
                self._drop("leads to nothing", block)
            else:
                kept.append(block)
        while kept and kept[-1].kind is BlockKind.HEADING:
            self._drop("heading without text", kept.pop())
        return kept


def _is_fragment(block: Block) -> bool:
    text = block.text
    is_short = block.kind in _CAPTION_KINDS and word_count(text) <= 20
    return is_short and not _SENTENCE_END.search(text) and not is_takeaways_label(text)
