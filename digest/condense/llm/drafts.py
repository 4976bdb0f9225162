"""A model's answer read as takeaways: JSON, whatever stands around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_WRITTEN = 20
"""Takeaways in one answer; more were not asked for by anybody."""
LONGEST_WRITTEN = 2_000
"""Characters of one. What is too long for a reader is refused elsewhere, with its words."""
MOST_TRIES = 50
"""Opening braces at which a JSON object is looked for."""


class Written(BaseModel):
    """One takeaway as a model wrote it, and the numbers of the sentences it names, which may not exist."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(max_length=LONGEST_WRITTEN)
    sentences: tuple[int, ...] = ()


class Draft(BaseModel):
    """What a model wrote about an article: at least one takeaway. Other fields are passed over."""

    model_config = ConfigDict(frozen=True)

    takeaways: tuple[Written, ...] = Field(min_length=1, max_length=MOST_WRITTEN)


def read_draft(text: str) -> Draft:
    """Return what a model wrote. Raises `ValueError` saying in words what the answer is instead.

    The answer may be the JSON alone, or have a fence, an introduction or the model's thoughts around it: then
    the last object that has the asked-for form counts.
    """
    if not text.strip():
        raise ValueError("with nothing")
    found = None
    for candidate in _objects(text):
        try:
            found = Draft.model_validate(candidate)
        except ValidationError:
            continue
    if found is None:
        raise ValueError("with something else than takeaways in JSON")
    return found


def _objects(text: str) -> Iterator[object]:
    """Yield the outermost JSON objects in a text, in order."""
    decoder = json.JSONDecoder()
    end = 0
    for tries, brace in enumerate(re.finditer(r"\{", text)):
        if tries == MOST_TRIES:
            return
        if brace.start() < end:
            continue
        try:
            found, end = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        yield found
