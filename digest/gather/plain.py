"""Plain text as every later stage expects it: one logical line, nothing a mail or a terminal would obey."""

from __future__ import annotations

import html
import re
import unicodedata

# Control and format characters that hide or reorder text. ZWJ and ZWNJ stay: scripts and emoji need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\ufffb\ue000\ue001\ud800-\udfff\U000e0000-\U000e007f]"
)
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[a-zA-Z/!?][^<>]*>", re.DOTALL)
_BLOCK_TAG = re.compile(r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|th|blockquote)\b[^<>]*>", re.IGNORECASE)
_FORMATTING_TAG = re.compile(
    r"</?(?:b|i|em|strong|a|span|br|p|sub|sup|u|s|small|font|mark|q|cite|code)(?:\s[^<>]*)?/?>", re.IGNORECASE
)


def plain_line(text: str) -> str:
    """Return `text` on one line: no control characters, no digest tokens, single spaces, NFC."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line  # most lines are: nothing unwanted is printable ASCII
    return unicodedata.normalize("NFC", " ".join(_UNWANTED.sub("", text).split()))


def plain_from_html(markup: str) -> str:
    """Return what a reader sees of a short piece of HTML (a title, a label) on one line.

    Feeds escape titles once too often: formatting tags that appear only after decoding go as well.
    A `<` that opens no tag stays.
    """
    text = html.unescape(_TAG.sub("", _BLOCK_TAG.sub(" ", markup)))
    return plain_line(html.unescape(_FORMATTING_TAG.sub("", text)))


def plain_from_text(text: str) -> str:
    """Return a title that its feed calls plain text on one line; a tag in it is what the title says.

    What was escaped once too often is mended here too: `AT&amp;T`, and formatting tags.
    """
    return plain_line(html.unescape(_FORMATTING_TAG.sub("", text)))


def comparable(text: str) -> str:
    """Return `text` reduced to its letters and digits, case folded, for "is this the same line?"."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def word_count(text: str) -> int:
    """Return how many words `text` has; a run without spaces counts by its characters (Chinese, Thai)."""
    return max(len(text.split()), len(text) // 12)
