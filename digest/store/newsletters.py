"""Newsletters and their topics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
    case,
    column,
    delete,
    false,
    func,
    select,
    table,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import Style
from digest.domain.cadences import Cadence
from digest.domain.clicks import Clicks
from digest.domain.errors import Conflict, NotFound
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Approval, Newsletter, NewsletterId
from digest.domain.quiet import QuietHours
from digest.domain.themes import Theme
from digest.domain.topics import TOPICS_MAX, Topic, TopicRule, TopicSlug, require_parent
from digest.store.base import NEVER_AGAIN, Base, Json


class NewsletterRow(Base):
    """A newsletter. `archive_changed_at` is when an editor last changed what its archive shows.

    `cadences` are those on offer, with commas between; `sign_up_origins` stand a line each.
    """

    __tablename__ = "newsletters"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    sender_name: Mapped[str] = mapped_column(String(200))
    sender_email: Mapped[str] = mapped_column(String(320))
    postal_address: Mapped[str] = mapped_column(String(500))
    language: Mapped[str] = mapped_column(String(16))
    timezone: Mapped[str] = mapped_column(String(64))
    window_days: Mapped[int]
    max_items: Mapped[int]
    takeaways: Mapped[int]
    takeaway_words: Mapped[int]
    takeaway_style: Mapped[str] = mapped_column(String(16))
    llm: Mapped[bool]
    approval: Mapped[str] = mapped_column(String(16))
    template: Mapped[str] = mapped_column(String(64))
    theme: Mapped[dict[str, Any]] = mapped_column(Json)
    welcome: Mapped[bool]
    goodbye: Mapped[bool]
    created_at: Mapped[datetime]
    archive: Mapped[bool] = mapped_column(default=False)
    archive_changed_at: Mapped[datetime | None]
    local_time: Mapped[bool] = mapped_column(default=False)
    cadences: Mapped[str] = mapped_column(String(64), default="every")
    quiet_hours: Mapped[str] = mapped_column(String(11), default="", server_default="")
    second_eyes: Mapped[bool] = mapped_column(default=False, server_default=false())
    reply_to: Mapped[str] = mapped_column(String(320), default="", server_default="")
    clicks: Mapped[str] = mapped_column(String(16), default="off", server_default="off")
    measuring: Mapped[str] = mapped_column(String(16), default="off", server_default="off")
    measuring_since: Mapped[datetime | None]
    counting_since: Mapped[datetime | None]
    sign_up: Mapped[bool] = mapped_column(default=True, server_default=false())
    sign_up_origins: Mapped[str] = mapped_column(Text, default="", server_default="")


class TopicRow(Base):
    """A topic of a newsletter. `position` orders an issue's sections, `parent_id` is what it is part of.

    One that `is_removed` is none any more, but for follows of it that are still to be forgotten.
    """

    __tablename__ = "topics"
    __table_args__ = (UniqueConstraint("newsletter_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(1000))
    position: Mapped[int]
    phrases: Mapped[list[str]] = mapped_column(Json)
    categories: Mapped[list[str]] = mapped_column(Json)
    sources: Mapped[list[str]] = mapped_column(Json)
    query: Mapped[str] = mapped_column(Text, default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id", ondelete="SET NULL"))
    is_removed: Mapped[bool] = mapped_column(default=False, server_default=false())


def add_newsletter(session: Session, newsletter: Newsletter, *, now: datetime) -> Newsletter:
    """Store `newsletter` under a new id. Raises `Conflict` when its slug is taken."""
    if session.scalar(select(NewsletterRow.id).where(NewsletterRow.slug == newsletter.slug)):
        raise Conflict(f"newsletter '{newsletter.slug}' exists already: choose another short name")
    row = NewsletterRow(
        slug=newsletter.slug,
        name=newsletter.name,
        sender_name=newsletter.sender_name,
        sender_email=newsletter.sender_email,
        postal_address=newsletter.postal_address,
        language=newsletter.language,
        timezone=newsletter.timezone,
        window_days=newsletter.window_days,
        max_items=newsletter.max_items,
        takeaways=newsletter.takeaways,
        takeaway_words=newsletter.takeaway_words,
        takeaway_style=newsletter.takeaway_style,
        llm=newsletter.llm,
        approval=newsletter.approval,
        template=newsletter.template,
        archive=newsletter.archive,
        theme=newsletter.theme.to_plain(),
        welcome=newsletter.welcome,
        goodbye=newsletter.goodbye,
        local_time=newsletter.local_time,
        cadences=",".join(newsletter.cadences),
        quiet_hours=str(newsletter.quiet_hours or ""),
        second_eyes=newsletter.second_eyes,
        reply_to=newsletter.reply_to,
        clicks=newsletter.clicks,
        measuring=newsletter.measuring,
        sign_up=newsletter.sign_up,
        sign_up_origins="\n".join(newsletter.sign_up_origins),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return _newsletter(row)


def first_sender(session: Session) -> str:
    """Return the address that the oldest newsletter's mail comes from, '' while there is none."""
    return session.scalar(select(NewsletterRow.sender_email).order_by(NewsletterRow.id).limit(1)) or ""


def list_newsletters(session: Session) -> tuple[Newsletter, ...]:
    """Return every newsletter by name."""
    return tuple(map(_newsletter, session.scalars(select(NewsletterRow).order_by(NewsletterRow.name))))


def get_newsletter(session: Session, slug: str, *, to_change: bool = False) -> Newsletter:
    """Return the newsletter called `slug`. Raises `NotFound`, which names those there are.

    With `to_change`, who else wants to change it or what it has waits until this transaction ends.
    """
    query = select(NewsletterRow).where(NewsletterRow.slug == slug)
    row = session.scalar(query.with_for_update(key_share=True) if to_change else query)
    if row is None:
        known = ", ".join(session.scalars(select(NewsletterRow.slug).order_by(NewsletterRow.slug)))
        there = f"there is: {known}" if known else "there is none yet: add one with 'digest newsletter add'"
        raise NotFound(f"no newsletter '{slug}'; {there}")
    return _newsletter(row)


def newsletter_by_id(session: Session, newsletter_id: int) -> Newsletter:
    """Return the newsletter with this id. Raises `NotFound` when it was removed."""
    row = session.get(NewsletterRow, newsletter_id)
    if row is None:
        raise NotFound(f"newsletter number {newsletter_id} was removed")
    return _newsletter(row)


def change_newsletter(session: Session, newsletter_id: NewsletterId, **changes: object) -> Newsletter:
    """Change columns that say what an issue holds and who approves it; return the newsletter then."""
    session.execute(update(NewsletterRow).where(NewsletterRow.id == newsletter_id).values(**changes))
    session.expire_all()
    return newsletter_by_id(session, newsletter_id)


def set_theme(session: Session, newsletter_id: NewsletterId, theme: Theme) -> Newsletter:
    """Give a newsletter this theme; return the newsletter then. What was approved keeps the one it had."""
    return change_newsletter(session, newsletter_id, theme=theme.to_plain())


_ISSUES = table("issues", column("id"), column("newsletter_id"))
_DELIVERIES = table("deliveries", column("issue_id"))
"""By their names: their modules know this one."""


def remove_newsletter(session: Session, newsletter_id: NewsletterId) -> None:
    """Remove a newsletter with its sources, topics, schedules, issues and their deliveries.

    The issues are locked first: what is being addressed at this moment is there before it is removed.
    """
    issues = session.scalars(
        select(_ISSUES.c.id).where(_ISSUES.c.newsletter_id == newsletter_id).with_for_update()
    )
    session.execute(delete(_DELIVERIES).where(_DELIVERIES.c.issue_id.in_(issues.all())))
    session.execute(delete(NewsletterRow).where(NewsletterRow.id == newsletter_id))


def add_topic(session: Session, newsletter_id: NewsletterId, topic: Topic) -> None:
    """Add `topic` after the newsletter's other topics. Raises `Conflict` when its slug is taken.

    Raises `NotFound` for a parent that is not there, `InvalidInput` for one that cannot be.
    """
    existing = list_topics(session, newsletter_id)
    if any(known.slug == topic.slug for known in existing):
        raise Conflict(f"topic '{topic.slug}' exists already: remove it first, or choose another short name")
    if len(existing) >= TOPICS_MAX:
        raise Conflict(f"a newsletter has at most {TOPICS_MAX} topics: remove one first")
    parent_id = _parent_id(session, newsletter_id, topic.slug, topic.parent)
    session.add(
        TopicRow(
            newsletter_id=newsletter_id,
            slug=topic.slug,
            name=topic.name,
            description=topic.description,
            position=1
            + (
                session.scalar(
                    select(func.max(TopicRow.position)).where(TopicRow.newsletter_id == newsletter_id)
                )
                or 0
            ),
            parent_id=parent_id,
            **_rule_columns(topic.rule),
        )
    )
    session.flush()


def change_topic(session: Session, newsletter_id: NewsletterId, topic: Topic) -> None:
    """Let the topic of this slug have the name, description, rule and parent of `topic`; its follows stay.

    Raises `NotFound` for a topic or parent that is not there, `InvalidInput` for a parent that cannot be.
    """
    get_topic(session, newsletter_id, topic.slug)
    session.execute(
        update(TopicRow)
        .where(TopicRow.newsletter_id == newsletter_id, TopicRow.slug == topic.slug)
        .values(
            name=topic.name,
            description=topic.description,
            parent_id=_parent_id(session, newsletter_id, topic.slug, topic.parent),
            **_rule_columns(topic.rule),
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def _rule_columns(rule: TopicRule) -> dict[str, Any]:
    return {
        "phrases": list(rule.phrases),
        "categories": list(rule.categories),
        "sources": list(rule.sources),
        "query": rule.query,
    }


def _parent_id(
    session: Session, newsletter_id: NewsletterId, slug: TopicSlug, parent: TopicSlug | None
) -> int | None:
    if parent is None:
        return None
    get_topic(session, newsletter_id, parent)
    require_parent(list_topics(session, newsletter_id), slug, parent)
    return topic_ids(session, newsletter_id)[parent]


def list_topics(session: Session, newsletter_id: NewsletterId) -> tuple[Topic, ...]:
    """Return the newsletter's topics in its own order."""
    rows = session.scalars(
        select(TopicRow)
        .where(TopicRow.newsletter_id == newsletter_id, ~TopicRow.is_removed)
        .order_by(TopicRow.position, TopicRow.id)
    ).all()
    slugs = {row.id: TopicSlug(row.slug) for row in rows}
    return tuple(_topic(row, None if row.parent_id is None else slugs[row.parent_id]) for row in rows)


def get_topic(session: Session, newsletter_id: NewsletterId, slug: str) -> Topic:
    """Return the topic called `slug`. Raises `NotFound`, which names those there are."""
    topics = list_topics(session, newsletter_id)
    for topic in topics:
        if topic.slug == slug:
            return topic
    known = ", ".join(topic.slug for topic in topics) or "none yet: add one with 'digest topic add'"
    raise NotFound(f"no topic '{slug}'; there is: {known}")


def order_topics(session: Session, newsletter_id: NewsletterId, slugs: Sequence[TopicSlug]) -> None:
    """Let the newsletter's topics stand in this order: all of them are named."""
    session.execute(
        update(TopicRow)
        .where(TopicRow.newsletter_id == newsletter_id, ~TopicRow.is_removed)
        .values(position=case({slug: place for place, slug in enumerate(slugs, 1)}, value=TopicRow.slug))
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def remove_topic(session: Session, newsletter_id: NewsletterId, slug: str) -> None:
    """Remove a topic and every follow of it; topics within it then stand alone. Raises `NotFound`.

    Where more than `FORGOTTEN_AT_ONCE` follow it, nobody does from now on, and the rows of their follows are
    left to `digest.store.removed_topics`.
    """
    get_topic(session, newsletter_id, slug)
    topic_id = topic_ids(session, newsletter_id)[TopicSlug(slug)]
    this = TopicRow.id == topic_id
    if not _has_many_followers(session, topic_id):
        session.execute(delete(TopicRow).where(this))
        return
    for of_topics in _OF_TOPICS:
        session.execute(delete(of_topics).where(of_topics.c.topic_id == topic_id))
    for where, values in (
        (TopicRow.parent_id == topic_id, {"parent_id": None}),
        # Its short name is free for another one.
        (this, {"is_removed": True, "slug": f"~{topic_id}"}),
    ):
        changed = update(TopicRow).where(where).values(values)
        session.execute(changed.execution_options(synchronize_session=False))
    session.expire_all()


FORGOTTEN_AT_ONCE = 10_000
"""So many follows are forgotten in a fifth of a second; 250,000 took 13 to 24 s."""

_FOLLOWS = table("follows", column("topic_id"))
_OF_TOPICS = (table("article_topics", column("topic_id")), table("verdicts", column("topic_id")))
"""By their names, as above. What articles and verdicts say of a topic is little."""


def _has_many_followers(session: Session, topic_id: int) -> bool:
    one = select(_FOLLOWS.c.topic_id).where(_FOLLOWS.c.topic_id == topic_id)
    return session.scalar(one.offset(FORGOTTEN_AT_ONCE).limit(1)) is not None


def topic_names(session: Session, newsletter_id: NewsletterId) -> tuple[tuple[str, int, str], ...]:
    """Return the short name, number and name of each topic of a newsletter, removed ones too."""
    found = select(TopicRow.slug, TopicRow.id, TopicRow.name).where(TopicRow.newsletter_id == newsletter_id)
    return tuple((slug, number, name) for slug, number, name in session.execute(found))


def topic_ids(session: Session, newsletter_id: NewsletterId) -> dict[TopicSlug, int]:
    """Return each topic's row id by its slug, in the newsletter's order."""
    rows = session.execute(
        select(TopicRow.slug, TopicRow.id)
        .where(TopicRow.newsletter_id == newsletter_id, ~TopicRow.is_removed)
        .order_by(TopicRow.position, TopicRow.id)
    )
    return {TopicSlug(slug): topic_id for slug, topic_id in rows}


def _newsletter(row: NewsletterRow) -> Newsletter:
    return Newsletter(
        id=NewsletterId(row.id),
        slug=row.slug,
        name=row.name,
        sender_name=row.sender_name,
        sender_email=row.sender_email,
        postal_address=row.postal_address,
        language=row.language,
        timezone=row.timezone,
        window_days=row.window_days,
        max_items=row.max_items,
        takeaways=row.takeaways,
        takeaway_words=row.takeaway_words,
        takeaway_style=Style(row.takeaway_style),
        llm=row.llm,
        approval=Approval(row.approval),
        template=row.template,
        archive=row.archive,
        theme=Theme.from_plain(row.theme),
        welcome=row.welcome,
        goodbye=row.goodbye,
        local_time=row.local_time,
        cadences=tuple(map(Cadence, row.cadences.split(","))),
        quiet_hours=QuietHours.parse(row.quiet_hours),
        second_eyes=row.second_eyes,
        reply_to=row.reply_to,
        clicks=Clicks(row.clicks),
        measuring=Measuring(row.measuring),
        measuring_since=row.measuring_since,
        counting_since=row.counting_since,
        sign_up=row.sign_up,
        sign_up_origins=tuple(row.sign_up_origins.split()),
    )


def _topic(row: TopicRow, parent: TopicSlug | None) -> Topic:
    rule = TopicRule(tuple(row.phrases), tuple(row.categories), tuple(row.sources), row.query)
    return Topic(TopicSlug(row.slug), row.name, row.description, rule, parent)
