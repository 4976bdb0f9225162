"""An article as gather leaves it, and the takeaways condense makes of it.

An article's text is a list of blocks. `Article.text` joins them, and every offset in this program
(a takeaway's support) counts characters of that joined text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

BLOCK_SEPARATOR = "\n\n"


class BlockKind(StrEnum):
    """What a block of text is on the page."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    QUOTE = "quote"
    TABLE_ROW = "table_row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item… of an article, plain text on one logical line."""

    kind: BlockKind
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of an article's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Image:
    """A picture the article shows: an absolute http(s) URL and its alternative text ('' when it has none)."""

    url: str
    alt: str = ""


class TextOrigin(StrEnum):
    """Where an article's text was read."""

    PAGE = "page"
    FEED = "feed"


class DateOrigin(StrEnum):
    """Which date was believed as the day of publication."""

    FEED = "feed"
    PAGE = "page"
    FIRST_SEEN = "first_seen"


@dataclass(frozen=True, slots=True)
class Article:
    """What one canonical URL says, as it was gathered.

    `title` is never empty. `blocks` is empty when no text could be read; `published_at` is None when
    neither feed nor page gave a date. `language` is an ISO 639-1 code, None when it could not be told.
    `categories` are the feed's and page's own labels, as written there. `note` says in words why the text is
    not the page's ('' when it is). `is_partial` tells that the rest is behind a paywall, `reservation` by
    which signal the publisher keeps others from mining the text ('' when it does not): then it is for
    headline and link only.
    """

    url: str
    title: str
    blocks: tuple[Block, ...] = ()
    language: str | None = None
    published_at: datetime | None = None
    published_by: DateOrigin = DateOrigin.FIRST_SEEN
    byline: str | None = None
    site_name: str | None = None
    image: Image | None = None
    text_origin: TextOrigin = TextOrigin.PAGE
    categories: tuple[str, ...] = ()
    note: str = ""
    is_partial: bool = False
    reservation: str = ""

    @property
    def text(self) -> str:
        """The blocks joined by blank lines: what every offset refers to."""
        return BLOCK_SEPARATOR.join(block.text for block in self.blocks)

    @property
    def word_count(self) -> int:
        """Words of the text, for reading time."""
        return sum(len(block.text.split()) for block in self.blocks)

    def located_blocks(self) -> Iterator[tuple[Span, Block]]:
        """Yield each block with its place in `text`."""
        start = 0
        for block in self.blocks:
            yield Span(start, start + len(block.text)), block
            start += len(block.text) + len(BLOCK_SEPARATOR)


class Style(StrEnum):
    """How a newsletter wants its takeaways put. What extraction makes of it: `digest.condense.styles`."""

    PLAIN = "plain"
    NEUTRAL = "neutral"
    BRIEF = "brief"


class Origin(StrEnum):
    """Who wrote a takeaway."""

    PUBLISHER = "publisher"
    EXTRACTIVE = "extractive"
    LLM = "llm"
    EDITOR = "editor"


@dataclass(frozen=True, slots=True)
class Takeaway:
    """One sentence or bullet, who wrote it, and the places in the article's text that support it.

    `model` and `prompt` name, of a language model's, which one it was and the version of what it was asked;
    both are '' for all others.
    """

    text: str
    origin: Origin
    support: tuple[Span, ...]
    model: str = ""
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A takeaway that a language model wrote and the article does not bear out, and why in words."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a language model's answers to one article came to: tokens read and written, and their price.

    `cost` is in millionths of a US dollar; an answer that was paid for before costs nothing again.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    was_cached: bool = False


@dataclass(frozen=True, slots=True)
class Condensed:
    """What condense made of an article: takeaways in order, or the reason there are none.

    `rejected` and `usage` tell of a language model's part, `note` why it had none though one was asked for.
    """

    takeaways: tuple[Takeaway, ...]
    why_none: str | None = None
    rejected: tuple[Rejected, ...] = ()
    usage: Usage | None = None
    note: str = ""


def reading_minutes(words: int) -> int:
    """Return whole minutes to read `words` at 238 a minute (Brysbaert 2019), at least 1."""
    return max(1, round(words / 238))
