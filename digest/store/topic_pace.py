"""How often a topic appears, counted from what was published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.topics import TopicSlug
from digest.store.contents import IssueTopicRow
from digest.store.issues import IssueRow

LAST_ISSUES = 8
"""Issues that are counted: two months of a weekly, a week of a daily."""

_WEEK = timedelta(days=7)
_PUBLISHED = (IssueState.SENDING, IssueState.SENT)


def articles_a_week(session: Session, newsletter_id: NewsletterId) -> Mapping[TopicSlug, float] | None:
    """Return how many articles of each topic the last issues had for each week of their days.

    None while nothing was published; of topics that none of them had there is nothing.
    """
    issues = session.execute(
        select(IssueRow.id, IssueRow.window_start, IssueRow.window_end)
        .where(
            IssueRow.newsletter_id == newsletter_id,
            IssueRow.number.is_not(None),
            IssueRow.state.in_(_PUBLISHED),
        )
        .order_by(IssueRow.number.desc())
        .limit(LAST_ISSUES)
    ).all()
    if not issues:
        return None
    weeks = sum((issue.window_end - issue.window_start for issue in issues), timedelta()) / _WEEK
    counts: dict[TopicSlug, int] = {}
    for slug, articles in session.execute(
        select(IssueTopicRow.slug, IssueTopicRow.articles).where(
            IssueTopicRow.issue_id.in_([issue.id for issue in issues])
        )
    ):
        counts[TopicSlug(slug)] = counts.get(TopicSlug(slug), 0) + articles
    return {slug: count / weeks for slug, count in counts.items()}
