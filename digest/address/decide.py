"""Why a reader gets each item of an issue, or does not, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from digest.domain.issues import Edition, Outline
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
    """

    edition: Edition
    follows: Collection[TopicSlug] = frozenset()
    told: Collection[int] = frozenset()
    withheld: str = ""


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
    if position in reader.told and (under := next((one for one in topics if one in reader.follows), None)):
        return f"follows {names.get(under, under)}, but was sent it before"
    about = " and ".join(names.get(topic, topic) for topic in topics)
    return f"is about {about}, which they do not follow"
