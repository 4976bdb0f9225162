"""Choose and order an issue's articles: pure, so that a preview and a run choose alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from digest.domain.articles import Origin
from digest.domain.leads import Report, lead_order, why_leads
from digest.domain.times import Window
from digest.domain.topics import TopicSlug
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate
from digest.store.issues import ChosenItem

FRESHNESS, STORY, TOLD, WEIGHT = 0.25, 0.2, 0.2, 0.2
"""What a score adds to topic fit (0 to 1): up to this much for being new, this much for each doubling of
the sources that report the story, this much for having takeaways, this much for each doubling of its source's
weight."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An article of the window that is not in the issue, and why in words."""

    article_id: ArticleId
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """An issue's items in order, and what was left out."""

    items: tuple[ChosenItem, ...]
    left_out: tuple[LeftOut, ...]


def select_items(
    candidates: Sequence[Candidate], window: Window, *, max_items: int, carried: Collection[ArticleId]
) -> Selection:
    """Choose up to `max_items` of the window's articles, best first, one for each story.

    Every topic's best article is chosen before any topic's second best, so a busy topic does not push
    the quiet ones out.
    """
    left_out = [_left(c, "an earlier issue carried its story") for c in candidates if c.stored.id in carried]
    fresh = [candidate for candidate in candidates if candidate.stored.id not in carried]
    left_out += [_left(candidate, "belongs to no topic") for candidate in fresh if not candidate.topics]
    stories = _stories([candidate for candidate in fresh if candidate.topics])
    scored = sorted(
        ((_score(story, window), story) for story in stories),
        key=lambda pair: (-pair[0], pair[1][0].stored.article.url),
    )
    for _, (lead, *others) in scored:
        left_out += [_left(other, _why_behind(other, lead)) for other in others]
    chosen = _in_turns(scored)[:max_items]
    kept = {story[0].stored.id for _, story in chosen}
    left_out += [
        _left(story[0], f"over the limit of {max_items} articles")
        for _, story in scored
        if story[0].stored.id not in kept
    ]
    items = tuple(
        ChosenItem(story[0].stored.id, round(score, 3), tuple(other.stored.id for other in story[1:]))
        for score, story in scored
        if story[0].stored.id in kept
    )
    return Selection(items, tuple(left_out))


def _stories(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Group candidates by story, the report that leads each first."""
    groups: dict[ArticleId, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.stored.story_id or candidate.stored.id, []).append(candidate)
    return [_lead_first(group) for group in groups.values()]


def _lead_first(group: Sequence[Candidate]) -> list[Candidate]:
    return [group[index] for index in lead_order([_report(candidate) for candidate in group])]


def _report(candidate: Candidate) -> Report:
    return Report(
        candidate.stored.article,
        weight=candidate.stored.weight,
        is_copy=candidate.stored.copies_id is not None,
        has_takeaways=bool(candidate.takeaways),
        has_publishers=any(takeaway.origin is Origin.PUBLISHER for takeaway in candidate.takeaways),
    )


def _why_behind(other: Candidate, lead: Candidate) -> str:
    why = why_leads(_report(lead), _report(other))
    return f"tells the story of '{lead.stored.article.title}', which leads: {why}"


def _score(story: Sequence[Candidate], window: Window) -> float:
    lead = story[0]
    published_at = lead.stored.article.published_at or window.start
    age = (window.end - published_at) / (window.end - window.start)
    freshness = FRESHNESS * (1 - min(1.0, max(0.0, age)))
    size, weight = STORY * math.log2(len(story)), WEIGHT * math.log2(lead.stored.weight)
    return lead.topics[0].score + freshness + size + weight + TOLD * bool(lead.takeaways)


def _in_turns(
    scored: Sequence[tuple[float, list[Candidate]]],
) -> list[tuple[float, list[Candidate]]]:
    """Return the stories so that each topic's first comes before any topic's second."""
    seen: dict[TopicSlug, int] = {}
    turns: list[tuple[int, tuple[float, list[Candidate]]]] = []
    for score, story in scored:
        topic = story[0].topics[0].slug
        turns.append((seen.get(topic, 0), (score, story)))
        seen[topic] = seen.get(topic, 0) + 1
    return [pair for _, pair in sorted(turns, key=lambda turn: turn[0])]


def _left(candidate: Candidate, reason: str) -> LeftOut:
    return LeftOut(candidate.stored.id, candidate.stored.article.title, reason)
