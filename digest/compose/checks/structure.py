"""Whether a page is made as a mail must be: its document, its structure, and nothing that runs or loads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from digest.compose.checks.cascade import STYLES
from digest.compose.checks.findings import Finding, error, warning
from digest.compose.checks.seen import Seen, shown
from digest.compose.markup import Element

SMALLEST_TEXT = 12

_FORBIDDEN = (
    "script",
    "form",
    "iframe",
    "object",
    "embed",
    "link",
    "base",
    "input",
    "button",
    "video",
    "audio",
)
_LOADS_FROM_AFAR = re.compile(r"@import|@font-face|url\s*\(|expression\s*\(", re.IGNORECASE)
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark")
_CHARSET = re.compile(r"charset=utf-8", re.IGNORECASE)
_SIZE = re.compile(r"font-size:\s*(\d+)px")
_METAS = (
    "viewport",
    "color-scheme",
    "supported-color-schemes",
    "x-apple-disable-message-reformatting",
    "format-detection",
)


def check_document(seen: Seen) -> Iterator[Finding]:
    """Look at what a page says of itself: language, direction, title, charset, colour schemes."""
    found = seen.found
    root = next(iter(found.named("html")), None)
    if root is None or root.attributes.get("lang", "und") in {"", "und"}:
        yield error("no language on <html>: screen readers and translators need it")
    if root is None or root.attributes.get("dir") not in {"ltr", "rtl"}:
        yield error("no direction (ltr or rtl) on <html>")
    if not found.title.strip():
        yield error("the title is empty", "title")
    metas = found.named("meta")
    if not any(_is_utf8(meta) for meta in metas):
        yield error("no charset=utf-8 in a <meta>: letters beyond ASCII may be garbled", "head")
    names = {meta.attributes.get("name", "") for meta in metas}
    for name in _METAS:
        if name not in names:
            yield warning(f"no <meta name={name}>", "head")
    if not any(_DARK.search(style) for style in STYLES.findall(seen.html)):
        yield warning("no colours for a dark screen (@media prefers-color-scheme: dark)", "style")


def _is_utf8(meta: Element) -> bool:
    declared = meta.attributes.get("charset", "").lower() == "utf-8"
    return declared or bool(_CHARSET.search(meta.attributes.get("content", "")))


def check_structure(seen: Seen) -> Iterator[Finding]:
    """Look for headings of nothing, points outside lists, tables that read as data, tags left open."""
    found = seen.found
    for heading in found.named("h1", "h2"):
        if not found.text_of(heading):
            yield error(f"{shown(heading)} says nothing")
    for point in found.named("li"):
        if not {"ul", "ol"} & set(point.inside):
            yield error(f"{shown(point)} is not in a list")
    for table in found.named("table"):
        if table.attributes.get("role") != "presentation":
            yield warning(f"{shown(table)} is layout: give it role=presentation")
    if found.imbalance:
        yield error(f"tags are not balanced: {found.imbalance}")
    if seen.for_outlook.imbalance:
        yield error(f"tags are not balanced as Outlook reads them: {seen.for_outlook.imbalance}")


def check_safety(seen: Seen) -> Iterator[Finding]:
    """Look for what has no place in a mail: scripts, forms, frames, styles that load something."""
    elements = [*seen.found.elements, *seen.for_outlook.elements]
    for element in elements:
        if element.name in _FORBIDDEN:
            yield error(f"{shown(element)} has no place in a mail")
        for name in element.attributes:
            if name.startswith("on"):
                yield error(f"{shown(element)} has the script attribute {name}")
    styles = [*STYLES.findall(seen.html), *(e.attributes.get("style", "") for e in elements)]
    if any(_LOADS_FROM_AFAR.search(style) for style in styles):
        yield error("a style loads something from another host", "style")


def check_sizes(seen: Seen) -> Iterator[Finding]:
    """Look for text too small to read."""
    for element in seen.found.elements:
        sizes = map(int, _SIZE.findall(element.attributes.get("style", "")))
        if any(0 < size < SMALLEST_TEXT for size in sizes):
            yield warning(f"text below {SMALLEST_TEXT} px is hard to read", shown(element))
