"""What readers told after an issue, for those who make the next."""

from __future__ import annotations

from dataclasses import dataclass

from digest.domain.departures import Departures
from digest.domain.feedback import Feedback
from digest.domain.issues import IssueId
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.departures import departures_after
from digest.store.feedback import feedback_on
from digest.store.issues import get_issue
from digest.store.revisions import get_rendered


@dataclass(frozen=True, slots=True)
class ArticleHeard:
    """What readers said of an article. `position` counts from 0."""

    position: int
    title: str
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class Heard:
    """What readers told after an issue: of its articles, and who left once it was the last they were sent.

    `articles` are those of which anything was said, in the issue's order.
    """

    issue_id: IssueId
    departures: Departures
    articles: tuple[ArticleHeard, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether nobody told anything."""
        return not (self.departures.count or self.articles)


def heard_after(runtime: Runtime, issue_id: int) -> Heard:
    """Return what readers told after an issue. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        said = feedback_on(session, issue.id)
        titles = get_rendered(session, issue).titles if said else ()
        articles = tuple(
            ArticleHeard(position, titles[position] if position < len(titles) else "–", feedback)
            for position, feedback in said.items()
        )
        return Heard(issue.id, departures_after(session, issue.id), articles)
