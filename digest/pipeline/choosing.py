"""What a reader chooses on their page, checked and stored."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from digest.domain.cadences import Cadence, parse_cadence
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import MOST_ITEMS, SubscriberId
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.domain.wished import WEEKDAYS, WishedHour
from digest.pipeline.managing.given import language_tag
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.reader_choices import Choices, store_choices

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in a form of choices, as text: '' is no choice of theirs."""

    topics: frozenset[str]
    cadence: str = ""
    day: str = ""
    hour: str = ""
    zone: str = ""
    most: str = ""
    language: str = ""
    form: str = "html"

    @classmethod
    def of(cls, choices: Choices) -> Typed:
        """Return the form of these choices."""
        day, hour = choices.wished.weekday, choices.wished.hour
        return cls(
            frozenset(choices.follows),
            choices.cadence.value,
            "" if day is None else WEEKDAYS[day],
            "" if hour is None else str(hour),
            choices.timezone,
            str(choices.most or ""),
            choices.language,
            "text" if choices.text_only else "html",
        )


def read_choices(typed: Typed, cadences: Collection[Cadence]) -> tuple[Choices | None, frozenset[str]]:
    """Return the choices of a form, where these cadences may be had; None, and the wrong fields, if any."""
    wrong: set[str] = set()

    def read(field: str, parse: Callable[[str], _Value], otherwise: _Value) -> _Value:
        try:
            return parse(str(getattr(typed, field)))
        except InvalidInput:
            wrong.add(field)
            return otherwise

    choices = Choices(
        frozenset(map(TopicSlug, typed.topics)),
        read("cadence", lambda text: parse_cadence(text or Cadence.EVERY, cadences), Cadence.EVERY),
        WishedHour(read("day", _day, None), read("hour", _hour, None)),
        read("zone", lambda text: zone(text).key if text else "", ""),
        read("most", _most, None),
        read("language", lambda text: language_tag(text, "language"), ""),
        read("form", _is_text, False),
    )
    return (None if wrong else choices), frozenset(wrong)


def save_choices(
    runtime: Runtime, newsletter_id: NewsletterId, subscriber_id: SubscriberId, choices: Choices
) -> None:
    """Store what a reader chose, from the next issue on. Raises `NotFound` for a topic that is gone."""
    with writing(runtime.engine) as session:
        store_choices(session, newsletter_id, subscriber_id, choices)


def _day(text: str) -> int | None:
    if text and text not in WEEKDAYS:
        raise InvalidInput(f"'{text}' is no weekday")
    return WEEKDAYS.index(text) if text else None


def _hour(text: str) -> int | None:
    return _number(text, 0, 23)


def _most(text: str) -> int | None:
    return _number(text, 1, MOST_ITEMS)


def _number(text: str, least: int, most: int) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit() and least <= int(text.strip()[:9]) <= most):
        raise InvalidInput(f"'{text}' is no number from {least} to {most}")
    return int(text)


def _is_text(text: str) -> bool:
    if text not in ("html", "text"):
        raise InvalidInput(f"'{text}' is no form of a mail")
    return text == "text"
