"""The picture an entry names as its own: Media RSS, enclosures, podcast covers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from lxml.etree import _Element

from digest.domain.articles import Image
from digest.gather.feeds.fields import Fields, attribute
from digest.gather.plain import plain_from_html
from digest.gather.urls import MAX_LENGTH, joined

ALT_MAX = 300
MAX_PICTURES = 50
MIN_WIDTH = 50
"""Narrower than this is an icon or a counter, not a picture."""

_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)$", re.IGNORECASE)


def picture_of(fields: Fields, base: str) -> Image | None:
    """Return the widest picture of an entry, the first of equals; None without one that is on http(s)."""
    found = sorted(islice(_pictures(fields), MAX_PICTURES), key=lambda picture: -picture[0])
    for width, href, alt in found:
        url = joined(base, href) if 0 < len(href) <= MAX_LENGTH and not 0 < width < MIN_WIDTH else None
        if url:
            return Image(url, plain_from_html(alt)[:ALT_MAX])
    return None


def _pictures(fields: Fields) -> Iterator[tuple[int, str, str]]:
    """Yield width (0 when it is not told), address and description, those meant for reading first."""
    groups = [fields, *fields.inner("media:group")]
    for group in groups:
        for content in group.inner("media:content"):
            if _is_picture(content.element, "url"):
                yield _width(content.element), attribute(content.element, "url"), _described(content, group)
            for thumbnail in content.all("media:thumbnail"):
                yield _width(thumbnail), attribute(thumbnail, "url"), _described(content, group)
    for enclosure in fields.all("enclosure"):
        if _is_picture(enclosure, "url"):
            yield 0, attribute(enclosure, "url"), ""
    for link in fields.all("link", "atom:link"):
        if attribute(link, "rel") == "enclosure" and _is_picture(link, "href"):
            yield 0, attribute(link, "href"), attribute(link, "title")
    for group in groups:
        for thumbnail in group.all("media:thumbnail"):
            yield _width(thumbnail), attribute(thumbnail, "url"), _described(group, group)
    for cover in fields.all("itunes:image"):
        yield 0, attribute(cover, "href"), ""


def _is_picture(element: _Element, where: str) -> bool:
    kind = attribute(element, "medium") or attribute(element, "type").partition("/")[0]
    if kind:
        return kind.lower() == "image"
    try:
        return bool(_PICTURE_FILE.search(urlsplit(attribute(element, where)).path))
    except ValueError:
        return False


def _width(element: _Element) -> int:
    written = attribute(element, "width").removesuffix("px")
    return int(written) if written.isdecimal() and len(written) < 6 else 0


def _described(*levels: Fields) -> str:
    """Return the description nearest to the picture."""
    return next((text for level in levels if (text := level.text("media:description", "media:title"))), "")
