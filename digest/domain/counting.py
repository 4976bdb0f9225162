"""Numbers of things as people say them."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return `1 article`, `2 articles`, `0 articles`; `plural` is for nouns that take more than an s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
