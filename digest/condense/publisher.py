"""The takeaways a publisher printed with the article, recognised by how the page is built.

Four shapes are known, with the label in any language that condense has a list for:

- a heading such as "Key Takeaways", then list items, or paragraphs that begin with a bullet;
- such a heading, then nothing but short paragraphs up to the next heading, or one longer paragraph;
- a paragraph that begins with the label itself: "TL;DR: The council voted to …";
- a list whose first item is the label.

What such a list resembles is no summary: a table of contents repeats the headings below it, a box of other
stories shares next to no word with the article, and tags, questions and "Founded: 1972" tell nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from digest.condense.sentences import split_sentences
from digest.condense.words import count_words, words
from digest.domain.articles import Article, Block, BlockKind, Origin, Span, Takeaway
from digest.domain.summary_labels import SUMMARY_LABELS, bare_label, bare_line, is_summary_label

MOST_ITEMS = 10
"""A longer list is a table of contents, or the article itself."""
SHORTEST_ITEM, LONGEST_ITEM = 3, 60
"""Words of a list item that can be a takeaway."""
LONGEST_FACT = 6
"""Words of an item such as "Founded: 1972", which says nothing of the article."""
MOST_PARAGRAPHS = 6
LONGEST_PARAGRAPH = 35
"""Words of a paragraph without a bullet that can still be a takeaway; an article's own are longer."""
LONGEST_LABELLED = 90
"""Words after "TL;DR:" that are still a summary."""
FEW = 8
"""Different long words below which a text says too little to be compared."""
LEAST_SHARED = 0.2
"""The share of a summary's long words that the rest of its article must have."""
LONGEST_LEAD_IN = 6
"""Words of a heading that ends in a label: "What are the key takeaways?"."""
LONGEST_HEADING = 80
"""Characters of a label; what is longer is a sentence."""

_SIGN = re.compile(r"\s*(?:[•‣▪▫●○◦∙·✓✔☑✅➤►▶▸→]\ufe0f?\s*|[*–—-]\s+)(?=\S)")
_BULLET = re.compile(rf"{_SIGN.pattern}|\s*\d{{1,2}}[.)]\s+(?=\S)")
_INNER_BULLET = re.compile(r"\s+[•▪●◦‣]\s+")
_LABEL = re.compile(r"(?P<label>[^:\n]{3,40}?)\s*(?::|\s[–—-]\s)\s*(?=\S)")
_TLDR = re.compile(r"\W*(?P<label>tl\s?[;:/]?\s?dr)\b[\s:;.,–—-]*(?=\w)", re.IGNORECASE)
"""The one label that needs no mark behind it, and over one paragraph needs no heading below it."""
_FACT = re.compile(r"[^:]{1,30}:\s")
_ASKING = ("?", "?»", "?”", '?"', "؟", "？")

_MAY_HEAD = frozenset({BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM})
_PROSE = frozenset({BlockKind.PARAGRAPH, BlockKind.QUOTE})

_Located = tuple[Span, Block]


def find_published(article: Article) -> tuple[Takeaway, ...]:
    """Return the publisher's takeaways, word for word, each once and in order; empty when there are none.

    A takeaway's support is its own place in the article's text, without bullet or label.
    """
    text = article.text
    found: dict[str, Span] = {}
    for span in _published_spans(article):
        found.setdefault(text[span.start : span.end], span)
    return tuple(Takeaway(told, Origin.PUBLISHER, (span,)) for told, span in found.items())


def _published_spans(article: Article) -> list[Span]:
    located = list(article.located_blocks())
    for index, (span, block) in enumerate(located):
        spans = _under_heading(block, located[index + 1 :], article.language, is_first=not index)
        # Within the article a quotation is somebody else's summary, of something else.
        may_open = block.kind is BlockKind.PARAGRAPH or (block.kind is BlockKind.QUOTE and index == 0)
        spans = spans or (_behind_label(span, block, article.language) if may_open else [])
        told = [article.text[span.start : span.end] for span in spans]
        if told and _are_told(told) and not _lists_contents(told, article) and _is_about(spans, article):
            return spans
    return []


def _are_told(items: Sequence[str]) -> bool:
    """Tell whether most say something: no list of questions, of tags, or of "Founded: 1972"."""
    asked = sum(item.endswith(_ASKING) for item in items)
    tags = sum(count_words(item) < SHORTEST_ITEM for item in items)
    facts = sum(count_words(item) <= LONGEST_FACT and _FACT.match(item) is not None for item in items)
    return 2 * (asked + facts) < len(items) and 3 * tags <= len(items)


def _lists_contents(items: Sequence[str], article: Article) -> bool:
    """Tell whether these are the headings of the article: a table of contents."""
    headings = {bare_line(block.text) for block in article.blocks if block.kind is BlockKind.HEADING}
    return all(bare_line(item) in headings for item in items)


def _is_about(spans: Sequence[Span], article: Article) -> bool:
    """Tell whether they speak of what the rest of the article does; true where little can be compared."""
    text = article.text
    ours = _long_words(" ".join(text[span.start : span.end] for span in spans))
    rest = _long_words(f"{article.title} {text[: spans[0].start]} {text[spans[-1].end :]}")
    return len(ours) < FEW or len(rest) < FEW or len(ours & rest) >= LEAST_SHARED * len(ours)


def _long_words(text: str) -> set[str]:
    """Return the first letters of the words that mostly carry a subject: a stem in any alphabet."""
    return {word[:5] for word in words(text) if len(word) > 4 or word.isdecimal()}


def _under_heading(
    heading: Block, following: Sequence[_Located], language: str | None, *, is_first: bool
) -> list[Span]:
    if not _may_head(heading):
        return []
    if heading.kind is BlockKind.LIST_ITEM and not (following and following[0][1].kind is heading.kind):
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
    if not is_summary_label(heading.text):
        return []
    return _paragraphs(heading, following, language, is_first=is_first)


def _may_head(block: Block) -> bool:
    """Tell whether a block is such a label; a heading may say more: "Key Takeaways from the vote"."""
    if block.kind not in _MAY_HEAD or len(block.text) > LONGEST_HEADING:
        return False
    normal = bare_label(block.text)
    if normal in SUMMARY_LABELS:
        return True
    return block.kind is BlockKind.HEADING and any(
        normal.startswith(f"{known} ")
        or (normal.endswith(f" {known}") and normal.count(" ") < LONGEST_LEAD_IN)
        for known in SUMMARY_LABELS
        if " " in known
    )


def _is_item(block: Block) -> bool:
    if block.kind is BlockKind.LIST_ITEM:
        return True
    return block.kind is BlockKind.PARAGRAPH and _BULLET.match(block.text) is not None


def _items(place: Span, block: Block) -> list[Span]:
    """Return the bullets of one block: usually one, several where a page set them in one line.

    A number stays in an item of a list, which needs none: it may be what the item says, as a day does.
    """
    bullet = (_SIGN if block.kind is BlockKind.LIST_ITEM else _BULLET).match(block.text)
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


def _paragraphs(
    heading: Block, following: Sequence[_Located], language: str | None, *, is_first: bool
) -> list[Span]:
    """Return a section of short paragraphs, or the sentences of a section that is a single one.

    Several that are all the article has are the article: where they would end, nobody can tell.
    """
    section = list(takewhile(lambda located: located[1].kind is not BlockKind.HEADING, following))
    if section and _TLDR.match(f"{heading.text} x"):
        section = section[:1]
    elif heading.kind is not BlockKind.HEADING:
        return []
    if not all(block.kind in _PROSE for _, block in section):
        return []
    if len(section) == 1 and count_words(section[0][1].text) <= LONGEST_LABELLED:
        return _sentences(section[0][0].start, section[0][1].text, language)
    if is_first and len(section) == len(following):
        return []
    short = all(count_words(block.text) <= LONGEST_PARAGRAPH for _, block in section)
    return [span for span, _ in section] if short and len(section) <= MOST_PARAGRAPHS else []


def _behind_label(place: Span, block: Block, language: str | None) -> list[Span]:
    label = _TLDR.match(block.text) or _LABEL.match(block.text)
    if label is None or not is_summary_label(label["label"]):
        return []
    rest = block.text[label.end() :]
    return (
        _sentences(place.start + label.end(), rest, language) if count_words(rest) <= LONGEST_LABELLED else []
    )


def _sentences(start: int, text: str, language: str | None) -> list[Span]:
    return [Span(start + span.start, start + span.end) for span in split_sentences(text, language)]
