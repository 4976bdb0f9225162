"""Whether text can be told from what it stands on, on light and on dark screens (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from PIL import ImageColor

from digest.compose.checks.cascade import Sheet, cascaded
from digest.compose.checks.findings import Finding, warning
from digest.compose.checks.seen import Seen, shown
from digest.compose.markup import Element
from digest.domain.mail import shorten

CONTRAST_MIN, LARGE_CONTRAST_MIN = 4.5, 3.0
LARGE, LARGE_BOLD = 24.0, 18.66
"""Pixels from which text is large: 18 points, or 14 points in bold."""

Color = tuple[int, int, int]

_BLACK, _WHITE, _NIGHT = (0, 0, 0), (255, 255, 255), (18, 18, 18)
_LINKS = (0, 0, 238), (158, 158, 255)
_HEADINGS = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0}
_BOLD = frozenset({"b", "strong", "th", *_HEADINGS})
_FILLING = re.compile(r"[\s\u034f\u200b-\u200f\ufeff\u00ad]+")
_SIZE = re.compile(r"(\d*\.?\d+)(px|pt|em|rem|%)")
_IN_PIXELS = {"px": 1.0, "pt": 4 / 3, "rem": 16.0}
_COLOR = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^)]*\)|[a-z]+")


@dataclass(frozen=True, slots=True)
class _Style:
    """How text stands in an element. Colours are opaque: what shines through is counted in."""

    color: Color
    background: Color
    size: float = 16.0
    is_bold: bool = False
    is_hidden: bool = False

    @property
    def needed(self) -> float:
        is_large = self.size >= LARGE or (self.is_bold and self.size >= LARGE_BOLD)
        return LARGE_CONTRAST_MIN if is_large else CONTRAST_MIN


@dataclass(slots=True)
class _Screen:
    """The styles of a page on one kind of screen, each element's reckoned once."""

    sheet: Sheet
    is_dark: bool
    styles: dict[int, _Style] = field(default_factory=dict)

    def style_of(self, element: Element | None) -> _Style:
        if element is None:
            return _Style(_WHITE, _NIGHT) if self.is_dark else _Style(_BLACK, _WHITE)
        if id(element) not in self.styles:
            self.styles[id(element)] = self._reckoned(element)
        return self.styles[id(element)]

    def _reckoned(self, element: Element) -> _Style:
        around = self.style_of(element.parent)
        own = cascaded(element, self.sheet, is_dark=self.is_dark)
        style = replace(
            around,
            is_hidden=around.is_hidden or own.get("display") == "none",
            is_bold=_is_bold(own.get("font-weight", ""), around.is_bold or element.name in _BOLD),
            size=_size(own.get("font-size", ""), around.size, around.size * _HEADINGS.get(element.name, 1.0)),
            background=_over(own.get("background-color", ""), around.background, around.background),
        )
        default = _LINKS[self.is_dark] if element.name == "a" else around.color
        return replace(style, color=_over(own.get("color", ""), style.background, default))


def check_contrast(seen: Seen) -> Iterator[Finding]:
    """Say which words are hard to read, once for each pair of colours, on light and on dark screens."""
    told: set[tuple[bool, Color, Color]] = set()
    for screen in (_Screen(seen.sheet, is_dark=False), _Screen(seen.sheet, is_dark=True)):
        for text, owner in zip(seen.found.texts, seen.found.owners, strict=True):
            if owner is None or owner.name == "img" or not _FILLING.sub("", text):
                continue
            style = screen.style_of(owner)
            ratio = contrast(style.color, style.background)
            pair = screen.is_dark, style.color, style.background
            if style.is_hidden or ratio >= style.needed or pair in told:
                continue
            told.add(pair)
            yield _too_little(text, owner, style, ratio, is_dark=screen.is_dark)


def _too_little(text: str, owner: Element, style: _Style, ratio: float, *, is_dark: bool) -> Finding:
    where = "dark" if is_dark else "light"
    # Cut, not rounded: 4.48 must not read as the 4.5 that it misses.
    return warning(
        f"'{shorten(' '.join(text.split()), 40)}' is hard to read on a {where} screen: "
        f"{_hex(style.color)} on {_hex(style.background)} has a contrast of {int(ratio * 10) / 10:g}, "
        f"and {style.needed:g} is needed",
        shown(owner),
        "choose other colours in the template",
    )


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2, 'contrast ratio')."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _over(css: str, below: Color, default: Color) -> Color:
    """Return a colour as it looks over `below`; `default` for '' and for what is none."""
    found = _read_color(css)
    if found is None:
        return default
    *parts, alpha = found
    red, green, blue = (
        round(part * alpha + under * (1 - alpha)) for part, under in zip(parts, below, strict=True)
    )
    return red, green, blue


@lru_cache(maxsize=512)
def _read_color(css: str) -> tuple[float, float, float, float] | None:
    """Return the first colour of a value, as `background` may hold more, with its opacity from 0 to 1."""
    for word in _COLOR.findall(css):
        if word == "transparent":
            return 0, 0, 0, 0
        try:
            found = ImageColor.getrgb(_without_alpha_of_css(word))
        except ValueError:
            continue
        return found[0], found[1], found[2], (found[3] / 255 if len(found) == 4 else _alpha(word))
    return None


_RGBA = re.compile(r"((?:rgb|hsl))a?\(([^,]+,[^,]+,[^,)]+)(?:,\s*(\d*\.?\d+)(%?)\s*)?\)")


def _without_alpha_of_css(word: str) -> str:
    """Return `rgba(…, 0.5)` as the `rgb(…)` that Pillow reads: to Pillow opacity is a byte."""
    return f"{found[1]}({found[2].strip()})" if (found := _RGBA.fullmatch(word)) else word


def _alpha(word: str) -> float:
    found = _RGBA.fullmatch(word)
    return min(1.0, float(found[3]) / (100 if found[4] else 1)) if found and found[3] else 1.0


def _is_bold(weight: str, default: bool) -> bool:
    if weight.isdecimal():
        return int(weight) >= 700
    return weight.startswith("bold") if weight in ("bold", "bolder", "normal", "lighter") else default


def _size(css: str, around: float, default: float) -> float:
    found = _SIZE.fullmatch(css)
    if not found:
        return default
    return float(found[1]) * _IN_PIXELS.get(found[2], around / (100 if found[2] == "%" else 1))


def _hex(color: Color) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)
