"""MJML compiled to a page, with an error's file and line, which mrml mostly leaves out.

mrml also passes over unknown elements and wrong nesting in silence (mjml-python 1.4), so both are looked
for before it runs. Only our own templates ever get here: deep nesting would overflow its stack.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from mjml import mjml2html

from digest.compose.markup import outline
from digest.compose.template_files import Source
from digest.domain.errors import Misconfigured

ELEMENTS = frozenset(
    (
        *("mjml", "mj-head", "mj-title", "mj-attributes", "mj-all", "mj-class", "mj-style", "mj-breakpoint"),
        *("mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-raw", "mj-text", "mj-table"),
        *("mj-image", "mj-button", "mj-divider", "mj-spacer"),
    )
)
"""Not here: what mrml gets wrong, and what loads fonts or pictures from other hosts."""

_POSITION = re.compile(r"position (\d+):")
_LINE = re.compile(r"\bline (\d+)")
_INDENT = re.compile(r"\n\s+")


def compile_page(source: Source) -> str:
    """Return the HTML of MJML `source`, its Jinja untouched. Raises `Misconfigured` with file and line."""
    _check_structure(source)
    try:
        page: str = mjml2html(source.text, fonts={})  # its defaults link to a font host
    except ValueError as exc:
        raise Misconfigured(f"{source.place(_line(source.text, str(exc)))}: {exc}; correct the MJML") from exc
    return _INDENT.sub("\n", page)


def _check_structure(source: Source) -> None:
    found = outline(source.text)
    for element in found.elements:
        if element.name.startswith("mj") and element.name not in ELEMENTS:
            raise Misconfigured(
                f"{source.place(element.line)}: <{element.name}> is not an element templates may use; "
                f"they may use {', '.join(sorted(ELEMENTS))}"
            )
    if found.imbalance:
        told = _LINE.sub(lambda line: source.place(int(line[1])), found.imbalance)
        raise Misconfigured(f"{told}; close every element where it was opened")


def _line(source: str, error: str) -> int:
    """Return the line of an mrml error: from the byte position it gives, else where XML breaks off."""
    if position := _POSITION.search(error):
        return source.encode()[: int(position[1])].count(b"\n") + 1
    parser = expat.ParserCreate()
    parser.UseForeignDTD(True)  # so that &nbsp; and the like are no errors
    try:
        parser.Parse(source, True)
    except expat.ExpatError as exc:
        return exc.lineno
    return 1
