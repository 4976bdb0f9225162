"""What the next issue would hold for a reader with other choices: looked at, and nothing stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from digest.address.explain import Told, edition_of
from digest.address.steps import due_at
from digest.compose.steps import content_of, pieces_of
from digest.domain.addressing import Skip
from digest.domain.errors import Misconfigured
from digest.domain.issues import Edition, Issue, IssueContent, IssueState
from digest.domain.mail import layout_of
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SkipReason, Subscription
from digest.pipeline.coming import coming_of
from digest.runtime import Runtime
from digest.store.contents import get_content
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issue_segments import limits_of
from digest.store.issues import issues_page
from digest.store.newsletters import newsletter_by_id, topic_ids
from digest.store.reader_choices import Choices, store_choices
from digest.store.remakes import already_reached
from digest.store.schedules import find_own_hour

_TO_COME = (IssueState.DRAFT, IssueState.APPROVED, IssueState.PAUSED)


@dataclass(frozen=True, slots=True)
class Held:
    """One topic of the next issue for a reader: its name, and the titles and sources of what it holds."""

    topic: str
    articles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NextIssue:
    """The next issue as a reader would have it.

    `leaves_at` is None where no schedule says when; `skip` is why they would get none of it. `held` is what
    their mail would hold, and `online` how many articles more they would find online.
    """

    leaves_at: datetime | None
    held: tuple[Held, ...] = ()
    online: int = 0
    skip: SkipReason | None = None


def next_issue_for(
    runtime: Runtime, newsletter_id: NewsletterId, subscription: Subscription, choices: Choices
) -> NextIssue | None:
    """Return what the next issue would hold for a reader who chose so; None while there is nothing in it.

    It is what addressing would decide, when it would let their mail leave, and what of it their mail has room
    for; as it stands now: until it goes out, articles come and go.
    """
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, newsletter_id)
        found = _next(session, newsletter)
        if found is None:
            return None
        issue, goes_at = found
        content = get_content(session, issue) if _is_frozen(issue) else None
        hour = find_own_hour(session, issue.id) if newsletter.local_time else None
    content = content or content_of(runtime.engine, issue.id)
    if not content.items:
        return None
    decided = _decided(runtime, newsletter, issue, content, _with(subscription, choices), choices)
    leaves_at = goes_at and due_at(hour, choices.timezone, newsletter, now=goes_at, wish=str(choices.wished))
    if isinstance(decided, Skip):
        return NextIssue(leaves_at, skip=decided.reason)
    shown = _shown(runtime, issue, decided)
    return NextIssue(leaves_at, _held(content, decided, shown), len(decided.positions) - len(shown))


def _decided(
    runtime: Runtime,
    newsletter: Newsletter,
    issue: Issue,
    content: IssueContent,
    wanted: Subscription,
    choices: Choices,
) -> Edition | Skip:
    """Return what addressing would decide of a reader who chose so."""
    told = Told(
        content.outline, tuple(item.title for item in content.items), content.addresses, content.sources
    )
    with reading(runtime.engine) as session:
        if not limits_of(session, issue):
            return _edition(session, newsletter, issue, wanted, told, runtime.clock())
    # Which segments a reader is in, the database says of what is stored: so it is, and taken back at once.
    with writing(runtime.engine) as session, session.begin_nested() as tried:
        there = frozenset(topic_ids(session, newsletter.id))
        may = replace(choices, follows=choices.follows & there)
        store_choices(session, newsletter.id, wanted.subscriber.id, may)
        decided = _edition(session, newsletter, issue, wanted, told, runtime.clock())
        tried.rollback()
    return decided


def _edition(
    session: Session, newsletter: Newsletter, issue: Issue, wanted: Subscription, told: Told, now: datetime
) -> Edition | Skip:
    reached = already_reached(session, issue)
    who = wanted.subscriber.id
    if reached is not None:
        has_it = reached.where(DeliveryRow.subscriber_id == who).exists()
        if session.scalar(select(has_it)):
            return Skip(SkipReason.ALREADY_SENT)
    return edition_of(session, newsletter, issue, wanted, told, now=now)


def _shown(runtime: Runtime, issue: Issue, edition: Edition) -> frozenset[int]:
    """Return the places of the articles that a mail of this edition has room for."""
    try:
        pieces = pieces_of(runtime.engine, issue.id, template_of=runtime.template)
    except Misconfigured:
        # A draft whose template is broken: its editors are told, and its readers are not.
        return edition.wanted
    layout = layout_of(pieces.rendered, edition)
    return frozenset(position for position, density in layout.items() if density is not None)


def _next(session: Session, newsletter: Newsletter) -> tuple[Issue, datetime | None] | None:
    """Return the issue that goes out next and when that is to be: of a schedule's if there is one."""
    for coming in coming_of(session, newsletter):
        if coming.issue and coming.issue.state in _TO_COME and not coming.issue.sending_at:
            return coming.issue, coming.goes_at
    newest = issues_page(session, limit=1, newsletter_id=newsletter.id, states=_TO_COME)
    return next(((issue, None) for issue in newest if not issue.sending_at), None)


def _is_frozen(issue: Issue) -> bool:
    return issue.revision > 0 and issue.state is not IssueState.DRAFT


def _with(subscription: Subscription, choices: Choices) -> Subscription:
    return replace(
        subscription,
        follows=choices.follows,
        cadence=choices.cadence,
        max_items=choices.most,
        text_only=choices.text_only,
    )


def _held(content: IssueContent, edition: Edition, shown: frozenset[int]) -> tuple[Held, ...]:
    names = {topic.slug: topic.name for topic in content.topics}
    sections = (
        Held(
            names[section.topic],
            tuple(
                (content.items[at].title, content.items[at].source) for at in section.positions if at in shown
            ),
        )
        for section in edition.sections
    )
    return tuple(section for section in sections if section.articles)
