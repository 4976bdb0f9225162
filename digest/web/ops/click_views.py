"""What was followed in a newsletter's mail: by issue, topic, source, place and article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from digest.domain.clicks import Clicks
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.newsletters import Newsletter
from digest.runtime import Runtime
from digest.store.clicks import ClickCount, clicks_of
from digest.store.database import reading
from digest.store.issues import issues_page
from digest.store.measures import IssueMeasures, measures_of
from digest.store.newsletters import list_topics, newsletter_by_id
from digest.store.revisions import get_rendered
from digest.web.ops.charts import Chart, Group, Ranking, ranked, stacked

ISSUES = 12
"""How far charts go back: three months of a weekly."""

MAILED = (IssueState.SENT, IssueState.SENDING, IssueState.PAUSED)


@dataclass(frozen=True, slots=True)
class Followed:
    """What was counted of a newsletter's last issues.

    `topics` are names of topics by their short names, `titles` those of the newest issue's articles.
    `measures` is what was measured of readers who agreed.
    """

    counts: tuple[ClickCount, ...]
    topics: Mapping[str, str]
    newest: Issue | None
    titles: tuple[str, ...]
    measures: Mapping[IssueId, IssueMeasures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClicksView:
    """What was followed. Without charts `is_on` says whether anything is counted at all."""

    is_on: bool
    by_issue: Chart | None = None
    rankings: tuple[Ranking, ...] = ()


def count_followed(runtime: Runtime, newsletter_id: int) -> Followed:
    """Return what was counted of the issues that charts show."""
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, newsletter_id)
        issues = issues_page(session, limit=ISSUES, newsletter_id=newsletter.id, states=MAILED)
        counts = clicks_of(session, [issue.id for issue in issues])
        counted = {one.issue_id for one in counts}
        newest = next((issue for issue in issues if issue.id in counted), None)
        return Followed(
            counts,
            {topic.slug: topic.name for topic in list_topics(session, newsletter.id)},
            newest,
            get_rendered(session, newest).titles if newest else (),
            measures_of(session, [issue.id for issue in issues]),
        )


def clicks_view(
    newsletter: Newsletter, issues: Sequence[Issue], followed: Followed, name: Callable[[Issue], str]
) -> ClicksView:
    """Return the charts of what was followed.

    `issues` are in the order of time, `name` says what one is called.
    """
    is_on = newsletter.clicks is not Clicks.OFF
    counts = followed.counts
    if not counts:
        return ClicksView(is_on)
    people = _sums(counts, lambda one: str(one.issue_id))
    programs: Counter[str] = Counter()
    for one in counts:
        programs[str(one.issue_id)] += one.left_out
    groups = [Group(name(issue), (people[str(issue.id)], programs[str(issue.id)])) for issue in issues]
    places = _sums([one for one in counts if one.place], lambda one: f"Article {one.place}")
    in_order = sorted(places, key=lambda place: int(place.rpartition(" ")[2]))
    rankings = [
        ranked("Followed by topic", "Topic", _sums(counts, lambda one: _topic(followed, one))),
        ranked("Followed by source", "Source", _sums(counts, lambda one: one.source)),
        ranked("Followed by place in the mail", "Place", places, in_order=in_order),
    ]
    if followed.newest:
        of_newest = [one for one in counts if one.issue_id == followed.newest.id]
        sums = _sums(of_newest, lambda one: _title(followed, one))
        rankings.append(ranked(f"Followed by article: {name(followed.newest)}", "Article", sums))
    kinds, looks = ("followed", "left out as scanners"), ("accent", "wait")
    return ClicksView(
        is_on,
        stacked("Links followed by issue", kinds, looks, groups),
        tuple(one for one in rankings if one.rows),
    )


def _topic(followed: Followed, one: ClickCount) -> str:
    return followed.topics.get(one.topic, one.topic)


def _title(followed: Followed, one: ClickCount) -> str:
    return followed.titles[one.position] if one.position < len(followed.titles) else "–"


def _sums(counts: Iterable[ClickCount], name: Callable[[ClickCount], str]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for one in counts:
        sums[name(one)] += one.followed
    return sums
