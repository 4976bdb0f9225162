"""A newsletter's theme on the pages of its archive: its colours as a stylesheet, and its logo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from digest.compose.untrusted import find_image
from digest.domain.themes import DARK, LIGHT, Colours, Logo, Theme

NAME = "theme.css"


@dataclass(frozen=True, slots=True)
class Look:
    """`stylesheet` is its path, '' for the archive's own colours; `logo` only ever is https."""

    stylesheet: str
    logo: Logo | None


def look_of(theme: Theme, home: str) -> Look:
    """Return how the archive at the path `home` looks. Other colours are another address: caches keep it."""
    css = stylesheet(theme)
    version = hashlib.sha256(css.encode()).hexdigest()[:8]
    logo = theme.logo if theme.logo and find_image(theme.logo.url) else None
    return Look(f"{home}/{NAME}?v={version}" if css else "", logo)


def stylesheet(theme: Theme) -> str:
    """Return a theme's colours for light and for dark screens, '' when it sets none.

    All text stands on the theme's page: a theme holds its three colours of text to be readable there, and so
    the page's colour can be read on each of them, as on a button.
    """
    if (theme.light, theme.dark) == (LIGHT, DARK):
        return ""
    dark = f"@media (prefers-color-scheme: dark) {{ {_root(theme.dark)} }}"
    return f"{_root(theme.light)}\n{dark}\n"


def _root(colours: Colours) -> str:
    values = {
        "paper": colours.page,
        "card": colours.page,
        "wash": colours.page,
        "ink": colours.ink,
        "soft": colours.soft,
        "line": colours.rule,
        "accent": colours.accent,
        "accent-hover": colours.ink,
        "on-accent": colours.page,
    }
    return f":root {{ {' '.join(f'--{name}: {value};' for name, value in values.items())} }}"
