"""What an editor looks at, read from the database and put into words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from digest.compose.untrusted import find_link, plain
from digest.compose.views import title_of
from digest.domain.deliveries import UNFINISHED, DeliveryState
from digest.domain.issues import Issue, IssueContent, IssueState, Item, OtherSource
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.domain.topics import TopicSlug, slug
from digest.pipeline.hours import hour_of, leaves_in_words
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.deliveries import count_unsent
from digest.store.issue_segments import limits_of
from digest.store.issues import get_issue, issues_in, list_issues
from digest.store.items import count_items
from digest.store.newsletters import get_newsletter, list_newsletters, list_topics, newsletter_by_id
from digest.store.revisions import get_rendered
from digest.store.sources import list_sources
from digest.store.subscription_pages import list_subscriptions
from digest.web.coming import coming_numbers, comings_of
from digest.web.first_steps import steps_of, steps_to_first_issue
from digest.web.standings import Standing, Standings
from digest.web.views import (
    Figure,
    IssueLine,
    IssueView,
    ItemView,
    NewsletterView,
    Progress,
)
from digest.web.words import approval_of, counted, day, days, figures_of, state_of

SHOWN = 8
"""Issues listed of each newsletter where all newsletters stand: two months of a weekly one."""


_GOING = (IssueState.SENDING, IssueState.PAUSED)


def overview(runtime: Runtime, standings: Standings, *, only: str = "") -> tuple[NewsletterView, ...]:
    """Return every newsletter with its newest issues, or `only` one with all of them.

    Raises `NotFound`, and `InvalidInput` for what cannot be a newsletter's short name.
    """
    now = runtime.clock()
    with reading(runtime.engine) as session:
        going = [issue.id for issue in issues_in(session, *_GOING)]
    told = standings.newest(going)
    with reading(runtime.engine) as session:
        found = (get_newsletter(session, slug(only)),) if only else list_newsletters(session)
        shown = None if only else SHOWN
        return tuple(_newsletter(session, one, told, shown=shown, now=now) for one in found)


def _newsletter(
    session: Session,
    newsletter: Newsletter,
    told: Mapping[int, Standing],
    *,
    shown: int | None,
    now: datetime,
) -> NewsletterView:
    topics = list_topics(session, newsletter.id)
    sources = list_sources(session, newsletter.id)
    coming = comings_of(session, newsletter, now=now)
    ahead = coming_numbers(coming)
    issues = [issue for issue in list_issues(session, newsletter.id) if issue.id not in ahead]
    held = count_items(session, [issue.id for issue in issues[:shown]])
    steps = (
        ()
        if issues or ahead
        else steps_to_first_issue(
            newsletter,
            topics,
            has_sources=bool(sources),
            has_subscribers=bool(list_subscriptions(session, newsletter.id, limit=1)),
        )
    )
    return NewsletterView(
        slug=newsletter.slug,
        name=newsletter.name,
        about=" · ".join(
            (
                f"{counted(newsletter.window_days, 'day')} an issue",
                counted(len(sources), "source"),
                counted(len(topics), "topic"),
                newsletter.timezone,
            )
        ),
        coming=coming,
        unscheduled="" if coming else f"digest schedule add {newsletter.slug} '0 7 * * MON'",
        issues=tuple(
            _line(issue, newsletter, held.get(issue.id, 0), _counts(session, issue, told))
            for issue in issues[:shown]
        ),
        earlier=len(issues[shown:]) if shown else 0,
        steps=steps,
    )


def _counts(
    session: Session, issue: Issue, told: Mapping[int, Standing]
) -> Mapping[DeliveryState, int] | None:
    """Return how an issue's mails stand; of one that has ended only those that had no good end.

    None: they are being counted.
    """
    if issue.state in _GOING:
        return told[issue.id].states if issue.id in told else None
    return {**_NONE, **count_unsent(session, issue.id)}


_NONE: Mapping[DeliveryState, int] = MappingProxyType(dict.fromkeys(DeliveryState, 0))


def _line(
    issue: Issue, newsletter: Newsletter, articles: int, counts: Mapping[DeliveryState, int] | None
) -> IssueLine:
    return IssueLine(
        id=issue.id,
        days=days(*issue.window.local_days(zone(newsletter.timezone))),
        state=state_of(issue),
        articles=counted(articles, "article"),
        note=issue.note,
        figures=figures_of(counts or _NONE),
        progress=_progress(issue, counts) if counts else None,
        is_counted=counts is not None,
    )


def _progress(issue: Issue, counts: Mapping[DeliveryState, int]) -> Progress | None:
    if issue.state not in _GOING:
        return None
    total = sum(counts.values())
    return Progress(total - sum(counts[state] for state in UNFINISHED), total)


def issue_view(runtime: Runtime, standings: Standings, issue_id: int, content: IssueContent) -> IssueView:
    """Return an issue and its content: the articles, how the send stands, and what can be done."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
    is_draft = issue.state is IssueState.DRAFT
    told = _NOBODYS if is_draft else standings.newest([issue.id]).get(issue.id)
    states, skips = (told.states, told.skips) if told else (_NONE, {})
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        return IssueView(
            line=_line(issue, newsletter, len(content.items), told.states if told else None),
            newsletter=newsletter.name,
            newsletter_slug=newsletter.slug,
            intro=issue.intro,
            approved=approval_of(issue, newsletter),
            leaves=leaves_in_words(issue, hour_of(session, issue, now=runtime.clock())),
            audience=_audience(sum(states.values()), told.editions if told else 0),
            skips=tuple(Figure(counted(count), reason.in_words) for reason, count in skips.items()),
            items=_items(content),
            has_changed=_has_changed(session, issue, content),
            steps=steps_of(issue, newsletter, len(content.items), states),
            holds=told.holds if told else (),
            is_draft=is_draft,
            limits=limits_of(session, issue).in_words,
        )


_NOBODYS = Standing(_NONE, {}, 0, ())
"""Of a draft nobody was addressed."""


def _audience(deliveries: int, editions: int) -> str:
    if not deliveries:
        return ""
    return f"{counted(deliveries, 'reader')} in {counted(editions, 'edition')}"


def _has_changed(session: Session, issue: Issue, content: IssueContent) -> bool:
    """Whether articles have other titles now, or other places, than those the approval froze."""
    if issue.state is IssueState.DRAFT or not issue.revision:
        return False
    return get_rendered(session, issue).titles != tuple(map(title_of, content.items))


def _items(content: IssueContent) -> tuple[ItemView, ...]:
    names = {topic.slug: topic.name for topic in content.topics}
    return tuple(_item(item, names) for item in content.items)


def _item(item: Item, names: Mapping[TopicSlug, str]) -> ItemView:
    return ItemView(
        title=title_of(item),
        url=find_link(item.url),
        source=plain(item.source),
        day=day(item.published_on),
        minutes=item.reading_minutes,
        language=item.language,
        topics=tuple(names[topic] for topic in item.topics),
        takeaways=tuple(map(plain, item.takeaways)),
        also=tuple(
            OtherSource(plain(other.source), url)
            for other in item.also
            if (url := find_link(other.url)) is not None
        ),
    )
