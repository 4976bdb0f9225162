"""The articles' small markup to HTML.

Blocks are separated by blank lines: `## heading`, `### heading`, `- ` and `1. ` lists, `> ` quotes,
`| tables |` whose second row is dashes, and paragraphs. Inside a block: `*emphasis*` and `**strong**`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_EMPHASIS = re.compile(r"(\*\*?)(\S.*?)\1")
_NUMBERED = re.compile(r"\d+\. ")
_TABLE_RULE = re.compile(r"[|\- ]+")


@dataclass(frozen=True, slots=True)
class Markup:
    """How a site marks up its paragraphs and headings: HTML with `{}` where the text goes."""

    paragraph: str = "<p>{}</p>"
    heading: str = "<h2>{}</h2>"


def to_html(body: str, markup: Markup) -> tuple[str, ...]:
    """Return each block of `body` as HTML, in order. A list or a table is one block."""
    return tuple(_block(block, markup) for block in body.split("\n\n"))


def inline(text: str) -> str:
    """Return `text` escaped, with its emphasis marked up."""
    return _EMPHASIS.sub(_emphasised, html.escape(text, quote=False))


def _emphasised(match: re.Match[str]) -> str:
    tag = "strong" if match[1] == "**" else "em"
    return f"<{tag}>{match[2]}</{tag}>"


def _block(block: str, markup: Markup) -> str:
    if block.startswith("#"):
        return markup.heading.format(inline(block.lstrip("# ")))
    if block.startswith("- "):
        return _list("ul", (line.removeprefix("- ") for line in block.splitlines()))
    if _NUMBERED.match(block):
        return _list("ol", (_NUMBERED.sub("", line, count=1) for line in block.splitlines()))
    if block.startswith("> "):
        quoted = "<br>".join(inline(line.removeprefix("> ")) for line in block.splitlines())
        return f"<blockquote><p>{quoted}</p></blockquote>"
    if block.startswith("| "):
        return _table(block.splitlines())
    return markup.paragraph.format(inline(block))


def _list(tag: str, items: Iterator[str]) -> str:
    return f"<{tag}>\n" + "".join(f"<li>{inline(item)}</li>\n" for item in items) + f"</{tag}>"


def _table(lines: list[str]) -> str:
    head, *rows = (line for line in lines if not _TABLE_RULE.fullmatch(line))
    body = "".join(_row("td", row) for row in rows)
    return f"<table>\n<thead>{_row('th', head)}</thead>\n<tbody>{body}</tbody>\n</table>"


def _row(tag: str, line: str) -> str:
    cells = (cell.strip() for cell in line.strip("|").split("|"))
    return "<tr>" + "".join(f"<{tag}>{inline(cell)}</{tag}>" for cell in cells) + "</tr>\n"
