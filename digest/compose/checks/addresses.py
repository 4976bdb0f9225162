"""The links and pictures of a page, as far as it shows itself what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from digest.compose.checks.facts import Link
from digest.compose.checks.findings import Finding, error, note, warning
from digest.compose.checks.seen import Seen, shown
from digest.compose.markup import Element

ON_THIS_MACHINE = re.compile(r"https?://(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/]|$)")
"""Addresses that only a trial installation writes."""

_SAYS_NOTHING = frozenset(
    (
        *("click here", "here", "link", "more", "read more", "learn more", "this link"),
        *("hier", "hier klicken", "mehr", "mehr lesen", "weiterlesen", "weiter"),
        *("ici", "cliquez ici", "lire la suite", "en savoir plus", "aquí", "haga clic aquí", "leer más"),
    )
)
"""Words of a link that do not say where it goes."""


def check_links(seen: Seen) -> Iterator[Finding]:
    """Look at each link by itself: absolute, http(s), and with words that say where it goes."""
    for link in seen.found.named("a"):
        url = link.attributes.get("href", "")
        if not url.startswith(("https://", "http://")):
            yield error(f"link {url!r} is not absolute http(s)", shown(link))
        words = seen.found.text_of(link)
        if not words:
            yield error(f"the link to {url} has no words", shown(link))
        if words.lower().strip(" .…>→»") in _SAYS_NOTHING:
            yield warning(f"a link's words must say where it goes: {words!r}", shown(link))


def check_images(seen: Seen) -> Iterator[Finding]:
    """Look at each picture by itself: https, with a width, and something that stands for it."""
    for image in seen.found.named("img"):
        yield from _check_image(image)


def _check_image(image: Element) -> Iterator[Finding]:
    if "alt" not in image.attributes:
        yield error("an image has no alternative text (alt)", shown(image))
    if not image.attributes.get("src", "").startswith("https://"):
        yield error(f"image {image.attributes.get('src', '')!r} is not https", shown(image))
    if not image.attributes.get("width", "").isdigit():
        yield warning("an image has no width: Outlook shows it at full size", shown(image))


def is_in_the_clear(url: str) -> bool:
    """Whether a link is not https; a trial installation's own need not be."""
    return url.startswith("http://") and not ON_THIS_MACHINE.match(url)


def check_repeated(links: Iterable[Link]) -> Iterator[Finding]:
    """Say which address two articles of one edition share. Within one article it may stand twice."""
    first: dict[str, int] = {}
    told: set[str] = set()
    for link in links:
        if link.is_own or link.article < 0:
            continue
        key = comparable(link.url)
        if first.setdefault(key, link.article) != link.article and key not in told:
            told.add(key)
            yield warning(
                f"two articles link to {link.url}", "links", "drop one of them, with 'digest issue drop'"
            )


def comparable(url: str) -> str:
    """Return what two spellings of one address share: no scheme, `www.`, fragment or closing slash."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.netloc.lower().removeprefix('www.')}{parts.path.rstrip('/')}{query}"


def check_alt_texts(pictures: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Say of pictures, as address and alternative text, which have an empty one."""
    for url, alt in pictures:
        if not alt.strip():
            yield note(
                f"nothing stands for the picture {url} where pictures are not shown",
                "pictures",
                "well for decoration; else its page should say what it shows (alt)",
            )
