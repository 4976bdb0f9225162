"""Where an entry leads, of all the links that feeds put beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lxml.etree import _Element

from digest.gather.feeds.fields import Fields, attribute, text_in
from digest.gather.urls import MAX_LENGTH, canonical_or_none, joined

MAX_LINKS = 20
"""Of one entry, of each sort: to parse an address costs 0.1 ms, so thousands must not be tried."""
MAX_BASE = 500
"""Characters of an xml:base: it is parsed again for every link it holds for."""

_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_BARE_HOST = re.compile(r"www\.[\w-]+\.[\w./?=&%#-]+", re.IGNORECASE)


def leads_to(fields: Fields, feed_url: str, site: str | None) -> str | None:
    """Return the canonical URL of an entry's article, None when it has none.

    The original that a feed proxy names comes first, then the entry's link, then an id that is a permalink
    (identity is the URL: ids change, and are believed no further), then the page it was found `via`. A link
    to nothing but the site's front page gives way to a permalink.
    """
    link = next(_resolved(_links(fields), feed_url), None)
    if link is not None and link != site:
        return link
    return next(_resolved(_fallbacks(fields), feed_url), None) or link


def linked_site(channel: Fields, feed_url: str) -> str | None:
    """Return the page that a feed names as its site, canonical."""
    return next(_resolved(_links(channel), feed_url), None)


def _resolved(links: Iterator[tuple[_Element, str]], feed_url: str) -> Iterator[str]:
    for element, written in islice(links, MAX_LINKS):
        link = "".join(written.split("\n")).strip()
        if not 0 < len(link) <= MAX_LENGTH:
            continue
        if _ABSOLUTE.match(link):
            found = canonical_or_none(link)
        elif _BARE_HOST.fullmatch(link):
            found = canonical_or_none(f"https://{link}")
        else:
            base = element.base or feed_url
            found = joined(base if len(base) <= MAX_BASE else feed_url, link)
        if found:
            yield found


def _links(fields: Fields) -> Iterator[tuple[_Element, str]]:
    for element in fields.all("feedburner:origlink", "?:origlink"):
        yield element, text_in(element)
    linked = list(fields.all("link", "atom:link"))
    alternates = [link for link in linked if attribute(link, "rel").lower() in ("", "alternate")]
    alternates.sort(key=_is_not_html)
    for element in alternates:
        yield element, attribute(element, "href") or text_in(element)


def _is_not_html(link: _Element) -> bool:
    return "html" not in (attribute(link, "type") or "text/html").lower()


def _fallbacks(fields: Fields) -> Iterator[tuple[_Element, str]]:
    for element in fields.all("guid", "id", "atom:id"):
        if attribute(element, "isPermaLink").lower() != "false" and _ABSOLUTE.match(text_in(element)):
            yield element, text_in(element)
    about = attribute(fields.element, "about")
    if _ABSOLUTE.match(about):
        yield fields.element, about
    for element in fields.all("link", "atom:link"):
        if attribute(element, "rel").lower() in ("via", "canonical", "related"):
            yield element, attribute(element, "href")
