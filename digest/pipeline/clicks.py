"""What was followed in an issue's mail, summed up for people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.domain.clicks import Clicks
from digest.domain.issues import IssueId
from digest.runtime import Runtime
from digest.store.clicks import ClickCount, clicks_of
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.revisions import get_rendered


@dataclass(frozen=True, slots=True)
class ArticleClicks:
    """An article of an issue, and how often its links were followed. `position` counts from 0."""

    position: int
    title: str
    followed: int


@dataclass(frozen=True, slots=True)
class NamedClicks:
    """A topic, a source or a place in the mail, and how often links of it were followed."""

    name: str
    followed: int


@dataclass(frozen=True, slots=True)
class IssueClicks:
    """What was followed in an issue's mail: what there is most of first, places from the top.

    With `are_counted` clicks of its newsletter are counted now. `left_out` were opened by scanners.
    """

    issue_id: IssueId
    are_counted: bool
    followed: int
    left_out: int
    articles: tuple[ArticleClicks, ...]
    topics: tuple[NamedClicks, ...]
    sources: tuple[NamedClicks, ...]
    places: tuple[NamedClicks, ...]


def clicks_in(runtime: Runtime, issue_id: int) -> IssueClicks:
    """Return what was followed in an issue's mail. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        counts = clicks_of(session, [issue.id])
        titles = get_rendered(session, issue).titles if counts else ()
    articles = Counter[int]()
    for one in counts:
        articles[one.position] += one.followed
    places = _sums([one for one in counts if one.place], lambda one: str(one.place))
    return IssueClicks(
        issue_id=issue.id,
        are_counted=newsletter.clicks is not Clicks.OFF,
        followed=sum(one.followed for one in counts),
        left_out=sum(one.left_out for one in counts),
        articles=tuple(
            ArticleClicks(position, titles[position] if position < len(titles) else "", followed)
            for position, followed in sorted(articles.items(), key=lambda one: (-one[1], one[0]))
            if followed
        ),
        topics=_sums(counts, lambda one: one.topic),
        sources=_sums(counts, lambda one: one.source),
        places=tuple(sorted(places, key=lambda one: int(one.name))),
    )


def _sums(counts: Sequence[ClickCount], name: Callable[[ClickCount], str]) -> tuple[NamedClicks, ...]:
    sums = Counter[str]()
    for one in counts:
        sums[name(one)] += one.followed
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    return tuple(NamedClicks(named, followed) for named, followed in ordered if followed)
