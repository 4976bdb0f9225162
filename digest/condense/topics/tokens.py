"""What a topic's query may look at, and what may stand in it as a text."""

from __future__ import annotations

import re
from enum import StrEnum

from digest.condense.topics.comparing import compared
from digest.condense.words import CJK
from digest.domain.query_tokens import Grammar

PREFIX_MIN = 2
"""A shorter beginning would match half of a dictionary; of a CJK word one character is enough."""


class Field(StrEnum):
    """What a part of a query looks at instead of title and text."""

    TITLE = "title"
    TEXT = "text"
    OPENING = "opening"
    CATEGORY = "category"
    SOURCE = "source"
    SITE = "site"
    AUTHOR = "author"
    LANGUAGE = "language"
    URL = "url"


_CJK = re.compile(f"[{CJK}]")


def _refusal(text: str, is_prefix: bool) -> str:
    told = compared(text)
    if is_prefix and len(told) < PREFIX_MIN and not _CJK.search(told):
        return f"a '*' needs {PREFIX_MIN} letters before it"
    return "" if told else "there is nothing to look for between the quotation marks"


TOPICS = Grammar(tuple(Field), "a word, a \"phrase\", a field or '(' should stand here", _refusal)
