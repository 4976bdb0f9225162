"""Articles that came too late for the issue of their days: the next issue may have them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.store.articles import ArticleId, ArticleRow, StoredArticle, stored_from
from digest.store.edits import Field, edits_of
from digest.store.issues import IssueRow
from digest.store.items import carried_articles

LOOK_BACK = timedelta(days=31)
"""An issue that ended longer before is not the one before: what came late for it is no news."""

UNSEEN = timedelta(minutes=10)
"""A draft is filled every five minutes: what came just before its approval may not have been in it."""

_CLOSED = (IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def latecomers(session: Session, newsletter_id: NewsletterId, window: Window) -> tuple[StoredArticle, ...]:
    """Return articles of the issue before `window` that were found when it was approved, newest first.

    None of them is lost because an editor approves early or a source is slow. Not among them is what an issue
    carried, such as by another report of its story, and what an editor dropped.
    """
    before = session.execute(
        select(IssueRow.id, IssueRow.window_start, IssueRow.window_end, IssueRow.approved_at)
        .where(
            IssueRow.newsletter_id == newsletter_id,
            IssueRow.state.in_(_CLOSED),
            IssueRow.window_end <= window.start,
            IssueRow.window_end > window.start - LOOK_BACK,
            IssueRow.approved_at.is_not(None),
        )
        .order_by(IssueRow.window_end.desc(), IssueRow.id)
    ).all()
    last = [issue for issue in before if issue.window_end == before[0].window_end]
    came_late = [
        and_(
            ArticleRow.counted_at >= issue.window_start,
            ArticleRow.counted_at < issue.window_end,
            ArticleRow.first_seen_at > issue.approved_at - UNSEEN,
        )
        for issue in last
    ]
    if not came_late:
        return ()
    rows = session.scalars(
        select(ArticleRow).where(ArticleRow.newsletter_id == newsletter_id, or_(*came_late))
    ).all()
    if not rows:
        return ()
    told = carried_articles(session, newsletter_id, but=None, since=window.start - LOOK_BACK)
    decided = told.union(*(_dropped(session, IssueId(issue.id)) for issue in last))
    # Sorted here: databases do not agree on the order of texts.
    by_url = sorted((row for row in rows if row.id not in decided), key=lambda row: row.url)
    return stored_from(session, sorted(by_url, key=lambda row: row.published_at, reverse=True))


def _dropped(session: Session, issue_id: IssueId) -> set[ArticleId]:
    wishes = {
        edit.about.article_id: edit.after
        for edit in edits_of(session, issue_id)
        if edit.about.field is Field.WISH
    }
    return {article_id for article_id, wish in wishes.items() if article_id and wish == "drop"}
