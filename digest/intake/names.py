"""Names of the people who decide something, as they type them: a log tells each on a line."""

from __future__ import annotations

import unicodedata

from digest.domain.errors import InvalidInput

NAME_MAX = 200

_JOINERS = "\u200c\u200d"
"""Signs within words of some scripts: Persian names have them."""


def parse_person(text: str, what: str) -> str:
    """Return a person's name without blanks around it; `what` names it in errors, such as `--by`.

    Raises `InvalidInput` for one that is empty, too long, or holds what could pass for another line of a
    history or act on a terminal: line breaks, control signs, marks that turn text round.
    """
    if odd := next((sign for sign in text if not _is_readable(sign)), ""):
        raise InvalidInput(
            f"{what} holds {_told(odd)}, which would break the line that names you in histories and logs: "
            "give a name in plain letters"
        )
    name = text.strip()
    if not name:
        raise InvalidInput(f"{what} is empty")
    if len(name) > NAME_MAX:
        raise InvalidInput(f"{what} is {len(name)} characters long; there is room for {NAME_MAX}")
    return name


def _is_readable(sign: str) -> bool:
    return sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs"


def _told(sign: str) -> str:
    kind = "a line break" if sign.splitlines() == [""] else "a sign that is not seen"
    return f"{kind} (U+{ord(sign):04X})"
