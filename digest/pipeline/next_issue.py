"""What the next issue would hold for a reader with other choices: looked at, and nothing stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from digest.address.explain import Told, edition_of
from digest.address.steps import own_zone
from digest.compose.steps import content_of
from digest.domain.addressing import Skip
from digest.domain.issues import Edition, Issue, IssueContent, IssueState
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SkipReason, Subscription
from digest.pipeline.coming import coming_of
from digest.runtime import Runtime
from digest.store.contents import get_content
from digest.store.database import reading
from digest.store.issues import issues_page
from digest.store.newsletters import newsletter_by_id
from digest.store.reader_choices import Choices

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

    It is as it stands now: until it goes out, articles come and go.
    """
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, newsletter_id)
        found = _next(session, newsletter)
        if found is None:
            return None
        issue, goes_at = found
        content = get_content(session, issue) if _is_frozen(issue) else None
    content = content or content_of(runtime.engine, issue.id)
    if not content.items:
        return None
    wanted = _with(subscription, choices)
    with reading(runtime.engine) as session:
        titles = tuple(item.title for item in content.items)
        told = Told(content.outline, titles, content.addresses, content.sources)
        edition = edition_of(session, newsletter, issue, wanted, told)
    leaves_at = goes_at and choices.wished.first_from(goes_at, own_zone(choices.timezone, newsletter))
    if isinstance(edition, Skip):
        return NextIssue(leaves_at, skip=edition.reason)
    return NextIssue(leaves_at, _held(content, edition), len(edition.positions) - len(edition.wanted))


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


def _held(content: IssueContent, edition: Edition) -> tuple[Held, ...]:
    names = {topic.slug: topic.name for topic in content.topics}
    wanted = edition.wanted
    sections = (
        Held(
            names[section.topic],
            tuple(
                (content.items[at].title, content.items[at].source)
                for at in section.positions
                if at in wanted
            ),
        )
        for section in edition.sections
    )
    return tuple(section for section in sections if section.articles)
