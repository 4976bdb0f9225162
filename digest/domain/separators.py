"""What separates the fields of a list: whoever reads one, and whoever takes lines out of it, asks here."""

from __future__ import annotations

import re
from collections.abc import Collection

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What may separate fields, the usual first: spreadsheets of half the world write semicolons."""

FIRST_LINE_MAX = 10_000
"""Characters of a list that are asked."""


def separator_of(beginning: str, columns: Collection[str]) -> str:
    """Return what separates the fields of the first line that holds something.

    It is what makes most of `columns` out of it, which are in small letters, or else most fields. Further
    lines are no witness: they may hold all three.
    """
    told = beginning[:FIRST_LINE_MAX].removeprefix("\ufeff").lstrip("\r\n")
    first = re.split(r"[\r\n]", told, maxsplit=1)[0]

    def likeness(separator: str) -> tuple[int, int]:
        fields = [field.strip(' \t\r"').lower() for field in first.split(separator)]
        return sum(field in columns for field in fields), len(fields)

    return max(SEPARATORS, key=likeness)
