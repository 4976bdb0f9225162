"""MJML compiled to a page, with an error's file and line, which mrml mostly leaves out.

mrml also passes over unknown elements and wrong nesting in silence (mjml-python 1.4), so both are looked
for before it runs. Only our own templates ever get here: deep nesting would overflow its stack.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from mjml import mjml2html

from digest.compose.markup import outline
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
_INDENT = re.compile(r"\n\s+")


def compile_page(source: str, path: Path) -> str:
    """Return the HTML of MJML `source`, its Jinja untouched; `path` is named in errors (`Misconfigured`)."""
    _check_structure(source, path)
    try:
        page: str = mjml2html(source, fonts={})  # its defaults link to a font host
    except ValueError as exc:
        raise Misconfigured(f"{path} line {_line(source, str(exc))}: {exc}; correct the MJML") from exc
    return _INDENT.sub("\n", page)


def _check_structure(source: str, path: Path) -> None:
    found = outline(source)
    for element in found.elements:
        if element.name.startswith("mj") and element.name not in ELEMENTS:
            raise Misconfigured(
                f"{path} line {element.line}: <{element.name}> is not an element templates may use; "
                f"they may use {', '.join(sorted(ELEMENTS))}"
            )
    if found.imbalance:
        raise Misconfigured(f"{path} {found.imbalance}; close every element where it was opened")


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
