"""Settings that are lists: what stands in one variable is read as several values."""

from __future__ import annotations

import json
import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

_BETWEEN_URLS = re.compile(r"[\s,]+(?=[a-z]+://|(?:maildir|eml|console|ses|postmark|mailgun|sendgrid):)")


def as_words(value: object) -> object:
    """Return the parts of one text, with commas or spaces between, or in a JSON list; anything else as it is.

    Raises `ValueError` for a list that is no JSON.
    """
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return re.findall(r"[^\s,]+", value)
    try:
        return json.loads(value)
    except ValueError as exc:
        raise ValueError("input begins like a JSON list but is none; put commas between instead") from exc


def as_phrases(value: object) -> object:
    """Do the same for what has spaces or line breaks in it, but no comma: rates, and keys as PEM."""
    if not isinstance(value, str) or _is_json(value):
        return as_words(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def as_urls(value: object) -> object:
    """Do the same for addresses: commas and spaces separate only where another begins."""
    if not isinstance(value, str) or _is_json(value):
        return as_words(value)
    return _BETWEEN_URLS.split(value.strip(" ,\t\r\n"))


def _is_json(value: str) -> bool:
    return value.lstrip().startswith("[")


Words: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(as_words)]
Secrets: TypeAlias = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(as_words)]
Numbers: TypeAlias = Annotated[tuple[int, ...], NoDecode, BeforeValidator(as_words)]
Phrases: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(as_phrases)]
SecretPhrases: TypeAlias = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(as_phrases)]
Urls: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(as_urls)]
