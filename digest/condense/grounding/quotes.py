"""Whether what a takeaway puts in quotation marks is what the article says, word for word."""

from __future__ import annotations

import re

from digest.condense.words import words
from digest.domain.articles import Article

_QUOTED = re.compile(
    r"“(?P<a>[^“”]+)”|„(?P<b>[^“”„]+)[“”]|«\s*(?P<c>[^«»]+?)\s*»|»(?P<d>[^«»]+)«|\"(?P<e>[^\"]+)\""
    r"|(?<!\w)‘(?P<f>[^‘’]+(?:’\w[^‘’]*)*)’(?!\w)"
)
_POSSESSIVE = re.compile(r"['’]s\b")


def quotations(text: str) -> list[str]:
    """Return what stands within quotation marks, in order."""
    return [next(part for part in found.groups() if part) for found in _QUOTED.finditer(text)]


def quote_problems(text: str, article: Article) -> list[str]:
    """Return which quotations of a takeaway are not in the article word for word.

    Case and punctuation do not count, and an ellipsis may stand for what was left out.
    """
    quoted = quotations(text)
    if not quoted:
        return []
    said = _spaced(f"{article.title}\n{article.text}")
    return [
        f"the quotation “{quotation}” is not in the article word for word"
        for quotation in quoted
        if not _is_said(quotation, said)
    ]


def _is_said(quotation: str, said: str) -> bool:
    parts = [_spaced(part) for part in re.split(r"\[?(?:…|\.\.\.)\]?", quotation)]
    return all(part in said for part in parts if part.strip())


def _spaced(text: str) -> str:
    """Return the words between spaces, so that only whole ones are found."""
    return f" {' '.join(words(_POSSESSIVE.sub('', text)))} "
