"""A page or a piece of one, read: what the checks look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.compose.checks.cascade import Sheet, style_rules
from digest.compose.markup import Element, Outline, outline, outline_of_piece, outlook_view


@dataclass(frozen=True, slots=True)
class Seen:
    """HTML and text, what most programs and what Outlook on Windows read in the HTML, and its styles."""

    html: str
    text: str
    found: Outline
    for_outlook: Outline
    sheet: Sheet


def see_page(html: str, text: str) -> Seen:
    """Read a whole page."""
    return Seen(html, text, outline(html), outline(outlook_view(html)), style_rules(html))


def see_opening(html: str, text: str) -> Seen:
    """Read the piece a page begins with. It leaves open what the others stand in."""
    views = outline_of_piece(html), outline_of_piece(outlook_view(html))
    return Seen(html, text, *views, style_rules(html))


def see_piece(html: str, text: str, opening: Seen, *, is_last: bool = False) -> Seen:
    """Read a piece after `opening`: it must leave open what that does, and the last one nothing."""
    found = _within(html, opening.found.left_open, is_last=is_last)
    for_outlook = _within(outlook_view(html), opening.for_outlook.left_open, is_last=is_last)
    return Seen(html, text, found, for_outlook, opening.sheet)


def _within(html: str, around: Sequence[Element], *, is_last: bool) -> Outline:
    found = outline_of_piece(html, within=around)
    expected = () if is_last else tuple(around)
    if not found.imbalance and list(map(id, found.left_open)) != list(map(id, expected)):
        found.imbalance = "it closes more, or leaves more open, than it may where it stands"
    return found


def shown(element: Element) -> str:
    """Return how a finding names an element."""
    return f"<{element.name}> in line {element.line}"
