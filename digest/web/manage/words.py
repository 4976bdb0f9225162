"""What the managing pages call fields, offer to choose from, and say when something was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

_CALLED: Mapping[str, str] = {
    "slug": "the short name",
    "kinds": "the events",
    "about": "the name",
    "phrases": "word",
    "categories": "label",
    "email": "the address",
    "url": "the address",
    "sender_email": "the address",
    "reply_to": "the address for answers",
    "takeaway_words": "the length of takeaways",
    "takeaways": "the number of takeaways",
    "max_items": "the number of articles",
    "window_days": "the number of days",
    "sign_up_origins": "the sites",
}

DONE: Mapping[str, str] = {
    "added": "It is added. What it needs next is below.",
    "changed": "Your changes are saved.",
    "removed": "It is removed.",
    "source-added": "It is added, and read within minutes where a worker runs. Its page can try it at once.",
    "source-paused": "It is paused: nobody reads it until you resume it.",
    "source-resumed": "It is read again.",
    "topic-added": "It is added, and articles of the last two issues belong to it by its rule.",
    "topic-changed": "Your changes are saved, and articles of the last two issues go by them.",
    "topic-moved": "It is moved.",
    "topic-removed": "It is removed, and so is every follow of it.",
    "reader-added": "They are added, and get the next issue that holds something for them.",
    "reader-changed": "Your changes are saved.",
    "reader-readdressed": "Their mail goes to the new address. The old one is told, and can take it back.",
    "reader-unsubscribe": "They are unsubscribed. What was on its way to them and not sent is cancelled.",
    "reader-pause": "They are paused, and get nothing until they come back.",
    "reader-return": "They get the newsletter again.",
    "segment-added": "It is added. Issues can be limited to it, and lists of readers asked for it.",
    "segment-changed": "Your changes are saved.",
    "segment-removed": "It is removed. Nobody's subscription changed.",
    "look-changed": "It is saved. Drafts show it at once; what was approved stays as it is.",
    "look-reset": "Mail looks as it does without a theme again.",
    "endpoint-tested": "A test is on its way. A worker calls within seconds; the log says what came of it.",
    "endpoint-paused": "It is told nothing more. What waited for it is given up, and can be told again.",
    "endpoint-resumed": "It is told again what happens from now on.",
    "endpoint-told-again": "It is told once more, under the same number. A worker calls within seconds.",
    "source-removed": "It is removed. Articles it brought stay, under its name.",
}
"""What a page says first after something was done; addresses hold the key alone."""

LANGUAGES = ("en", "de", "es", "fr")
"""Languages that mail is translated into. Others can be typed: see docs/themes.md."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: its value, and how a person reads it."""

    value: str
    words: str


def called(field: str) -> str:
    """Return what a field is called in a sentence on its page."""
    return _CALLED.get(field, f"the {field.replace('_', ' ')}")


@cache
def zones() -> tuple[str, ...]:
    """Return the names of time zones that people know: continents and their cities, and UTC."""
    return (*sorted(filter(_is_of_a_city, available_timezones())), "UTC")


def _is_of_a_city(name: str) -> bool:
    area = name.partition("/")[0]
    return "/" in name and area not in ("Etc", "posix", "right", "SystemV", "US", "Canada", "Brazil")
