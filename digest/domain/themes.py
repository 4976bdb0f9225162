"""How a newsletter's mail looks and is worded: colours for light and dark screens, fonts, logo, phrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

CONTRAST_MIN = 4.5
"""Text to what is behind it: WCAG 2.2 §1.4.3, level AA."""

Wording = Mapping[str, Mapping[str, Mapping[str, str]]]
"""A newsletter's own wording: by language tag and a phrase's name, its form for each plural category of CLDR.

`other` is always there, and the only one of a phrase that counts nothing.
"""


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one scheme, each as `#rrggbb`.

    `ink` is text and the bars that divide a mail, `soft` what is said beside, `accent` links and the names
    of topics. All three stand on `page`. `rule` is for thin lines, which nobody has to read.
    """

    ink: str
    soft: str
    accent: str
    page: str
    rule: str


LIGHT = Colours(ink="#22262b", soft="#5a5f66", accent="#96391b", page="#f7f4ee", rule="#d9d3c6")
DARK = Colours(ink="#ebe7df", soft="#aaadb2", accent="#f2a98a", page="#15171a", rule="#3a3d42")


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture at the head of a mail: where it is (https), what it says, how many pixels wide it is shown.

    It stands above the newsletter's name, or in its place.
    """

    url: str
    alt: str
    width: int
    replaces_name: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    """How a newsletter's mail looks and is worded. Without anything given: as the template is.

    The fonts are font stacks as CSS has them, of fonts that readers' systems bring.
    """

    light: Colours = LIGHT
    dark: Colours = DARK
    font: str = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    heading_font: str = "Georgia, 'Times New Roman', serif"
    logo: Logo | None = None
    wording: Wording = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def to_plain(self) -> dict[str, Any]:
        """Return what was given of it as TOML and JSON know it; what is as ever is left out.

        So a newsletter that set nothing but a logo gets the better colours of a later version.
        """
        plain: dict[str, Any] = {
            name: value
            for name in ("font", "heading_font")
            if (value := getattr(self, name)) != getattr(USUAL, name)
        }
        plain |= {"light": _changed(self.light, LIGHT), "dark": _changed(self.dark, DARK)}
        if self.logo:
            plain["logo"] = {part.name: getattr(self.logo, part.name) for part in fields(Logo)}
        plain["wording"] = {
            language: {name: dict(forms) for name, forms in phrases.items()}
            for language, phrases in self.wording.items()
        }
        return {name: value for name, value in plain.items() if value}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Theme:
        """Return the theme that `to_plain` wrote."""
        given = dict(plain)
        given["light"] = replace(LIGHT, **given.get("light", {}))
        given["dark"] = replace(DARK, **given.get("dark", {}))
        given["logo"] = Logo(**given["logo"]) if "logo" in given else None
        return cls(**given)


USUAL = Theme()
"""How a mail looks when nobody set anything."""


def _changed(colours: Colours, usual: Colours) -> dict[str, str]:
    names = [part.name for part in fields(Colours)]
    return {name: value for name in names if (value := getattr(colours, name)) != getattr(usual, name)}


def hard_to_read(colours: Colours) -> Iterator[tuple[str, float]]:
    """Yield each colour of text that stands out too little from the page, with its contrast (1 to 21)."""
    for name in ("ink", "soft", "accent"):
        ratio = contrast(getattr(colours, name), colours.page)
        if ratio < CONTRAST_MIN:
            yield name, ratio


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours `#rrggbb`, from 1 (the same) to 21 (black on white)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, from 0 to 1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
