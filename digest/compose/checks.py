"""What is wrong with a finished page, before anyone is sent it: `mail.md`'s rules, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from digest.compose.markup import Element, Outline, outline, outlook_view
from digest.domain.mail import TOKEN_CLOSE, TOKEN_OPEN, Page

HTML_MAX_BYTES = 100_000
"""Gmail cuts a mail's HTML at about 102 KB, and the unsubscribe link with it."""

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
_PLACEHOLDER = re.compile(r"\{\{|\{%|\{#")
_LOADS_FROM_AFAR = re.compile(r"@import|@font-face|url\s*\(|expression\s*\(", re.IGNORECASE)
_STYLES = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)


class Severity(StrEnum):
    """An error must keep a page from being sent; a warning is for an editor to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: how bad, what, and where on the page."""

    severity: Severity
    what: str
    where: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page, and what its HTML holds as most programs read it and as Outlook on Windows does."""

    page: Page
    found: Outline
    for_outlook: Outline


def check_page(page: Page) -> tuple[Finding, ...]:
    """Return what is wrong with `page`, errors first. Empty: it may be sent."""
    seen = _Seen(page, outline(page.html), outline(outlook_view(page.html)))
    findings = dict.fromkeys(finding for check in _CHECKS for finding in check(seen))
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR))


def _error(what: str, where: str = "html") -> Finding:
    return Finding(Severity.ERROR, what, where)


def _warning(what: str, where: str = "html") -> Finding:
    return Finding(Severity.WARNING, what, where)


def _shown(element: Element) -> str:
    return f"<{element.name}> in line {element.line}"


def _check_placeholders(seen: _Seen) -> Iterator[Finding]:
    page = seen.page
    for where, body in (("subject", page.subject), ("html", page.html), ("text", page.text)):
        if TOKEN_OPEN in body or TOKEN_CLOSE in body:
            yield _error("a token was left without a value", where)
    if left := _PLACEHOLDER.search(page.html):
        yield _error(f"an unresolved placeholder: {page.html[left.start() : left.start() + 40]!r}")
    if left := _PLACEHOLDER.search(page.text):
        # An article may rightly speak of braces; in HTML those are escaped, in plain text nobody can tell.
        yield _warning(f"it looks unresolved: {page.text[left.start() : left.start() + 40]!r}", "text")


def _check_size(seen: _Seen) -> Iterator[Finding]:
    size = len(seen.page.html.encode())
    if size >= HTML_MAX_BYTES:
        yield _error(f"{size:,} bytes of HTML; mail programs cut it at {HTML_MAX_BYTES:,}: show fewer items")


def _check_document(seen: _Seen) -> Iterator[Finding]:
    found = seen.found
    root = next(iter(found.named("html")), None)
    if root is None or root.attributes.get("lang", "und") in {"", "und"}:
        yield _error("no language on <html>: screen readers and translators need it")
    if root is None or root.attributes.get("dir") not in {"ltr", "rtl"}:
        yield _error("no direction (ltr or rtl) on <html>")
    if not found.title.strip():
        yield _error("the title is empty", "title")
    metas = {meta.attributes.get("name", "") for meta in found.named("meta")}
    for name in ("viewport", "color-scheme", "x-apple-disable-message-reformatting", "format-detection"):
        if name not in metas:
            yield _warning(f"no <meta name={name}>", "head")


def _check_structure(seen: _Seen) -> Iterator[Finding]:
    found = seen.found
    if len(found.named("h1")) != 1:
        yield _error(f"{len(found.named('h1'))} <h1> where there must be one")
    for table in found.named("table"):
        if table.attributes.get("role") != "presentation":
            yield _warning(f"{_shown(table)} is layout: give it role=presentation")
    if found.imbalance:
        yield _error(f"tags are not balanced: {found.imbalance}")
    if seen.for_outlook.imbalance:
        yield _error(f"tags are not balanced as Outlook reads them: {seen.for_outlook.imbalance}")


def _check_safety(seen: _Seen) -> Iterator[Finding]:
    elements = [*seen.found.elements, *seen.for_outlook.elements]
    for element in elements:
        if element.name in _FORBIDDEN:
            yield _error(f"{_shown(element)} has no place in a mail")
        for name in element.attributes:
            if name.startswith("on"):
                yield _error(f"{_shown(element)} has the script attribute {name}")
    styles = [*_STYLES.findall(seen.page.html), *(e.attributes.get("style", "") for e in elements)]
    if any(_LOADS_FROM_AFAR.search(style) for style in styles):
        yield _error("a style loads something from another host", "style")


def _check_links(seen: _Seen) -> Iterator[Finding]:
    links = seen.found.named("a")
    for link in links:
        if not link.attributes.get("href", "").startswith(("https://", "http://")):
            yield _error(f"link {link.attributes.get('href', '')!r} is not absolute http(s)", _shown(link))
    if not any("unsubscribe" in link.attributes.get("class", "").split() for link in links):
        yield _error("no unsubscribe link: mark it class=unsubscribe", "footer")
    for image in seen.found.named("img"):
        yield from _check_image(image)


def _check_image(image: Element) -> Iterator[Finding]:
    if "alt" not in image.attributes:
        yield _error("an image has no alternative text (alt)", _shown(image))
    if not image.attributes.get("src", "").startswith("https://"):
        yield _error(f"image {image.attributes.get('src', '')!r} is not https", _shown(image))
    if not image.attributes.get("width", "").isdigit():
        yield _warning("an image has no width: Outlook shows it at full size", _shown(image))


def _check_text(seen: _Seen) -> Iterator[Finding]:
    if not seen.page.text.strip():
        yield _error("the text form is empty", "text")
        return
    lines = set(seen.page.text.split())
    for link in seen.found.named("a"):
        needed = "h2" in link.inside or "unsubscribe" in link.attributes.get("class", "").split()
        if needed and link.attributes.get("href") not in lines:
            yield _error(f"the text form lacks the link {link.attributes.get('href')}", "text")


_CHECKS: tuple[Callable[[_Seen], Iterator[Finding]], ...] = (
    _check_placeholders,
    _check_size,
    _check_document,
    _check_structure,
    _check_safety,
    _check_links,
    _check_text,
)
