"""An article saved as plain text: blocks by the conventions of text, since there is no markup to tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from digest.domain.articles import Block, BlockKind
from digest.gather.pages.phrases import is_comments_label, is_related_label, is_takeaways_label
from digest.gather.plain import plain_line, word_count

_BULLET = re.compile(r"^\s*(?:[•‣▪●◦∙·*+–—-]|\d{1,2}[.)])\s+(?=\S)")
_QUOTED = re.compile(r"^\s*>\s?")
_SENTENCE_END = re.compile(r"[.!…:;,]['\"”’»)\]]*$")
_HEADING_WORDS = 14
_TITLE_CHARACTERS = 200
# Lines at least this long were not wrapped by hand: each is a paragraph of its own.
_UNWRAPPED = 120


def plain_text_blocks(text: str) -> tuple[str, tuple[Block, ...]]:
    """Return the title of a text and its blocks. The title is '' when the first line reads like a sentence.

    Blank lines part paragraphs and lines of one paragraph join, unless they are longer than anyone wraps at.
    A line with a bullet or number is a list item; a short line by itself without an end mark, before
    something it can head, is a heading.
    """
    lines = [line for group in _groups(text) for line in _lines(group)]
    title = ""
    if lines and _can_be_title(lines[0]):
        title = _without_mark(lines.pop(0).text)
    return title, tuple(_with_headings(lines))


def _groups(text: str) -> Iterator[list[str]]:
    """Yield the lines between blank lines."""
    group: list[str] = []
    for line in text.expandtabs(4).splitlines():
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _lines(group: list[str]) -> Iterator[Block]:
    """Yield the blocks of one group: list items with their continuation lines, quotes, paragraphs."""
    kind = BlockKind.PARAGRAPH
    words: list[str] = []
    for line in group:
        if _BULLET.match(line) or (words and _stands_alone(line, words[-1], kind)):
            yield from _block(kind, words)
            words = []
            kind = BlockKind.LIST_ITEM if _BULLET.match(line) else BlockKind.PARAGRAPH
        if _QUOTED.match(line) and not words:
            kind = BlockKind.QUOTE
        words.append(_QUOTED.sub("", _BULLET.sub("", line)))
    yield from _block(kind, words)


def _stands_alone(line: str, before: str, kind: BlockKind) -> bool:
    """Say whether a line begins a new paragraph: long ones do, and what follows an item at its left."""
    if kind is BlockKind.LIST_ITEM:
        return not line.startswith(" ")
    return len(before) > _UNWRAPPED or len(line) > _UNWRAPPED or bool(_marked_heading(line))


def _block(kind: BlockKind, words: list[str]) -> Iterator[Block]:
    text = plain_line(" ".join(words))
    if text:
        yield Block(kind, text)


def _can_be_title(block: Block) -> bool:
    is_line = block.kind is BlockKind.PARAGRAPH and len(block.text) <= _TITLE_CHARACTERS
    return is_line and (not _SENTENCE_END.search(block.text) or bool(_marked_heading(block.text)))


def _with_headings(blocks: list[Block]) -> Iterator[Block]:
    for index, block in enumerate(blocks):
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        if block.kind is BlockKind.PARAGRAPH and _is_heading(block.text, following):
            yield Block(BlockKind.HEADING, _without_mark(block.text))
        else:
            yield block


def _is_heading(text: str, following: Block | None) -> bool:
    if _marked_heading(text) or is_takeaways_label(text):
        return True
    looks_like_one = word_count(text) <= _HEADING_WORDS and not _SENTENCE_END.search(text)
    if not looks_like_one or following is None or text[:1].upper() != text[:1]:
        return False
    before_prose = following.kind is BlockKind.PARAGRAPH and word_count(following.text) > _HEADING_WORDS
    return not is_related_label(text, before_prose=before_prose) and not is_comments_label(text)


def _without_mark(text: str) -> str:
    return _marked_heading(text) or text


def _marked_heading(line: str) -> str:
    """Return the text of a heading marked by one to six `#`, '' when a line is none."""
    line = line.strip()
    text = line.lstrip("#")
    is_marked = 0 < len(line) - len(text) <= 6 and text[:1].isspace()
    return text.strip().rstrip("#").rstrip() if is_marked else ""
