"""What is wrong with a finished page, before anyone is sent it: `mail.md`'s rules, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from digest.compose.markup import Element, Outline, outline, outlook_view
from digest.domain.counting import counted
from digest.domain.mail import PREHEADER_MAX, PREHEADER_MIN, TOKEN_CLOSE, TOKEN_OPEN, Page

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
_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark")
_CHARSET = re.compile(r"charset=utf-8", re.IGNORECASE)
_SIZE = re.compile(r"font-size:\s*(\d+)px")
_PALE = re.compile(r"(?<!-)color:\s*(?:#fff(?:fff)?\b|white\b|transparent\b)", re.IGNORECASE)
_ON_THIS_MACHINE = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])[:/]")
"""Links that only a trial installation writes."""

SMALLEST_TEXT = 12
_METAS = (
    "viewport",
    "color-scheme",
    "supported-color-schemes",
    "x-apple-disable-message-reformatting",
    "format-detection",
)
_SAYS_NOTHING = frozenset(
    (
        *("click here", "here", "link", "more", "read more", "learn more", "this link"),
        *("hier", "hier klicken", "mehr", "mehr lesen", "weiterlesen", "weiter"),
        *("ici", "cliquez ici", "lire la suite", "en savoir plus", "aquí", "haga clic aquí", "leer más"),
    )
)
"""Words of a link that do not say where it goes."""

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
    owes: Collection[str]


DIGEST_OWES = ("unsubscribe", "preferences", "online", "why", "postal")
"""What an issue's mail owes its reader, by the class that a template marks it with."""


def check_page(page: Page, *, owes: Collection[str] = DIGEST_OWES) -> tuple[Finding, ...]:
    """Return what is wrong with `page`, errors first. Empty: it may be sent.

    `owes` is what must stand in it: other mails owe their reader less than an issue does.
    """
    seen = _Seen(page, outline(page.html), outline(outlook_view(page.html)), owes)
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
    metas = found.named("meta")
    if not any(_is_utf8(meta) for meta in metas):
        yield _error("no charset=utf-8 in a <meta>: letters beyond ASCII may be garbled", "head")
    names = {meta.attributes.get("name", "") for meta in metas}
    for name in _METAS:
        if name not in names:
            yield _warning(f"no <meta name={name}>", "head")
    if not any(_DARK.search(style) for style in _STYLES.findall(seen.page.html)):
        yield _warning("no colours for a dark screen (@media prefers-color-scheme: dark)", "style")


def _is_utf8(meta: Element) -> bool:
    declared = meta.attributes.get("charset", "").lower() == "utf-8"
    return declared or bool(_CHARSET.search(meta.attributes.get("content", "")))


def _check_structure(seen: _Seen) -> Iterator[Finding]:
    found = seen.found
    if len(found.named("h1")) != 1:
        yield _error(f"{len(found.named('h1'))} <h1> where there must be one")
    for heading in found.named("h1", "h2"):
        if not found.text_of(heading):
            yield _error(f"{_shown(heading)} says nothing")
    for point in found.named("li"):
        if not {"ul", "ol"} & set(point.inside):
            yield _error(f"{_shown(point)} is not in a list")
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
        words = seen.found.text_of(link)
        if not words:
            yield _error(f"the link to {link.attributes.get('href', '')} has no words", _shown(link))
        if words.lower().strip(" .…>→»") in _SAYS_NOTHING:
            yield _warning(f"a link's words must say where it goes: {words!r}", _shown(link))
    in_the_clear = [link.attributes["href"] for link in links if _is_in_the_clear(link)]
    if in_the_clear:
        yield _warning(f"{counted(len(in_the_clear), 'link')} not https, first {in_the_clear[0]}", "links")


def _is_in_the_clear(link: Element) -> bool:
    url = link.attributes.get("href", "")
    return url.startswith("http://") and not _ON_THIS_MACHINE.match(url)


_OWED = {
    "unsubscribe": "no unsubscribe link",
    "preferences": "no link to the reader's preferences",
    "online": "no link to the mail online",
    "why": "it does not say why the reader got it",
}
"""What is said of each that a mail owes and has not; a missing postal address is for an editor to judge."""


def _check_footer(seen: _Seen) -> Iterator[Finding]:
    for name in seen.owes:
        if any(seen.found.text_of(element) for element in seen.found.of_class(name)):
            continue
        if name == "postal":
            yield _warning("no postal address: mark it class=postal", "footer")
        else:
            yield _error(f"{_OWED[name]}: mark it class={name}", "footer")


def _check_preheader(seen: _Seen) -> Iterator[Finding]:
    preheader = next(iter(seen.found.of_class("preheader")), None)
    if preheader is None:
        yield _warning("no preheader: mark it class=preheader", "preheader")
        return
    said, padding, _ = seen.found.text_of(preheader).partition("\u034f")
    length = len(said.strip())
    if not PREHEADER_MIN <= length <= PREHEADER_MAX:
        wanted = f"{PREHEADER_MIN} to {PREHEADER_MAX} show best"
        yield _warning(f"the preheader has {counted(length, 'character')}; {wanted}", "preheader")
    if not padding:
        yield _warning("nothing keeps the text after the preheader out of the inbox's list", "preheader")
    if _PALE.search(preheader.attributes.get("style", "")):
        yield _warning("the preheader is white on white: spam filters count that", "preheader")


def _check_sizes(seen: _Seen) -> Iterator[Finding]:
    for element in seen.found.elements:
        sizes = map(int, _SIZE.findall(element.attributes.get("style", "")))
        if any(0 < size < SMALLEST_TEXT for size in sizes):
            yield _warning(f"text below {SMALLEST_TEXT} px is hard to read", _shown(element))


def _check_layout(seen: _Seen) -> Iterator[Finding]:
    """Say what this edition had no room for: nothing is wrong with it, but an editor should know."""
    headlines = len(seen.found.of_class("headline"))
    if headlines:
        are = "is" if headlines == 1 else "are"
        yield _warning(
            f"{counted(headlines, 'article')} {are} only a headline here, for want of room", "layout"
        )
    for more in seen.found.of_class("more"):
        yield _warning(f"not all articles have room here: '{seen.found.text_of(more)}'", "layout")


def _check_images(seen: _Seen) -> Iterator[Finding]:
    pictures = seen.found.named("img")
    for image in pictures:
        yield from _check_image(image)
    if pictures and not any(seen.found.text_of(text) for text in seen.found.named("p", "li")):
        yield _error("it is all pictures: whoever does not load them sees nothing")


def _check_image(image: Element) -> Iterator[Finding]:
    if "alt" not in image.attributes:
        yield _error("an image has no alternative text (alt)", _shown(image))
    if not image.attributes.get("src", "").startswith("https://"):
        yield _error(f"image {image.attributes.get('src', '')!r} is not https", _shown(image))
    if not image.attributes.get("width", "").isdigit():
        yield _warning("an image has no width: Outlook shows it at full size", _shown(image))


_IN_BOTH_FORMS = frozenset({"unsubscribe", "preferences", "online", "act"})
"""Links, by their class, that the text form must have as well: `act` is what a letter is for."""


def _check_text(seen: _Seen) -> Iterator[Finding]:
    if not seen.page.text.strip():
        yield _error("the text form is empty", "text")
        return
    lines = set(seen.page.text.split())
    for link in seen.found.named("a"):
        needed = "h2" in link.inside or bool(link.classes & _IN_BOTH_FORMS)
        if needed and link.attributes.get("href") not in lines:
            yield _error(f"the text form lacks the link {link.attributes.get('href')}", "text")


_CHECKS: tuple[Callable[[_Seen], Iterator[Finding]], ...] = (
    _check_placeholders,
    _check_size,
    _check_document,
    _check_structure,
    _check_safety,
    _check_links,
    _check_images,
    _check_footer,
    _check_preheader,
    _check_sizes,
    _check_layout,
    _check_text,
)
