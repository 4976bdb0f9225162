"""A page without a feed: which of its links are articles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from lxml.etree import _Element

from digest.domain.errors import InvalidInput
from digest.gather.feeds.patterns import shared_pattern, without
from digest.gather.markup import base_of, parsed_page, short_text_of, text_of
from digest.gather.urls import canonical_or_none, joined, same_site

MAX_LINKS = 200
MAX_LINKS_READ = 5_000

_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
# What else feeds are served as; other things are too, so the address has to look like a feed's as well.
_BROAD_TYPES = frozenset({"application/rdf+xml", "application/json", "application/xml", "text/xml"})
_FEED_ADDRESS = re.compile(
    r"(?:/|\b)(?:feeds?|rss|atom|rdf)(?:[/_.-][^?#]*)?(?:$|[?#])|\.(?:rss|atom|rdf)$|[?&](?:feed|format)=(?:rss|atom)",
    re.IGNORECASE,
)
_FEED_TEXT = re.compile(r"\b(?:rss|atom|feeds?|json feed)\b", re.IGNORECASE)
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
_MAX_EXCEPTIONS = 12


@dataclass(slots=True)
class _Link:
    """What all links to one URL show together: a picture, a headline and a "read more" are one article."""

    words: int = 0
    characters: int = 0
    in_heading: bool = False
    in_main: bool = False
    outside_furniture: bool = False

    def add(self, text: str, *, in_heading: bool, in_main: bool, outside_furniture: bool) -> None:
        self.words = max(self.words, len(text.split()))
        self.characters = max(self.characters, len(text))
        self.in_heading |= in_heading and bool(text)
        self.in_main |= in_main
        self.outside_furniture |= outside_furniture


@dataclass(frozen=True, slots=True)
class Learnt:
    """A pattern, and what it makes of the page it was learnt from: its links to the same site, in order."""

    pattern: str
    takes: tuple[str, ...]
    leaves: tuple[str, ...]


def article_links(html: bytes, *, url: str, pattern: str | None = None) -> tuple[str, ...]:
    """Return the canonical URLs of the articles a page lists, in page order, each once, at most 200.

    With `pattern`, a regular expression found somewhere in the absolute URL (`/news/\\d{4}/`), these are
    all links to the same site that match. Without, those that match what `learn_pattern` learns from the
    page or, when it learns nothing, the links outside navigation with the look of a headline: in a heading,
    or four words and 25 characters long. Empty when nothing fits.

    Raises `InvalidInput` when `pattern` is not a regular expression.
    """
    wanted = _compiled(pattern) if pattern else None
    links = _site_links(html, url)
    if wanted:
        return tuple(target for target in links if wanted.search(target))[:MAX_LINKS]
    learnt = _learnt(links)
    return (learnt.takes if learnt else tuple(_headlines(links)))[:MAX_LINKS]


def learn_pattern(html: bytes, *, url: str) -> Learnt | None:
    """Return the pattern that the addresses of the articles on a page share, None when they share none.

    It is learnt from the links with the look of a headline, and dropped when most of what it would take has
    not that look.
    """
    return _learnt(_site_links(html, url))


def _site_links(html: bytes, url: str) -> dict[str, _Link]:
    """Return the canonical URLs of the same site that a page links to, in its order, without its own."""
    tree = parsed_page(html)
    base = base_of(tree, url)
    own = canonical_or_none(url)
    found: dict[str, _Link] = {}
    for element in islice(tree.iter("a"), MAX_LINKS_READ):
        target = joined(base, element.get("href") or "")
        if target is None or target == own or not (own is None or same_site(own, target)):
            continue
        places = {ancestor.tag for ancestor in element.iterancestors()}
        inner = {child.tag for child in element.iter()}
        found.setdefault(target, _Link()).add(
            text_of(element),
            in_heading=bool(_HEADINGS & (places | inner)),
            in_main=bool({"main", "article"} & places),
            outside_furniture=_outside_furniture(element),
        )
    return found


def _headlines(links: Mapping[str, _Link]) -> list[str]:
    return [target for target, link in links.items() if _is_article(target, link)]


def _learnt(links: Mapping[str, _Link]) -> Learnt | None:
    headlines = _headlines(links)
    pattern = shared_pattern(headlines)
    if pattern is None:
        return None
    matching = [target for target in links if re.search(pattern, target)]
    unwanted = {target for target in matching if _NOT_AN_ARTICLE.search(target)}
    takes = tuple(target for target in matching if target not in unwanted)
    taken = frozenset(takes)
    if len(unwanted) > _MAX_EXCEPTIONS or len(taken.intersection(headlines)) * 2 < len(takes):
        return None
    leaves = tuple(target for target in links if target not in taken)
    return Learnt(without(pattern, sorted(unwanted)), takes, leaves)


def advertised_feeds(html: bytes, *, url: str) -> tuple[str, ...]:
    """Return the feeds a page names in its `<link rel="alternate">`, in page order."""
    tree = parsed_page(html)
    base = base_of(tree, url)
    links = [
        target
        for element in tree.iter("link")
        if "alternate" in (element.get("rel") or "").lower().split()
        and (target := joined(base, element.get("href") or ""))
        and _is_feed_type((element.get("type") or "").lower().strip(), target)
    ]
    return tuple(dict.fromkeys(links))


def _is_feed_type(media_type: str, target: str) -> bool:
    return media_type in _FEED_TYPES or (
        media_type in _BROAD_TYPES and bool(_FEED_ADDRESS.search(_path(target)))
    )


def _path(url: str) -> str:
    return url.partition("://")[2].partition("/")[2]


def linked_feeds(html: bytes, *, url: str) -> tuple[str, ...]:
    """Return where a page's ordinary links seem to lead to feeds, by address or by what they say."""
    tree = parsed_page(html)
    base = base_of(tree, url)
    links = [
        target
        for element in tree.iter("a")
        if (target := joined(base, element.get("href") or "")) and _seems_a_feed(target, element)
    ]
    return tuple(dict.fromkeys(links))


def _seems_a_feed(target: str, element: _Element) -> bool:
    said = f"{short_text_of(element, 40)} {element.get('title') or ''} {element.get('type') or ''}"
    return bool(_FEED_ADDRESS.search(_path(target)) or _FEED_TEXT.search(said))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise InvalidInput(
            f"link pattern '{pattern}' is not a regular expression: {exc}. "
            r"Write for instance /news/ or /\d{4}/\d{2}/ as in the articles' addresses"
        ) from exc


def _is_article(target: str, link: _Link) -> bool:
    """Whether a link has the look of a headline outside navigation."""
    if not link.outside_furniture or _NOT_AN_ARTICLE.search(target):
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
