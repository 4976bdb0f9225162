"""A line made into somebody: what it says is checked, and put into this newsletter's own terms."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from digest.domain.cadences import Cadence, parse_cadence
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.segments import parse_key
from digest.domain.subscribers import MOST_ITEMS, SubscriptionState
from digest.domain.times import zone
from digest.domain.topics import Topic, TopicSlug
from digest.domain.wished import parse_wished_hour
from digest.intake.addresses import parse_new_address
from digest.intake.lists.own import MEANINGS
from digest.intake.lists.said import ATTRIBUTE, Said, Standing
from digest.intake.moments import parse_moment
from digest.store.attributes import checked_attributes
from digest.store.subscription_lists import WantedSubscription

_STRICTEST = (Standing.NEVER, Standing.LEFT, Standing.PAUSED, Standing.WANTS, Standing.UNCONFIRMED)
"""Whose word counts when two lines are about one mailbox: who left in one of them is not mailed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a list is to be taken.

    `tags` leads another program's words, in lower case, to topics; None leaves a word out knowingly. What a
    topic is called leads to it unasked. `everybody` are topics that all of the list follow. `tags_from` are
    further columns that hold tags. `columns` says which of our columns another name stands for.
    """

    topics: Mapping[str, TopicSlug]
    cadences: Collection[Cadence]
    tags: Mapping[str, TopicSlug | None] = field(default_factory=dict)
    everybody: frozenset[TopicSlug] = frozenset()
    tags_from: Collection[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        newsletter: Newsletter,
        topics: Collection[Topic],
        *,
        tags: Mapping[str, str] | None = None,
        everybody: Collection[str] = (),
        tags_from: Collection[str] = (),
        columns: Mapping[str, str] | None = None,
    ) -> Terms:
        """Return the terms of a newsletter.

        Raises `InvalidInput` for a topic that it does not have, or a column that stands for nothing of ours.
        """
        for theirs, ours in (columns or {}).items():
            if ours.lower().startswith(ATTRIBUTE):
                parse_key(ours.lower().removeprefix(ATTRIBUTE))
            elif ours.lower() not in MEANINGS:
                there_is = ", ".join((*MEANINGS, f"{ATTRIBUTE}KEY"))
                raise InvalidInput(f"column '{theirs}' cannot stand for '{ours}'; there is: {there_is}")
        slugs = {str(topic.slug): topic.slug for topic in topics}
        own = {name.casefold(): topic.slug for topic in topics for name in (topic.name, topic.slug)}
        given = {tag.casefold(): _topic(slug, slugs) if slug else None for tag, slug in (tags or {}).items()}
        return cls(
            slugs,
            newsletter.cadences,
            own | given,
            frozenset(_topic(slug, slugs) for slug in everybody),
            tuple(column.lower() for column in tags_from),
            {theirs.lower(): ours.lower() for theirs, ours in (columns or {}).items()},
        )

    def unknown(self, said: Said) -> tuple[str, ...]:
        """Return the tags of a line that lead nowhere and were not left out knowingly."""
        return tuple(tag for tag in said.tags if tag.casefold() not in self.tags)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a list, checked: what they want here, and how they stood there.

    `left` is when they left there, None where nobody said; `ip` is where they asked from.
    """

    wanted: WantedSubscription
    standing: Standing
    left: datetime | None = None
    ip: str = ""
    why: str = ""

    def __or__(self, other: Person) -> Person:
        """Return one person of two lines: topics of both, and the strictest standing.

        Else it is as the first line has it, where that says something.
        """
        first, second = self.wanted, other.wanted
        leading = min(self, other, key=lambda one: _STRICTEST.index(one.standing))
        wanted = replace(
            first,
            follows=_both(first.follows, second.follows),
            name=first.name or second.name,
            language=first.language or second.language,
            timezone=first.timezone or second.timezone,
            cadence=first.cadence or second.cadence,
            max_items=second.max_items if first.max_items is None else first.max_items,
            send_at=first.send_at or second.send_at,
            text_only=second.text_only if first.text_only is None else first.text_only,
            paused_until=first.paused_until or second.paused_until,
            state=leading.wanted.state,
            attributes={**second.attributes, **first.attributes},
        )
        return replace(leading, wanted=wanted, ip=self.ip or other.ip)


def person_of(said: Said, terms: Terms, *, is_own: bool, now: datetime) -> Person:
    """Return whom a line is about. Raises `InvalidInput`, which says what is wrong with the line.

    `is_own` is a list of ours, whose zones and moments have to be right. What another program wrote there
    is taken where it can be.
    """
    state = _STATES.get(said.standing, SubscriptionState.ACTIVE)
    return Person(
        WantedSubscription(
            email=parse_new_address(said.email),
            follows=_follows(said, terms),
            name=said.name[:200],
            language=said.language[:16],
            timezone=_zone(said.timezone, is_own=is_own),
            cadence=parse_cadence(said.cadence, terms.cadences) if said.cadence else None,
            max_items=_max_items(said.max_items),
            send_at=parse_wished_hour(said.send_at) if said.send_at else None,
            text_only=_yes(said.text_only, "text_only"),
            paused_until=parse_moment(said.paused_until, now=_EVER) if said.paused_until else None,
            state=state,
            since=_moment(said.since, is_own=is_own, now=now),
            only_fills=not is_own,
            attributes=checked_attributes(said.attributes),
        ),
        said.standing,
        _moment(said.left, is_own=is_own, now=now),
        said.ip[:45],
        said.why,
    )


_STATES = {
    Standing.PAUSED: SubscriptionState.PAUSED,
    Standing.LEFT: SubscriptionState.UNSUBSCRIBED,
}


def _follows(said: Said, terms: Terms) -> frozenset[TopicSlug] | None:
    """Return the topics of a line, None where it says nothing of topics."""
    slugs = [slug.strip() for slug in (said.topics or "").replace(",", ";").split(";") if slug.strip()]
    named = frozenset(_topic(slug, terms.topics) for slug in slugs)
    led = frozenset(slug for tag in said.tags if (slug := terms.tags.get(tag.casefold())))
    found = named | led | terms.everybody
    return found if found or said.topics is not None else None


def _both(
    first: frozenset[TopicSlug] | None, second: frozenset[TopicSlug] | None
) -> frozenset[TopicSlug] | None:
    if first is None or second is None:
        return second if first is None else first
    return first | second


def _topic(text: str, topics: Mapping[str, TopicSlug]) -> TopicSlug:
    if text not in topics:
        raise InvalidInput(f"no topic '{text}'; there is: {', '.join(topics) or 'none yet'}")
    return topics[text]


def _zone(text: str, *, is_own: bool) -> str:
    try:
        return zone(text).key if text else ""
    except InvalidInput:
        if is_own:
            raise
        return ""


def _moment(text: str, *, is_own: bool, now: datetime) -> datetime | None:
    try:
        return parse_moment(text, now=now) if text else None
    except InvalidInput:
        if is_own:
            raise
        return None


_EVER = datetime.max.replace(tzinfo=UTC)
"""The end of a pause lies in the future, as no other moment of a list does."""


def _yes(text: str, column: str) -> bool | None:
    if not text:
        return None
    if (said := text.lower()) not in _YES_OR_NO:
        raise InvalidInput(f"{column} '{text[:40]}' is neither yes nor no")
    return _YES_OR_NO[said]


_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _max_items(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,3}", text) or int(text) > MOST_ITEMS:
        raise InvalidInput(f"max_items '{text}' is no number from 1 to {MOST_ITEMS}, nor 0 for all articles")
    return int(text)
