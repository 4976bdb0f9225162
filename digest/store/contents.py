"""What an approved issue says, as values: what the web shows of it, whatever becomes of its articles.

The pieces that mails are made of are a mail's HTML. A page and a feed need titles, links and takeaways.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, String, Text, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import Image
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueContent, IssueId, IssueTopic, Item, OtherSource
from digest.domain.topics import TopicSlug
from digest.store.base import Base, storable
from digest.store.issues import IssueRow


class ContentRow(Base):
    """What the last approval of an issue froze, as JSON. Issues approved before 0010 have none."""

    __tablename__ = "issue_contents"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    told: Mapped[str] = mapped_column(Text)


class IssueTopicRow(Base):
    """A topic that articles shown of an issue belong to, by the name it then had, and how many they are."""

    __tablename__ = "issue_topics"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    articles: Mapped[int]


def record_content(session: Session, issue: Issue, content: IssueContent) -> Issue:
    """Keep what was approved, and with it the number by which the issue is known from here on."""
    session.execute(
        update(IssueRow)
        .where(IssueRow.id == issue.id)
        .values(number=content.number)
        .execution_options(synchronize_session=False)
    )
    row = session.get(ContentRow, issue.id) or ContentRow(issue_id=issue.id)
    row.told = content_to_json(content)
    session.add(row)
    record_topics(session, issue.id, content)
    return replace(issue, number=content.number)


def record_topics(session: Session, issue_id: IssueId, content: IssueContent) -> None:
    """Let the issue be found by exactly the topics of these articles."""
    counts = Counter(topic for item in content.items for topic in item.topics)
    session.execute(delete(IssueTopicRow).where(IssueTopicRow.issue_id == issue_id))
    session.add_all(
        IssueTopicRow(
            issue_id=issue_id, slug=topic.slug, name=storable(topic.name), articles=counts[topic.slug]
        )
        for topic in content.topics
        if counts[topic.slug]
    )
    session.flush()


def get_content(session: Session, issue: Issue) -> IssueContent:
    """Return what the issue's last approval froze. Raises `Conflict` when that was not kept."""
    row = session.get(ContentRow, issue.id)
    if row is None:
        raise Conflict(
            f"issue {issue.id} is in no archive: it was not approved, or by a version of Digest that did not "
            "keep what an archive shows"
        )
    return content_from_json(row.told)


def addresses_of(session: Session, issue: Issue) -> tuple[frozenset[str], ...]:
    """Return what each item of an approved issue tells, see `IssueContent.addresses`; () when not kept."""
    row = session.get(ContentRow, issue.id)
    return () if row is None else content_from_json(row.told).addresses


def sources_of(session: Session, issue: Issue) -> tuple[str, ...]:
    """Return what the source of each item of an approved issue is called; () when not kept."""
    row = session.get(ContentRow, issue.id)
    return () if row is None else content_from_json(row.told).sources


def content_to_json(content: IssueContent) -> str:
    """Return all that an issue says as JSON: ASCII, as strangers' words may hold what no column takes."""
    return json.dumps(asdict(content), default=date.isoformat, separators=(",", ":"))


def content_from_json(told: str) -> IssueContent:
    """Read back what `content_to_json` wrote."""
    raw: dict[str, Any] = json.loads(told)
    return IssueContent(
        **{
            **raw,
            "first_day": date.fromisoformat(raw["first_day"]),
            "last_day": date.fromisoformat(raw["last_day"]),
            "topics": tuple(IssueTopic(TopicSlug(one["slug"]), one["name"]) for one in raw["topics"]),
            "items": tuple(map(_item, raw["items"])),
        }
    )


def _item(raw: Mapping[str, Any]) -> Item:
    return Item(
        **{
            **raw,
            "takeaways": tuple(raw["takeaways"]),
            "topics": tuple(map(TopicSlug, raw["topics"])),
            "published_on": date.fromisoformat(raw["published_on"]),
            "image": Image(**raw["image"]) if raw["image"] else None,
            "also": tuple(OtherSource(**other) for other in raw["also"]),
        }
    )
