"""Who gets what of an issue: follows × items, and why or why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from digest.domain.issues import Edition, Outline
from digest.domain.subscribers import SkipReason
from digest.domain.topics import TopicSlug


def followed(mask: int, topics: Collection[TopicSlug]) -> frozenset[TopicSlug]:
    """Return the topics whose bits are set in `mask`, bit 0 being the first."""
    return frozenset(topic for bit, topic in enumerate(topics) if mask >> bit & 1)


def skip_reason(
    follows: Collection[TopicSlug], edition: Edition, *, is_paused: bool, is_suppressed: bool
) -> SkipReason | None:
    """Return why a reader gets no mail, or None when they get `edition`."""
    if is_suppressed:
        return SkipReason.SUPPRESSED
    if is_paused:
        return SkipReason.PAUSED
    if not follows:
        return SkipReason.NO_TOPICS
    return None if edition.sections else SkipReason.NOTHING_FOLLOWED


@dataclass(frozen=True, slots=True)
class ItemReason:
    """One item of an issue for one reader: whether they get it, and why or why not in words."""

    position: int
    title: str
    is_shown: bool
    reason: str


def item_reasons(
    outline: Outline,
    titles: tuple[str, ...],
    edition: Edition,
    names: Mapping[TopicSlug, str],
    *,
    withheld: str = "",
) -> tuple[ItemReason, ...]:
    """Return, for each item of the issue in its order, why a reader of `edition` gets it or does not.

    `withheld` says why they get none of it although they follow it, as in 'paused their subscription'.
    """
    shown = {position: section.topic for section in edition.sections for position in section.positions}
    but = f", but {withheld}" if withheld else ""
    return tuple(
        ItemReason(
            position,
            titles[position],
            is_shown=position in shown and not withheld,
            reason=_why(topics, shown.get(position), names) + (but if position in shown else ""),
        )
        for position, topics in enumerate(outline.items)
    )


def _why(topics: tuple[TopicSlug, ...], shown_under: TopicSlug | None, names: Mapping[TopicSlug, str]) -> str:
    if shown_under is not None:
        return f"follows {names.get(shown_under, shown_under)}"
    about = " and ".join(names.get(topic, topic) for topic in topics)
    return f"is about {about}, which they do not follow"
