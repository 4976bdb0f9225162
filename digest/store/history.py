"""What readers were sent before an issue: the day of their last one, and what of this one they know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from digest.domain.addressing import NOTHING_BEFORE, Before
from digest.domain.cadences import MOST_DAYS, Cadence
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.issues import Edition, Issue, IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.domain.times import zone
from digest.store.articles import ArticleRow
from digest.store.audiences import EditionRow
from digest.store.contents import get_content
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow, get_issue
from digest.store.items import ItemRow
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import SubscriptionRow

Repeats = Mapping[IssueId, Mapping[int, frozenset[int]]]
"""Which positions of an issue an earlier one has told: by that issue, and by the position there."""

_NEVER_ARRIVED = (DeliveryState.FAILED.value, DeliveryState.CANCELLED.value)
_WAS_SENT = DeliveryRow.state.not_in(_NEVER_ARRIVED)
"""What is on its way counts: it would be told twice otherwise. What nobody knows the end of counts, too."""


class _Told(NamedTuple):
    """An article that was an item of an earlier issue, and its story."""

    issue_id: IssueId
    url: str
    story_id: int


def repeats_of(session: Session, issue: Issue, addresses: Sequence[Collection[str]]) -> Repeats:
    """Return what earlier issues of the newsletter told of this one; empty in nearly all weeks.

    `addresses` are those that each item tells, by position: see `IssueContent.addresses`. An issue whose
    texts were not kept when it was approved (before 0010) is not known to have told anything.
    """
    stories = _stories(session, issue, addresses)
    earlier: dict[IssueId, dict[int, frozenset[int]]] = {}
    for told in _told(session, issue, stories) if stories else ():
        for there in _positions(session, told):
            known = earlier.setdefault(told.issue_id, {})
            known[there] = known.get(there, frozenset()) | stories[told.story_id]
    return earlier


# A story is known by its first report, which names none itself.
_STORY: ColumnElement[int] = func.coalesce(ArticleRow.story_id, ArticleRow.id)


def _stories(
    session: Session, issue: Issue, addresses: Sequence[Collection[str]]
) -> dict[int, frozenset[int]]:
    """Return at which positions of the issue each story is told."""
    rows = session.execute(
        select(ArticleRow.url, _STORY).where(
            ArticleRow.newsletter_id == issue.newsletter_id,
            ArticleRow.url.in_({url for urls in addresses for url in urls}),
        )
    )
    told_at: dict[str, list[int]] = {}
    for position, urls in enumerate(addresses):
        for url in urls:
            told_at.setdefault(url, []).append(position)
    stories: dict[int, frozenset[int]] = {}
    for address, story in rows:
        stories[story] = stories.get(story, frozenset()).union(told_at[address])
    return stories


def _told(session: Session, issue: Issue, stories: Collection[int]) -> list[_Told]:
    rows = session.execute(
        select(ItemRow.issue_id, ArticleRow.url, _STORY)
        .join(ArticleRow, ArticleRow.id == ItemRow.article_id)
        .join(IssueRow, IssueRow.id == ItemRow.issue_id)
        .where(
            IssueRow.newsletter_id == issue.newsletter_id,
            *_addressed_before(issue),
            or_(ArticleRow.id.in_(stories), ArticleRow.story_id.in_(stories)),
        )
    )
    return [_Told(IssueId(issue_id), url, story) for issue_id, url, story in rows]


def _addressed_before(issue: Issue) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for issues addressed before this one: all that were, while it was not itself."""
    when = (
        IssueRow.sending_at.is_not(None)
        if issue.sending_at is None
        else IssueRow.sending_at <= issue.sending_at
    )
    return IssueRow.id != issue.id, when


def _positions(session: Session, told: _Told) -> tuple[int, ...]:
    """Return where the issue had the article when it was frozen."""
    try:
        content = get_content(session, get_issue(session, told.issue_id))
    except Conflict:
        return ()
    return tuple(item.position for item in content.items if item.url == told.url)


def last_sent_on(session: Session, newsletter_id: NewsletterId, who: SubscriberId) -> datetime | None:
    """Return when the days end of the last issue a reader was sent: its day begins then. None for none."""
    return session.scalar(
        select(func.max(IssueRow.window_end))
        .join(DeliveryRow, DeliveryRow.issue_id == IssueRow.id)
        .where(IssueRow.newsletter_id == newsletter_id, DeliveryRow.subscriber_id == who, _WAS_SENT)
    )


class History:
    """What the readers of one issue were sent before it, asked page by page.

    `newsletter_id` and `window` of the issue count, so a copy of it in another database will do.
    """

    def __init__(self, session: Session, issue: Issue, repeats: Repeats) -> None:
        self._session = session
        self._issue = issue
        self._repeats = repeats
        self._tz = zone(newsletter_by_id(session, issue.newsletter_id).timezone)
        self._told_by: dict[int, frozenset[int]] = {}
        self._recent = self._recent_issues()

    def _recent_issues(self) -> dict[IssueId, date]:
        """Return the days of the issues that may make a reader wait."""
        since = self._issue.window.end - timedelta(days=MOST_DAYS + 1)
        rows = self._session.execute(
            select(IssueRow.id, IssueRow.window_end).where(
                IssueRow.newsletter_id == self._issue.newsletter_id,
                *_addressed_before(self._issue),
                IssueRow.window_end > since,
            )
        )
        return {IssueId(issue_id): end.astimezone(self._tz).date() for issue_id, end in rows}

    def between(
        self, first: SubscriberId, last: SubscriberId, *, is_paced: bool
    ) -> Mapping[SubscriberId, Before]:
        """Return what subscribers of these ids, both included, were sent before; who was sent nothing lacks.

        Without `is_paced` none of them has a cadence of their own, and nobody's last issue matters.
        """
        lasts = self._last_days(first, last) if is_paced and self._recent else {}
        told = self._told(first, last) if self._repeats else {}
        return {
            SubscriberId(who): Before(lasts.get(who), told.get(who, frozenset())) for who in {*lasts, *told}
        }

    def of(self, who: SubscriberId) -> Before:
        """Return what one subscriber was sent before."""
        return self.between(who, who, is_paced=True).get(who, NOTHING_BEFORE)

    def _last_days(self, first: int, last: int) -> dict[int, date]:
        is_paced = exists().where(
            SubscriptionRow.newsletter_id == self._issue.newsletter_id,
            SubscriptionRow.subscriber_id == DeliveryRow.subscriber_id,
            SubscriptionRow.cadence != Cadence.EVERY.value,
        )
        days: dict[int, date] = {}
        for who, issue_id in self._sent(self._recent, first, last, DeliveryRow.issue_id, is_paced):
            day = self._recent[IssueId(issue_id)]
            days[who] = max(days.get(who, day), day)
        return days

    def _told(self, first: int, last: int) -> dict[int, frozenset[int]]:
        rows = self._sent(self._repeats, first, last, DeliveryRow.edition_id)
        self._learn({edition_id for _, edition_id in rows} - self._told_by.keys())
        told: dict[int, frozenset[int]] = {}
        for who, edition_id in rows:
            if here := self._told_by[edition_id]:
                told[who] = told.get(who, frozenset()) | here
        return told

    def _sent(
        self,
        issues: Collection[IssueId],
        first: int,
        last: int,
        column: ColumnElement[int] | InstrumentedAttribute[int],
        *also: ColumnElement[bool],
    ) -> Sequence[Row[int, int]]:
        """Return who of these ids was sent which of `issues`, and that `column` of their delivery."""
        return (
            self._session.connection()
            .execute(
                select(DeliveryRow.subscriber_id, column).where(
                    DeliveryRow.issue_id.in_(list(issues)),
                    DeliveryRow.subscriber_id.between(first, last),
                    _WAS_SENT,
                    *also,
                )
            )
            .all()
        )

    def _learn(self, editions: Collection[int]) -> None:
        """Find out which positions of this issue each of these editions has told."""
        rows = self._session.execute(
            select(EditionRow.id, EditionRow.issue_id, EditionRow.key).where(EditionRow.id.in_(editions))
        )
        for edition_id, issue_id, key in rows if editions else ():
            there = self._repeats[IssueId(issue_id)]
            told = (there[at] for at in Edition.from_key(key).wanted if at in there)
            self._told_by[edition_id] = frozenset().union(*told)
