"""Weeks of a newsletter whose issues say which articles they tell, one after another."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from digest.address.steps import Addressed, address_issue
from digest.domain.cadences import Cadence
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueContent, IssueTopic, Item
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId
from digest.domain.times import Window
from digest.domain.topics import TopicSlug
from digest.domain.wished import parse_wished_hour
from digest.store.articles import ArticleId, ArticleRow
from digest.store.contents import record_content
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, planned_deliveries, planned_skips
from digest.store.issues import ensure_issue
from digest.store.items import ChosenItem, replace_items
from digest.store.revisions import freeze
from digest.store.subscribers import subscribe
from tests.stored import (
    CLIMATE,
    NOW,
    TOPICS,
    WEEKLY,
    rendered,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_source,
)


class Weeks:
    """A weekly whose articles are named by a path; each is told under one topic."""

    def __init__(self, engine: Engine, **newsletter: object) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine, **newsletter)
        self._source = stored_source(engine, self.newsletter, "Meridian")
        self._articles: dict[str, ArticleId] = {}

    def add(
        self,
        name: str,
        *follows: TopicSlug,
        cadence: Cadence | None = None,
        most: int | None = None,
        timezone: str = "",
        send_at: str = "",
        text_only: bool = False,
    ) -> SubscriberId:
        with writing(self.engine) as session:
            return subscribe(
                session,
                self.newsletter.id,
                email=f"{name}@example.org",
                follows=follows or (CLIMATE,),
                cadence=cadence,
                max_items=most,
                timezone=timezone,
                send_at=parse_wished_hour(send_at),
                text_only=text_only,
                now=NOW,
            ).subscriber.id

    def approved(self, week: int, *items: str | tuple[str, TopicSlug]) -> Issue:
        """Store the approved issue of a week; its items are about the climate unless a topic is named."""
        told = [(item, CLIMATE) if isinstance(item, str) else item for item in items]
        first = date(2026, 11, 16) + timedelta(weeks=week)
        content = self._content(told, first)
        with writing(self.engine) as session:
            window = Window.of_days(first, first + timedelta(days=6), ZoneInfo(self.newsletter.timezone))
            draft = ensure_issue(session, self.newsletter.id, window, now=NOW)
            chosen = [ChosenItem(self._articles[path], 1.0) for path, _ in told]
            replace_items(session, draft.id, chosen)
            pieces = rendered(*(path for path, _ in told))
            issue = freeze(session, draft, pieces, content.outline, by="ed", now=NOW)
            return record_content(session, issue, content)

    def _content(self, told: list[tuple[str, TopicSlug]], first: date) -> IssueContent:
        items = [self._item(position, path, topic, first) for position, (path, topic) in enumerate(told)]
        return IssueContent(
            newsletter=WEEKLY.name,
            language="en",
            first_day=first,
            last_day=first + timedelta(days=6),
            sender_name=WEEKLY.sender_name,
            postal_address=WEEKLY.postal_address,
            topics=tuple(IssueTopic(topic.slug, topic.name) for topic in TOPICS),
            items=tuple(items),
            number=1 + (first - date(2026, 1, 1)).days,
        )

    def _item(self, position: int, path: str, topic: TopicSlug, first: date) -> Item:
        article = sample_article(path)
        if path not in self._articles:
            self._articles[path] = stored_article(self.engine, self.newsletter, self._source, article)
        return Item(position, article.url, path, "Meridian", (), (topic,), first, 1)

    def are_one_story(self, lead: str, other: str) -> None:
        with writing(self.engine) as session:
            row = session.get_one(ArticleRow, self._articles[other])
            row.story_id = self._articles[lead]

    def address(self, issue: Issue, *, week: int = 0, now: datetime = NOW) -> Addressed:
        return address_issue(self.engine, issue.id, now=now + timedelta(weeks=week))

    def settle(self, issue: Issue, who: SubscriberId, state: DeliveryState) -> None:
        with writing(self.engine) as session:
            session.query(DeliveryRow).filter_by(issue_id=issue.id, subscriber_id=who).update(
                {"state": state.value}
            )

    def planned(self, issue: Issue) -> dict[str, str]:
        """Return each reader's edition of an addressed issue by its key, or why they have none."""
        with reading(self.engine) as session:
            plan = dict(planned_deliveries(session, issue.id))
            plan |= {email: skip.in_words for email, skip in planned_skips(session, issue.id)}
        return {email.partition("@")[0]: what for email, what in plan.items()}
