"""Choose and order an issue's articles: pure, so that a preview and a run choose alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from digest.compose.novelty import Echo, echoes
from digest.compose.shape import UNSHAPED, Said, Shape
from digest.domain.articles import Article, Origin
from digest.domain.feedback import Feedback
from digest.domain.leads import Report, lead_order, why_leads
from digest.domain.less import source_key
from digest.domain.times import Window
from digest.domain.topics import TopicSlug
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate
from digest.store.excerpts import source_name
from digest.store.items import ChosenItem, ScorePart

FRESHNESS, STORY, TOLD, WEIGHT = 0.25, 0.2, 0.2, 0.2
"""What a score adds to topic fit (0 to 1): up to this much for being new, this much for each doubling of
the sources that report the story, this much for having takeaways, this much for each doubling of its source's
weight."""
NOVELTY = 0.4
"""What a score loses for telling what an earlier issue told, word for word; less for less of it. A follow-up
with news in it loses some of its place, and stays."""
USEFUL = 0.1
"""What readers' answers add at most for its source, or take away when they call it not useful: less than a
third of what being new adds, so that they settle what else is a draw. See `Feedback.leaning`."""
PINNED = 10.0
"""More than everything else together: what an editor pins stands first."""


NOTHING_HEARD: Mapping[str, Feedback] = MappingProxyType({})


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
    candidates: Sequence[Candidate],
    window: Window,
    *,
    max_items: int,
    carried: Collection[ArticleId],
    told: Sequence[Article] = (),
    shape: Shape = UNSHAPED,
    heard: Mapping[str, Feedback] = NOTHING_HEARD,
) -> Selection:
    """Choose up to `max_items` of the window's articles, best first, one for each story.

    Every topic's best article is chosen before any topic's second best, so a busy topic does not push
    the quiet ones out. What an editor pinned or worked on comes in whatever the limit, what one dropped
    never, and what one put somewhere stands there. `told` are the items of earlier issues: what retells
    them stands behind. `heard` is what readers said of sources, by their `source_key`.
    """
    wanted, left_out = _sifted([shape.moved(one) for one in candidates], carried, shape)
    scored = _ranked(_stories(wanted, shape), window, told, shape, heard)
    for one in scored:
        left_out += [_left(other, _why_behind(other, one.lead, shape)) for other in one.story[1:]]
    kept_anyway = [one for one in scored if any(map(shape.keeps, one.ids))]
    others = [one for one in scored if one not in kept_anyway]
    chosen = [*kept_anyway, *_in_turns(others)[: max(0, max_items - len(kept_anyway))]]
    kept = {one.lead.stored.id for one in chosen}
    left_out += [
        _left(one.lead, f"over the limit of {max_items} articles")
        for one in scored
        if one.lead.stored.id not in kept
    ]
    ordered = [one for one in scored if one.lead.stored.id in kept]
    in_place = shape.in_place(ordered, lambda one: one.ids)
    return Selection(tuple(one.item for one in in_place), tuple(left_out))


def _sifted(
    candidates: Sequence[Candidate], carried: Collection[ArticleId], shape: Shape
) -> tuple[list[Candidate], list[LeftOut]]:
    """Return which articles may be chosen at all, and which not."""
    wanted: list[Candidate] = []
    left_out: list[LeftOut] = []
    for candidate in candidates:
        reason = _why_not(candidate, carried, shape)
        if reason:
            left_out.append(_left(candidate, reason))
        else:
            wanted.append(candidate)
    return wanted, left_out


@dataclass(frozen=True, slots=True)
class _Scored:
    """A story, the report that leads it first, and what its score is made of."""

    parts: tuple[ScorePart, ...]
    story: Sequence[Candidate]

    @property
    def lead(self) -> Candidate:
        return self.story[0]

    @property
    def ids(self) -> tuple[ArticleId, ...]:
        return tuple(report.stored.id for report in self.story)

    @property
    def score(self) -> float:
        return round(sum(part.points for part in self.parts), 3)

    @property
    def item(self) -> ChosenItem:
        others = tuple(other.stored.id for other in self.story[1:])
        return ChosenItem(self.lead.stored.id, self.score, others, self.parts)


def _ranked(
    stories: Sequence[Sequence[Candidate]],
    window: Window,
    told: Sequence[Article],
    shape: Shape,
    heard: Mapping[str, Feedback],
) -> list[_Scored]:
    """Return the stories with their scores, best first."""
    echoed = echoes([story[0].stored.article for story in stories], told)
    scored = (
        _Scored(_parts(story, window, echo, _pin(story, shape), _heard_of(story[0], heard)), story)
        for story, echo in zip(stories, echoed, strict=True)
    )
    return sorted(scored, key=lambda one: (-one.score, one.lead.stored.article.url))


def _heard_of(lead: Candidate, heard: Mapping[str, Feedback]) -> Feedback:
    """Return what readers said of the source of an article."""
    if not heard:
        return _SILENCE
    article = lead.stored.article
    first = next(iter(lead.stored.sources), None)
    name = source_name(first=first, site_name=article.site_name, url=article.url)
    return heard.get(source_key(name), _SILENCE)


_SILENCE = Feedback()


def _pin(story: Sequence[Candidate], shape: Shape) -> Said | None:
    """Return who pinned a story, whichever of its reports it was."""
    return next((pin for report in story if (pin := shape.pin(report.stored.id))), None)


def _why_not(candidate: Candidate, carried: Collection[ArticleId], shape: Shape) -> str | None:
    """Say why an article is not even considered, None when it is."""
    drop, pin = shape.drop(candidate.stored.id), shape.pin(candidate.stored.id)
    if drop is not None:
        return f"{drop.by} dropped it"
    if candidate.stored.id in carried and pin is None:
        return "an earlier issue carried its story"
    if not candidate.topics:
        return "belongs to no topic" + (f", so nobody would get it though {pin.by} pinned it" if pin else "")
    return None


def _stories(candidates: Sequence[Candidate], shape: Shape) -> list[list[Candidate]]:
    """Group candidates by story, the report that leads each first: the editor's choice, then a pinned one."""
    groups: dict[ArticleId, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.stored.story_id or candidate.stored.id, []).append(candidate)
    led = [_lead_first(group) for group in groups.values()]
    return [sorted(group, key=shape.rank_of_lead) for group in led]


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


def _why_behind(other: Candidate, lead: Candidate, shape: Shape) -> str:
    said = shape.leads.get(lead.stored.id)
    why = f"{said.by} chose it" if said else why_leads(_report(lead), _report(other))
    return f"tells the story of '{lead.stored.article.title}', which leads: {why}"


def _parts(
    story: Sequence[Candidate], window: Window, echo: Echo | None, pin: Said | None, said: Feedback
) -> tuple[ScorePart, ...]:
    """Return what a story's score is made of, in words; what makes no difference is left out."""
    lead = story[0]
    fit, weight = lead.topics[0], lead.stored.weight
    published_at = lead.stored.article.published_at or window.start
    age = (window.end - published_at) / (window.end - window.start)
    told = [
        (PINNED if pin else 0.0, f"pinned by {pin.by}" if pin else ""),
        (fit.score, f"fits {fit.slug}: {fit.reason}"),
        (FRESHNESS * (1 - min(1.0, max(0.0, age))), f"published on {published_at:%Y-%m-%d}"),
        (STORY * math.log2(len(story)), f"{len(story)} reports of its story"),
        (WEIGHT * math.log2(weight), f"its source counts {weight:g} times"),
        (TOLD * bool(lead.takeaways), "has takeaways"),
        (USEFUL * said.leaning, f"useful to {said.useful} of {said.count} readers who said so of its source"),
        (
            -NOVELTY * echo.likeness if echo else 0.0,
            f"like '{echo.title}' of an earlier issue" if echo else "",
        ),
    ]
    return tuple(ScorePart(round(points, 3), reason) for points, reason in told if round(points, 3))


def _in_turns(scored: Sequence[_Scored]) -> list[_Scored]:
    """Return the stories so that each topic's first comes before any topic's second."""
    seen: dict[TopicSlug, int] = {}
    turns: list[tuple[int, _Scored]] = []
    for one in scored:
        topic = one.lead.topics[0].slug
        turns.append((seen.get(topic, 0), one))
        seen[topic] = seen.get(topic, 0) + 1
    return [one for _, one in sorted(turns, key=lambda turn: turn[0])]


def _left(candidate: Candidate, reason: str) -> LeftOut:
    return LeftOut(candidate.stored.id, candidate.stored.article.title, reason)
