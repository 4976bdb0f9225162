"""listmonk: one file, with what is known beyond name and address as JSON in `attributes`."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from digest.domain.errors import InvalidInput
from digest.domain.segments import ATTRIBUTES_MAX, KEY_MAX, VALUE_MAX
from digest.intake.lists.said import Fields, Layout, Said, Standing, first_of, tags_of
from digest.store.base import storable

_STANDINGS = {
    "enabled": Standing.WANTS,
    "disabled": Standing.LEFT,
    "blocklisted": Standing.NEVER,
}


_OTHERS = ("language", "lang", "timezone", "tags", "topics")
"""What has a place of its own, and is no attribute."""

_NO_KEY = re.compile("[^a-z0-9]+")


def _read(fields: Fields, tags_from: Collection[str]) -> Said:
    known = _attributes(fields.get("attributes", ""))
    status = fields["status"]
    if status not in _STANDINGS:
        raise InvalidInput(f"status '{status[:40]}' is none of listmonk's: {', '.join(_STANDINGS)}")
    return Said(
        email=fields["email"],
        standing=_STANDINGS[status],
        name=fields.get("name", ""),
        language=first_of(known, "language", "lang"),
        timezone=known.get("timezone", ""),
        tags=tags_of({**fields, **known}, ("tags", "topics", *tags_from)),
        since=fields.get("created_at", ""),
        left=fields.get("updated_at", ""),
        why="blocklisted by listmonk",
        attributes=_further(fields.get("attributes", ""), {*_OTHERS, *tags_from}),
    )


def _attributes(field: str) -> Fields:
    """Return what the JSON says in words: lists of words with commas between, all else as it reads."""
    try:
        known = json.loads(field or "{}")
    except ValueError as exc:
        raise InvalidInput(f"attributes are no JSON ({exc})") from exc
    if not isinstance(known, Mapping):
        raise InvalidInput("attributes are JSON, but no object of names and values")
    # JSON can spell NUL and halves of surrogate pairs, which neither databases nor terminals take.
    return {storable(str(name)).lower(): storable(_in_words(value)) for name, value in known.items()}


def _further(field: str, others: Collection[str]) -> dict[str, str]:
    """Return what the JSON says beyond what has a place of its own: words, numbers, yes and no.

    Keys are written as ours are; what is left of none is nobody's attribute.
    """
    found: dict[str, str] = {}
    for name, value in json.loads(field or "{}").items():
        key = _NO_KEY.sub("-", storable(str(name)).lower()).strip("-")[:KEY_MAX].strip("-")
        if key and str(name).lower() not in others and isinstance(value, str | int | float):
            told = value if isinstance(value, str) else json.dumps(value)
            found[key] = " ".join(storable(told).split())[:VALUE_MAX]
    return {key: value for key, value in list(found.items())[:ATTRIBUTES_MAX] if value}


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_quoted(str(one)) for one in value)
    return value if isinstance(value, str) else ""


def _quoted(tag: str) -> str:
    return '"' + tag.replace('"', '""') + '"'


LISTMONK = Layout("listmonk", frozenset({"uuid", "email", "attributes", "status"}), _read)
