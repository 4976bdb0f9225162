"""The picture an article leads with: not a logo, not a stand-in, not a pixel that counts visitors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urljoin, urlsplit

from lxml.etree import _Element

from digest.domain.articles import Image
from digest.gather.pages.declarations import Declarations
from digest.gather.pages.evidence import Candidate
from digest.gather.plain import comparable, plain_from_html
from digest.gather.urls import is_http_url

ALT_MOST = 300

# File names of what sites show when an article has no picture of its own.
_STAND_IN = re.compile(
    r"logo|place-?holder|favicon|sprite|no-?image|gravatar|avatar"
    r"|(?<![a-z])(?:default|blank|spacer|pixel|transparent|fallback)(?![a-z])"
    r"|default[_-]?(?:share|social|og|image|thumb|card)|(?:share|social|og)[_-]?(?:default|fallback|card)"
    r"|(?:share|social)[_-]?image",
    re.IGNORECASE,
)
_SMALLEST = 100
_LARGE = 300
_OUTSIDE = ("a", "aside", "nav", "footer", "form", "li")
_FILE_MOST = 300


def lead_image_of(page: Declarations) -> tuple[Image | None, tuple[Candidate, ...]]:
    """Return the picture an article leads with, None without one, and what it was chosen from."""
    candidates: list[Candidate] = []
    chosen: Image | None = None
    for where, link, alt in _shown(page):
        if chosen is not None:
            candidates.append(Candidate(where, link[:300]))
            continue
        url, doubt = _picture_url(page.base, link)
        if url is not None:
            chosen = Image(url, _alternative(page, url, alt))
        candidates.append(Candidate(where, (url or link)[:300], url is not None, doubt))
    return chosen, tuple(candidates)


def _shown(page: Declarations) -> Iterator[tuple[str, str, str]]:
    """Yield where a picture is named, its URL as written and its alternative text; the surest place first."""
    too_small = _is_tiny(page.first("og:image:width")) or _is_tiny(page.first("og:image:height"))
    alt = page.first("og:image:alt", "twitter:image:alt")
    if not too_small:
        for name in ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"):
            yield from ((f"meta {name}", link, alt) for link in page.all(name)[:3])
    yield from (("JSON-LD image", link, "") for link in page.article.urls("image")[:3])
    yield from (("JSON-LD thumbnailUrl", link, "") for link in page.article.texts("thumbnailUrl")[:1])
    yield from (("link rel=image_src", link, "") for link in page.links("image_src")[:1])
    yield from _figures(page.tree)


def _figures(tree: _Element) -> Iterator[tuple[str, str, str]]:
    """Yield the first picture after the headline that is surely a large one of this article."""
    headline = next(tree.iter("h1"), None)
    around = () if headline is None else headline.iterancestors("article", "main")
    article = next(iter(around), None)
    is_after = False
    for element in () if article is None else article.iter("h1", "img"):
        is_after = is_after or element is headline
        source = element.get("src") or element.get("data-src") or ""
        if is_after and source and not source.startswith("data:") and _is_large(element):
            yield "the first large picture", source, element.get("alt") or ""
            return


def _is_large(image: _Element) -> bool:
    """Say whether a picture is shown large; what is all a link leads to another article."""
    around = [ancestor.tag for ancestor in image.iterancestors()]
    if any(tag in _OUTSIDE for tag in around):
        return False
    width = image.get("width") or ""
    if width.isascii() and width.isdigit() and len(width) < 6:
        return int(width) >= _LARGE
    return "figure" in around


def _is_tiny(size: str) -> bool:
    return size.isascii() and size.isdigit() and len(size) < 6 and int(size) < _SMALLEST


def _picture_url(base: str, link: str) -> tuple[str | None, str]:
    """Return a picture's absolute URL as it is written (a signed query would not survive canonical form),
    or None and why it is no picture of the article.
    """
    try:
        url = urljoin(base, link.strip())
    except ValueError:
        url = ""
    if not is_http_url(url):
        return None, "it is not an http(s) address"
    if _STAND_IN.search(_file_of(url)):
        return None, "by its name it is a logo or a stand-in"
    return url, ""


def _file_of(url: str) -> str:
    """Return the name of a picture's file; a resizing service names the original in its query."""
    parts = urlsplit(url)
    try:
        originals = [
            value for value in parse_qs(parts.query, max_num_fields=50).get("url", []) if "/" in value
        ]
    except ValueError:
        originals = []
    path = urlsplit(originals[0]).path if originals else parts.path
    return path.rstrip("/").rpartition("/")[2][-_FILE_MOST:]


def _alternative(page: Declarations, url: str, alt: str) -> str:
    """Return the alternative text: what is declared, else that of the same file where the page shows it."""
    file = _file_of(url)
    if not alt and file:
        shown = (e for e in page.tree.iter("img") if file in (e.get("src") or ""))
        alt = next((found for image in shown if (found := image.get("alt"))), "")
    text = plain_from_html(alt[: 2 * ALT_MOST])[:ALT_MOST]
    return "" if comparable(text) == comparable(file) else text
