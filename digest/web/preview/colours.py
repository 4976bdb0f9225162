"""A mail in light or dark colours, whatever the system of who looks at it prefers."""

from __future__ import annotations

import re
from enum import StrEnum


class Colours(StrEnum):
    """What the reader's system prefers."""

    LIGHT = "light"
    DARK = "dark"


_ASKED = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_OFFERED = re.compile(r"(color-schemes?(?:\s*:\s*|\"\s+content=\"))light dark", re.IGNORECASE)
_ALWAYS, _NEVER = "(min-width: 0)", "(max-width: 0)"


def in_colours(html: str, colours: Colours) -> str:
    """Return a mail whose questions for the preferred colours are answered; all else in it stays as it is.

    A frame cannot be told what its reader prefers, so what its style sheet asks is answered in the head,
    where mails have their style sheets. What articles say is not touched.
    """
    head, end, body = html.partition("</head>")

    def answer(question: re.Match[str]) -> str:
        return _ALWAYS if question[1].lower() == colours else _NEVER

    return _OFFERED.sub(rf"\g<1>{colours}", _ASKED.sub(answer, head)) + end + body
