"""Why a reader gets each item of an issue, or does not, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from digest.domain.issues import Edition, Outline
from digest.domain.less import NOTHING_LESS, Less
from digest.domain.topics import TopicSlug


@dataclass(frozen=True, slots=True)
class ItemReason:
    """One item of an issue for one reader: whether they get it, and why or why not in words."""

    position: int
    title: str
    is_shown: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader has of an issue: their edition, what they follow, and what they were told before.

    `withheld` says why they get none of it although they follow it, as in 'paused their subscription'.
    `less` is what they want less of, `unwanted` are the articles whose source is among that, `muted_until` is
    the last day of each mute. `is_over`: it was decided before, perhaps by what they have changed since.
    """

    edition: Edition
    follows: Collection[TopicSlug] = frozenset()
    told: Collection[int] = frozenset()
    withheld: str = ""
    less: Less = NOTHING_LESS
    unwanted: Collection[int] = frozenset()
    muted_until: Mapping[TopicSlug, date] = field(default_factory=dict)
    is_over: bool = False


def item_reasons(
    outline: Outline, titles: tuple[str, ...], reader: Reading, names: Mapping[TopicSlug, str]
) -> tuple[ItemReason, ...]:
    """Return, for each item of the issue in its order, why a reader gets it or does not."""
    shown = {position: section.topic for section in reader.edition.sections for position in section.positions}
    wanted = reader.edition.wanted
    return tuple(
        ItemReason(
            position,
            titles[position],
            is_shown=position in wanted and not reader.withheld,
            reason=_why(topics, shown.get(position), position, reader, names),
        )
        for position, topics in enumerate(outline.items)
    )


def _why(
    topics: tuple[TopicSlug, ...],
    shown_under: TopicSlug | None,
    position: int,
    reader: Reading,
    names: Mapping[TopicSlug, str],
) -> str:
    if shown_under is not None:
        follows = f"follows {names.get(shown_under, shown_under)}"
        if reader.withheld:
            return f"{follows}, but {reader.withheld}"
        is_over = position not in reader.edition.wanted
        return f"{follows}; online only, over their most of {reader.edition.most}" if is_over else follows
    under = next((topic for topic in topics if topic in reader.follows), None)
    if under is not None and (but := _but(topics, position, reader, names)):
        return f"follows {names.get(under, under)}, but {but}"
    about = " and ".join(names.get(topic, topic) for topic in topics)
    return f"is about {about}, which they do not follow"


def _but(
    topics: tuple[TopicSlug, ...], position: int, reader: Reading, names: Mapping[TopicSlug, str]
) -> str:
    """Say why a reader misses an article of a topic they follow, '' where nothing is known to say so."""
    if position in reader.told:
        return "was sent it before"
    if position in reader.unwanted:
        return "wants nothing of its source"
    counts_for = next((topic for topic in topics if topic in reader.less.wanted(reader.follows)), None)
    if counts_for is None:
        return _muted(topics, reader, names)
    if counts_for in reader.less.single:
        return f"wants no more than one article of {names.get(counts_for, counts_for)}"
    return "did not, or wanted less of it, when this was decided" if reader.is_over else ""


def _muted(topics: tuple[TopicSlug, ...], reader: Reading, names: Mapping[TopicSlug, str]) -> str:
    """Say which topics are muted that an article is followed for, and until when."""
    muted = [topic for topic in topics if topic in reader.follows]
    return "muted " + " and ".join(
        f"{names.get(topic, topic)} until {reader.muted_until[topic]}"
        if topic in reader.muted_until
        else names.get(topic, topic)
        for topic in muted
    )
