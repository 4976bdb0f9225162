"""Newsletters as they stand: what each has, what it lacks for its first issue, which of its sources fail."""

from __future__ import annotations

from sqlalchemy.orm import Session

from digest.domain.newsletters import Newsletter
from digest.domain.sources import SourceState
from digest.domain.topics import slug as as_slug
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import has_issues
from digest.store.newsletters import get_newsletter, list_newsletters, list_topics
from digest.store.sources import list_sources
from digest.store.subscription_pages import list_subscriptions
from digest.web.manage.views import Kept, Stage
from digest.web.words import counted


def kept(runtime: Runtime) -> tuple[Kept, ...]:
    """Return every newsletter by name."""
    with reading(runtime.engine) as session:
        return tuple(_kept(session, one) for one in list_newsletters(session))


def standing(runtime: Runtime, slug: str) -> Kept:
    """Return one newsletter. Raises `NotFound`, and `InvalidInput` for what cannot be a short name."""
    with reading(runtime.engine) as session:
        return _kept(session, get_newsletter(session, as_slug(slug)))


def _kept(session: Session, newsletter: Newsletter) -> Kept:
    topics, sources = list_topics(session, newsletter.id), list_sources(session, newsletter.id)
    failing = [one for one in sources if one.state is SourceState.ACTIVE and one.standing.last_error]
    has_had_issues = has_issues(session, newsletter.id)
    return Kept(
        slug=newsletter.slug,
        name=newsletter.name,
        sender=f"{newsletter.sender_name} <{newsletter.sender_email}>",
        sources=counted(len(sources), "source"),
        topics=counted(len(topics), "topic"),
        trouble=f"{counted(len(failing), 'source')} cannot be read" if failing else "",
        stages=()
        if has_had_issues
        else _stages(
            newsletter.slug,
            topic=topics[0].slug if topics else "",
            has_sources=bool(sources),
            has_readers=bool(list_subscriptions(session, newsletter.id, limit=1)),
        ),
        has_issues=has_had_issues,
    )


def _stages(slug: str, *, topic: str, has_sources: bool, has_readers: bool) -> tuple[Stage, ...]:
    home = f"/manage/newsletters/{slug}"
    return (
        Stage("Topics that readers can follow", bool(topic), path=f"{home}/topics"),
        Stage("Sources to gather articles from", has_sources, path=f"{home}/sources"),
        Stage(
            "A first reader, you for one",
            has_readers,
            command=f"digest subscriber add {slug} you@example.org --topic {topic or 'TOPIC'}",
        ),
        Stage("A schedule, and a first issue made at once", False, path="/ops/schedules"),
    )
