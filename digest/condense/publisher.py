"""The takeaways a publisher printed with the article, recognised by how the page is built.

Three shapes are known, with the label in any language that condense has a list for:

- a heading such as "Key Takeaways", then list items, or paragraphs that begin with a bullet;
- such a heading, then nothing but short paragraphs up to the next heading;
- a paragraph that begins with the label itself: "TL;DR: The council voted to …".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import takewhile

from digest.condense.language import known_languages
from digest.condense.sentences import split_sentences
from digest.condense.words import count_words
from digest.domain.articles import Article, Block, BlockKind, Origin, Span, Takeaway

MOST_ITEMS = 10
"""A longer list is a table of contents, or the article itself."""
LONGEST_ITEM = 60
"""Words of a list item that can still be a takeaway."""
MOST_PARAGRAPHS = 6
LONGEST_PARAGRAPH = 35
"""Words of a paragraph without a bullet that can still be a takeaway; an article's own are longer."""
LONGEST_LABELLED = 90
"""Words after "TL;DR:" that are still a summary."""
LONGEST_HEADING = 80
"""Characters of a label; what is longer is a sentence."""

_BULLET = re.compile(r"\s*(?:[•▪●◦‣·*✓✔➤►→–—-]|\d{1,2}[.)])\s+(?=\S)")
_INNER_BULLET = re.compile(r"\s+[•▪●◦‣]\s+")
_LABEL = re.compile(r"(?P<label>[^:\n]{3,40}?)\s*(?::|\s[–—-]\s)\s*(?=\S)")
_SPACE = re.compile(r"\s+")

_Located = tuple[Span, Block]


def find_published(article: Article) -> tuple[Takeaway, ...]:
    """Return the publisher's takeaways, word for word and in order; empty when the article has none.

    A takeaway's support is its own place in the article's text, without bullet or label.
    """
    text = article.text
    return tuple(
        Takeaway(text[span.start : span.end], Origin.PUBLISHER, (span,)) for span in _published_spans(article)
    )


def _published_spans(article: Article) -> list[Span]:
    located = list(article.located_blocks())
    for index, (span, block) in enumerate(located):
        spans = _under_heading(block, located[index + 1 :]) or _behind_label(span, block, article.language)
        if spans:
            return spans
    return []


def _under_heading(heading: Block, following: Sequence[_Located]) -> list[Span]:
    if not _may_head(heading):
        return []
    if following and following[0][1].text.rstrip().endswith(":") and not _is_item(following[0][1]):
        following = following[1:]
    items = list(takewhile(lambda located: _is_item(located[1]), following))
    if items:
        spans = [span for located in items for span in _items(*located)]
        short = all(
            count_words(block.text) <= LONGEST_ITEM * len(_items(span, block)) for span, block in items
        )
        return spans if short and len(spans) <= MOST_ITEMS else []
    return _short_paragraphs(heading, following) if _normal(heading.text) in _headings() else []


def _may_head(block: Block) -> bool:
    """Tell whether a block is such a label; a heading may go on: "Key Takeaways from the vote"."""
    if block.kind not in (BlockKind.HEADING, BlockKind.PARAGRAPH) or len(block.text) > LONGEST_HEADING:
        return False
    normal = _normal(block.text)
    if normal in _headings():
        return True
    return block.kind is BlockKind.HEADING and any(
        normal.startswith(f"{known} ") for known in _headings() if " " in known
    )


def _is_item(block: Block) -> bool:
    if block.kind is BlockKind.LIST_ITEM:
        return True
    return block.kind is BlockKind.PARAGRAPH and _BULLET.match(block.text) is not None


def _items(place: Span, block: Block) -> list[Span]:
    """Return the bullets of one block: usually one, several where a page set them in one line."""
    bullet = _BULLET.match(block.text)
    starts, ends = [bullet.end() if bullet else 0], []
    for inner in _INNER_BULLET.finditer(block.text, starts[0]):
        ends.append(inner.start())
        starts.append(inner.end())
    ends.append(len(block.text.rstrip()))
    return [
        Span(place.start + start, place.start + end)
        for start, end in zip(starts, ends, strict=True)
        if start < end
    ]


def _short_paragraphs(heading: Block, following: Sequence[_Located]) -> list[Span]:
    if heading.kind is not BlockKind.HEADING:
        return []
    section = list(takewhile(lambda located: located[1].kind is not BlockKind.HEADING, following))
    is_list = 0 < len(section) <= MOST_PARAGRAPHS and all(
        block.kind is BlockKind.PARAGRAPH and count_words(block.text) <= LONGEST_PARAGRAPH
        for _, block in section
    )
    return [span for span, _ in section] if is_list else []


def _behind_label(place: Span, block: Block, language: str | None) -> list[Span]:
    label = _LABEL.match(block.text) if block.kind is BlockKind.PARAGRAPH else None
    if label is None or _normal(label["label"]) not in _headings():
        return []
    rest = block.text[label.end() :]
    if count_words(rest) > LONGEST_LABELLED:
        return []
    start = place.start + label.end()
    return [Span(start + span.start, start + span.end) for span in split_sentences(rest, language)]


@cache
def _headings() -> frozenset[str]:
    return frozenset(_normal(text) for language in known_languages() for text in language.takeaway_headings)


def _normal(text: str) -> str:
    """Return `text` as headings are compared: case-folded, no decoration at either end, plain apostrophes."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _SPACE.sub(" ", re.sub(r"^\W+|\W+$", "", folded))
