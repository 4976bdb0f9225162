"""A page without a feed: which of its links are articles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.etree import _Element

from digest.domain.errors import InvalidInput
from digest.gather.markup import base_of, parsed_page, text_of
from digest.gather.urls import canonical_or_none, joined, same_site

MAX_LINKS = 200

_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5"})
_FURNITURE = frozenset({"nav", "header", "footer", "aside", "form", "menu"})
_FURNITURE_NAME = re.compile(
    r"\b(?:nav(?:igation|bar)?|menu|footer|breadcrumbs?|sidebar|share|social|cookies?|consent|pagination|pager"
    r"|tags?|tag-list|categories|newsletter)\b",
    re.IGNORECASE,
)
_NOT_AN_ARTICLE = re.compile(
    r"/(?:tags?|categor(?:y|ies)|topics?|authors?|sections?|search|page/\d+|login|log-in|signin|sign-in|signup"
    r"|register|subscribe|account|about(?:-us)?|contact(?:-us)?|privacy(?:-policy)?|terms(?:-of-\w+)?|cookies?"
    r"|imprint|impressum|legal|help|faq|jobs|careers|advertis\w*|rss|feeds?|wp-login\.php|cart|shop)"
    r"(?:[/.?]|$)"
    r"|\.(?:jpe?g|png|gif|webp|svg|pdf|zip|mp[34]|xml|json|css|js)$",
    re.IGNORECASE,
)
_MIN_WORDS, _MIN_CHARACTERS = 4, 25


@dataclass(slots=True)
class _Link:
    """What all links to one URL show together: a picture, a headline and a "read more" are one article."""

    words: int = 0
    characters: int = 0
    in_heading: bool = False
    in_main: bool = False

    def add(self, text: str, *, in_heading: bool, in_main: bool) -> None:
        self.words = max(self.words, len(text.split()))
        self.characters = max(self.characters, len(text))
        self.in_heading |= in_heading and bool(text)
        self.in_main |= in_main


def article_links(html: bytes, *, url: str, pattern: str | None = None) -> tuple[str, ...]:
    """Return the canonical URLs of the articles a page lists, in page order, each once, at most 200.

    With `pattern`, a regular expression found somewhere in the absolute URL (`/news/\\d{4}/`), these are
    all links to the same site that match. Without, they are the links outside navigation with the look of
    a headline: in a heading, or four words and 25 characters long. Empty when nothing fits.

    Raises `InvalidInput` when `pattern` is not a regular expression.
    """
    wanted = _compiled(pattern) if pattern else None
    tree = parsed_page(html)
    base = base_of(tree, url)
    own = canonical_or_none(url)
    found: dict[str, _Link] = {}
    for element in tree.iter("a"):
        target = joined(base, element.get("href") or "")
        if target is None or target == own or not (wanted or _outside_furniture(element)):
            continue
        if own is None or same_site(own, target):
            places = {ancestor.tag for ancestor in element.iterancestors()}
            inner = {child.tag for child in element.iter()}
            found.setdefault(target, _Link()).add(
                text_of(element),
                in_heading=bool(_HEADINGS & (places | inner)),
                in_main=bool({"main", "article"} & places),
            )
    keep = [target for target, link in found.items() if _is_article(target, link, wanted)]
    return tuple(keep[:MAX_LINKS])


def advertised_feeds(html: bytes, *, url: str) -> tuple[str, ...]:
    """Return the feeds a page names in its `<link rel="alternate">`, in page order."""
    tree = parsed_page(html)
    base = base_of(tree, url)
    links = [
        joined(base, element.get("href") or "")
        for element in tree.iter("link")
        if "alternate" in (element.get("rel") or "").lower().split()
        and (element.get("type") or "").lower().strip() in _FEED_TYPES
    ]
    return tuple(dict.fromkeys(link for link in links if link))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise InvalidInput(
            f"link pattern '{pattern}' is not a regular expression: {exc}. "
            r"Write for instance /news/ or /\d{4}/\d{2}/ as in the articles' addresses"
        ) from exc


def _is_article(target: str, link: _Link, wanted: re.Pattern[str] | None) -> bool:
    if wanted:
        return bool(wanted.search(target))
    if _NOT_AN_ARTICLE.search(target) or target.count("/") < 3 or target.endswith("://"):
        return False
    headline = link.words >= _MIN_WORDS and link.characters >= _MIN_CHARACTERS
    return headline or (link.in_heading and link.words >= 2) or (link.in_main and link.words >= _MIN_WORDS)


def _outside_furniture(element: _Element) -> bool:
    for ancestor in element.iterancestors():
        if ancestor.tag in ("body", "html", "main", "article"):
            return True
        named = f"{ancestor.get('class') or ''} {ancestor.get('id') or ''} {ancestor.get('role') or ''}"
        if ancestor.tag in _FURNITURE or _FURNITURE_NAME.search(named):
            return False
    return True
