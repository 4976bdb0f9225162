"""The single values of a theme, as a person writes them: each is returned in one form, or refused in words.

Every function here raises `ValueError` with what is wrong and what to write instead; the words go on after
the value's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from digest.compose.phrases import PLACEHOLDER, Phrase
from digest.compose.untrusted import find_image, plain

FONT_MAX, ALT_MAX, WORDS_MAX = 200, 200, 300
"""Characters of a font stack, of what stands for the logo and of a phrase."""
LOGO_MIN, LOGO_MAX = 16, 536
"""How wide a logo may be shown, in pixels: the mail's text is 536 wide."""
CATEGORIES = ("zero", "one", "two", "few", "many", "other")
"""CLDR's categories of plurals."""
MARKS = frozenset({"test_subject"})
"""Phrases that tell a mail from those readers get: a wording of them has a word beside what is filled in."""

_GENERIC = ("serif", "sans-serif", "monospace", "system-ui", "ui-serif", "ui-sans-serif")
_FAMILY = re.compile(r"-?[A-Za-z][A-Za-z0-9-]*(?: [A-Za-z0-9-]+)*")
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def colour(value: object) -> str:
    """Return a colour as `#rrggbb`."""
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise ValueError(f"is {_shown(value)}: write a colour as #rrggbb, such as #96391b")
    colour = value.lower()
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


def font(value: object) -> str:
    """Return a font stack written one way. Anything but names of fonts could end the style it stands in."""
    if not isinstance(value, str) or len(value) > FONT_MAX:
        raise ValueError(f"is not a text of at most {FONT_MAX} characters: name fonts with commas between")
    families = [_family(name.strip()) for name in value.split(",")]
    if families[-1] not in _GENERIC:
        raise ValueError(
            f"ends in {families[-1]}, which not every reader has: end it with serif, sans-serif or monospace"
        )
    return ", ".join(families)


def _family(name: str) -> str:
    bare = name[1:-1] if len(name) > 2 and name[0] == name[-1] and name[0] in "'\"" else name
    if not _FAMILY.fullmatch(bare):
        raise ValueError(
            f"holds {_shown(name)}, which is no name of a font: letters, digits, spaces and hyphens only, no "
            "url() or @import (mail programs do not load fonts)"
        )
    return f"'{bare}'" if " " in bare else bare


def logo_url(value: object) -> str:
    """Return the address of a picture that mail can show."""
    url = find_image(value) if isinstance(value, str) else None
    if url is None:
        raise ValueError(f"is {_shown(value)}: give the whole address of a picture, from https:// on")
    return url


def alt(value: object) -> str:
    """Return what stands for a picture."""
    if not isinstance(value, str) or not value.strip() or value != plain(value) or len(value) > ALT_MAX:
        raise ValueError(
            f"is {_shown(value)}: say in a line what the logo says, in {ALT_MAX} characters at most"
        )
    return value


def width(value: object) -> int:
    """Return a width in pixels."""
    if not isinstance(value, int) or isinstance(value, bool) or not LOGO_MIN <= value <= LOGO_MAX:
        raise ValueError(f"is {_shown(value)}: give a whole number of pixels from {LOGO_MIN} to {LOGO_MAX}")
    return value


def flag(value: object) -> bool:
    """Return a yes or no."""
    if not isinstance(value, bool):
        raise ValueError(f"is {_shown(value)}: write true or false")
    return value


def forms_of(phrase: Phrase) -> Callable[[object], dict[str, str]]:
    """Return what reads a wording of `phrase`: one text, or for what is counted one for each category."""

    def read(value: object) -> dict[str, str]:
        forms = value if isinstance(value, dict) and phrase.plural else {"other": value}
        if not set(forms) <= set(CATEGORIES) or "other" not in forms:
            raise ValueError(
                f"has the forms {', '.join(forms)}: 'other' must be there, and all must be of "
                f"{', '.join(CATEGORIES)}"
            )
        return {category: _words(words, phrase) for category, words in forms.items()}

    return read


def _words(value: object, phrase: Phrase) -> str:
    if not isinstance(value, str) or not value.strip() or value != plain(value) or len(value) > WORDS_MAX:
        raise ValueError(f"is {_shown(value)}: write a line of text, of {WORDS_MAX} characters at most")
    known = phrase.placeholders | ({"count"} if phrase.plural else frozenset())
    strange = set(PLACEHOLDER.findall(value)) - known
    if strange or re.search("[{}]", PLACEHOLDER.sub("", value)):
        names = ", ".join(f"{{{name}}}" for name in sorted(known)) or "nothing in braces"
        raise ValueError(f"is {_shown(value)}: of what is filled in, this phrase knows {names}")
    if phrase.name in MARKS and not any(map(str.isalpha, PLACEHOLDER.sub("", value))):
        raise ValueError(
            f"is {_shown(value)}: it tells a test from what readers get, so it needs a word of its own, as "
            f"in '{phrase.text}'"
        )
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
