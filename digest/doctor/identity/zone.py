"""Lines of a zone file, ready to be copied: names whole, long texts in strings on lines of their own."""

from __future__ import annotations

import re

_WIDTH = 78
_STRING = 68
"""Characters of a string on a line of its own; DNS allows 255 (RFC 1035 §3.3), a screen does not."""

_SPECIAL = re.compile(r'["\\]')


def zone_line(name: str, kind: str, value: str) -> str:
    """Return a record whose value is a host or an address."""
    return f"{name}. IN {kind} {value}"


def zone_text(name: str, text: str) -> str:
    """Return a TXT record. Its strings are joined by whoever reads it, without anything between."""
    line = f"{name}. IN TXT {_quoted(text)}"
    if len(line) <= _WIDTH:
        return line
    strings = [_quoted(text[at : at + _STRING]) for at in range(0, len(text), _STRING)]
    return "\n".join((f"{name}. IN TXT (", *(f"  {string}" for string in strings), ")"))


def _quoted(text: str) -> str:
    return '"' + _SPECIAL.sub(r"\\\g<0>", text) + '"'
