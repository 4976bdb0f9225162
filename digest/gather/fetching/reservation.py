"""By what a publisher keeps text mining and AI off its texts, in words that an editor can read.

The headers of an answer, and the site's own file /.well-known/tdmrep.json (W3C TDM Reservation Protocol).
A page's own `meta` elements are read with the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from digest.gather.fetching.headers import Headers
from digest.gather.fetching.robots import PRODUCT_TOKEN, path_matches, path_of

TDMREP_PATH = "/.well-known/tdmrep.json"
MAX_TDMREP_BYTES = 256 * 1024

_KEEPING_OUT = ("noai", "noimageai")
# Directives of X-Robots-Tag that have a colon of their own: all else before a colon names a robot.
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


def reservation_in(headers: Headers) -> str:
    """Return the reservation that an answer's header makes, '' when it makes none."""
    said = set(_directives_for_us(headers.all("x-robots-tag")))
    for directive in _KEEPING_OUT:
        if directive in said:
            return f"the header X-Robots-Tag says '{directive}'"
    if any(value.strip() == "1" for value in headers.all("tdm-reservation")):
        return "the header tdm-reservation keeps text and data mining out"
    return ""


def _directives_for_us(lines: Iterable[str]) -> Iterator[str]:
    """Yield the directives that hold for every robot or for us by name."""
    for line in lines:
        is_ours = True
        for part in line.split(","):
            name, colon, rest = (piece.strip().lower() for piece in part.partition(":"))
            if colon and name not in _WITH_VALUE:
                is_ours = name in ("*", PRODUCT_TOKEN.lower())
                name = rest.strip()
            if is_ours:
                yield name


def reserved_patterns(document: str) -> tuple[tuple[str, bool], ...]:
    """Return a tdmrep.json's location patterns in their order, each with whether it is reserved.

    Empty for a document that is not one: a file that breaks the protocol sets nothing.
    """
    try:
        rules = json.loads(document)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(rules, list):
        return ()
    return tuple(pair for rule in rules if (pair := _pattern(rule)) is not None)


def _pattern(rule: object) -> tuple[str, bool] | None:
    if not isinstance(rule, dict):
        return None
    location, reserved = rule.get("location"), rule.get("tdm-reservation")
    if not isinstance(location, str) or reserved not in (0, 1, "0", "1"):
        return None
    return location, str(int(reserved)) == "1"


def reservation_of(url: str, patterns: Iterable[tuple[str, bool]]) -> str:
    """Return what a site's tdmrep.json reserves of `url`, '' when nothing: its first match rules."""
    path = path_of(url)
    for location, is_reserved in patterns:
        if path_matches(location, path):
            return f"its {TDMREP_PATH} reserves text and data mining of '{location}'" if is_reserved else ""
    return ""
