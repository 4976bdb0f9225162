"""A newsletter's public archive, read from the database and put into words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from digest.compose.phrases import Phrases
from digest.compose.untrusted import plain
from digest.compose.views import name_of
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicSlug, slug
from digest.runtime import Runtime
from digest.store.archive import (
    ArchivedIssue,
    archive_changed_at,
    count_topics,
    find_archived,
    find_neighbours,
    has_archived,
    known_topics,
    list_archived,
)
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from digest.web.archive_looks import look_of, stylesheet
from digest.web.archive_views import (
    ArchiveTopicView,
    ArchiveView,
    FeedLink,
    IssueCard,
    IssueView,
    Place,
    issue_card,
    issue_view,
    language_of,
    name_of_newsletter,
)
from digest.web.speech import FEED_TITLES
from digest.web.speech import ISSUES as COUNTED_ISSUES
from digest.web.views import TopicView

PAGE = 20
"""Issues on a page: a screen or three."""

FEED_ISSUES, FEED_ARTICLES = 20, 100
"""A feed ends with the issue that reaches so many issues, or articles: weekly readers miss none."""

Speak = Callable[[str], Phrases]
"""What says how pages speak for a newsletter of this language."""

ISSUES, ARTICLES = "issues", "articles"
"""The two kinds of feeds, by what an entry of them is."""

MEDIA_TYPES = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
_DROPPED_MAX = 60
"""Topics looked for beside the newsletter's own: more than one ever has are nobody's mix."""
_FORMS = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed"}


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of an archive's issues, newest first, and the paths of the pages beside it, if any."""

    archive: ArchiveView
    issues: tuple[IssueCard, ...]
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A page for one issue. `issue` is None when it is not there, or has nothing of these topics.

    `topics` are those the issue has, () when it is not there; the others are paths.
    """

    archive: ArchiveView
    issue: IssueView | None
    topics: tuple[TopicView, ...]
    whole: str
    earlier: str | None
    later: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A page of all topics of an archive."""

    archive: ArchiveView
    topics: tuple[ArchiveTopicView, ...]


@dataclass(frozen=True, slots=True)
class Fed:
    """What a feed is made of: issues, newest first, as the mix sees them."""

    archive: ArchiveView
    chosen: tuple[TopicSlug, ...]
    issues: tuple[tuple[ArchivedIssue, IssueView], ...]
    changed_at: datetime


def list_issues(
    runtime: Runtime,
    speak: Speak,
    name: str,
    wanted: Collection[str],
    *,
    before: int | None,
    after: int | None,
) -> Listing:
    """Return a page of issues. Raises `NotFound` where there is no public archive, or none of the topics."""
    with reading(runtime.engine) as session:
        newsletter, place = _open(runtime, session, name)
        topics, chosen = _topics(session, newsletter, wanted)
        mix = frozenset(chosen)
        found = list_archived(session, newsletter.id, topics=mix, before=before, after=after, limit=PAGE)
        first, last = (found[0].number, found[-1].number) if found else (after or 0, before or 0)
        newer = has_archived(session, newsletter.id, topics=mix, after=first)
        older = has_archived(session, newsletter.id, topics=mix, before=last)
    path = place.path(topics=mix, before=before, after=after)
    is_listed = len(mix) <= 1 and path == place.path(topics=mix)
    archive = _archive(newsletter, speak, place, path, topics, chosen, is_listed=is_listed)
    return Listing(
        archive=archive,
        issues=tuple(issue_card(issue, place, archive.spoken, mix) for issue in found),
        newer=place.path(topics=mix, after=first) if newer else None,
        older=place.path(topics=mix, before=last) if older else None,
    )


def show_issue(runtime: Runtime, speak: Speak, name: str, number: int, wanted: Collection[str]) -> Shown:
    """Return one issue as a mix of topics sees it. Raises `NotFound` where there is no public archive."""
    with reading(runtime.engine) as session:
        newsletter, place = _open(runtime, session, name)
        issue = find_archived(session, newsletter.id, number)
        earlier, later = find_neighbours(session, newsletter.id, number)
    names = {topic.slug: name_of(topic.name) for topic in issue.content.topics} if issue else {}
    chosen = {slug: name for slug, name in names.items() if slug in wanted}
    # None of the topics asked for is in it: an empty mix would show everything.
    spoken = speak(newsletter.language)
    shown = issue_view(issue, place, spoken, chosen) if issue and (chosen or not wanted) else None
    path = place.path(number, chosen)
    is_listed = bool(shown) and not chosen
    return Shown(
        archive=_archive(newsletter, speak, place, path, (), chosen, is_listed=is_listed),
        issue=shown,
        topics=_counted(issue, names, chosen) if issue else (),
        whole=place.path(number),
        earlier=place.path(earlier) if earlier else None,
        later=place.path(later) if later else None,
    )


def list_archive_topics(runtime: Runtime, speak: Speak, name: str) -> Overview:
    """Return every topic of an archive: the newsletter's own, then those it dropped. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        newsletter, place = _open(runtime, session, name)
        counts = count_topics(session, newsletter.id)
        topics = {topic.slug: topic for topic in list_topics(session, newsletter.id)}
    shown = [slug for slug in topics if slug in counts] + [slug for slug in counts if slug not in topics]
    archive = _archive(newsletter, speak, place, f"{place.path()}/topics", (), {}, is_listed=True)
    return Overview(
        archive=archive,
        topics=tuple(
            ArchiveTopicView(
                name=name_of(topics[slug].name if slug in topics else counts[slug].name),
                description=plain(topics[slug].description) if slug in topics else "",
                issues=archive.spoken.counted(COUNTED_ISSUES, counts[slug].issues),
                path=place.path(topics=[slug]),
                newest=counts[slug].newest,
                newest_path=place.path(counts[slug].newest, [slug]),
                feeds=_feeds(place, archive.spoken, [slug], name_of(counts[slug].name), kinds=(ARTICLES,)),
            )
            for slug in shown
        ),
    )


def feed_issues(runtime: Runtime, speak: Speak, name: str, wanted: Collection[str], kind: str) -> Fed:
    """Return what a feed of a mix holds. Raises `NotFound` as `list_issues` does."""
    with reading(runtime.engine) as session:
        newsletter, place = _open(runtime, session, name)
        topics, chosen = _topics(session, newsletter, wanted)
        mix = frozenset(chosen)
        found = list_archived(session, newsletter.id, topics=mix, limit=FEED_ISSUES)
        by_hand = archive_changed_at(session, newsletter.id)
    archive = _archive(newsletter, speak, place, place.path(topics=mix), topics, chosen, is_listed=False)
    views = [(issue, issue_view(issue, place, archive.spoken, mix)) for issue in found]
    return Fed(
        archive=archive,
        chosen=tuple(sorted(mix)),
        issues=tuple(views if kind == ISSUES else _enough(views)),
        changed_at=max([by_hand, *(issue.sent_at for issue in found)]),
    )


def find_stylesheet(runtime: Runtime, name: str) -> str:
    """Return the colours of an archive as CSS, '' where it has none of its own.

    Raises `NotFound` where there is no public archive.
    """
    with reading(runtime.engine) as session:
        newsletter, _ = _open(runtime, session, name)
    return stylesheet(newsletter.theme)


def _enough(views: Sequence[tuple[ArchivedIssue, IssueView]]) -> list[tuple[ArchivedIssue, IssueView]]:
    """Return whole issues, up to the one with the last article that a feed has to hold."""
    taken: list[tuple[ArchivedIssue, IssueView]] = []
    articles = 0
    for issue, view in views:
        if articles >= FEED_ARTICLES:
            break
        taken.append((issue, view))
        articles += len(view.articles)
    return taken


def _open(runtime: Runtime, session: Session, name: str) -> tuple[Newsletter, Place]:
    """Return the newsletter of this short name and where its archive is.

    Raises `NotFound`, the same for a newsletter that is not there and for one without an archive.
    """
    try:
        newsletter = get_newsletter(session, slug(name))
    except InvalidInput:
        newsletter = None
    if newsletter is None or not newsletter.archive:
        raise NotFound("no newsletter of this name has a public archive")
    place = Place(runtime.settings.public_url.rstrip("/"), newsletter.slug)
    return newsletter, place


def _topics(
    session: Session, newsletter: Newsletter, wanted: Collection[str]
) -> tuple[tuple[Topic, ...], dict[TopicSlug, str]]:
    """Return the newsletter's topics, and of those wanted the ones there are or were, with their names.

    Others are left out: a mix that somebody subscribed to outlives one of its topics. Raises `NotFound`
    when none is left: no topics would be all of them.
    """
    topics = list_topics(session, newsletter.id)
    names = {topic.slug: name_of(topic.name) for topic in topics}
    dropped = [one for one in set(wanted) - set(names) if _is_slug(one)][:_DROPPED_MAX]
    if dropped:
        names |= {slug: name_of(name) for slug, name in known_topics(session, newsletter.id, dropped).items()}
    chosen = {slug: name for slug, name in names.items() if slug in wanted}
    if wanted and not chosen:
        raise NotFound("the archive has none of these topics")
    return topics, chosen


def _is_slug(text: str) -> bool:
    try:
        return bool(slug(text))
    except InvalidInput:
        return False


def _archive(
    newsletter: Newsletter,
    speak: Speak,
    place: Place,
    path: str,
    topics: Sequence[Topic],
    chosen: Mapping[TopicSlug, str],
    *,
    is_listed: bool,
) -> ArchiveView:
    known = {topic.slug for topic in topics}
    dropped = [Topic(slug, name) for slug, name in chosen.items() if slug not in known] if topics else []
    name = name_of_newsletter(newsletter)
    about = f"{name}: {', '.join(chosen.values())}" if chosen else name
    spoken = speak(newsletter.language)
    return ArchiveView(
        place=place,
        name=name,
        language=language_of(newsletter.language, "en"),
        spoken=spoken,
        look=look_of(newsletter.theme, place.path()),
        sender=plain(newsletter.sender_name),
        email=newsletter.sender_email,
        postal_address=tuple(
            line for part in newsletter.postal_address.splitlines() if (line := plain(part))
        ),
        address=place.url(path),
        topics=tuple(
            TopicView(topic.slug, name_of(topic.name), "", topic.slug in chosen)
            for topic in (*topics, *dropped)
        ),
        chosen=tuple(chosen.values()),
        feeds=_feeds(place, spoken, chosen, about),
        is_listed=is_listed,
    )


def _feeds(
    place: Place,
    spoken: Phrases,
    chosen: Collection[TopicSlug],
    about: str,
    *,
    kinds: Sequence[str] = (ARTICLES, ISSUES),
) -> tuple[FeedLink, ...]:
    titles = {kind: spoken.said(FEED_TITLES[kind], newsletter=about) for kind in kinds}
    return tuple(
        FeedLink(kind, _FORMS[form], MEDIA_TYPES[form], place.feed(kind, form, chosen), titles[kind])
        for kind in kinds
        for form in MEDIA_TYPES
    )


def _counted(
    issue: ArchivedIssue, names: Mapping[TopicSlug, str], chosen: Collection[TopicSlug]
) -> tuple[TopicView, ...]:
    """Return the topics of an issue to be ticked, and how many of the articles shown belong to each."""
    shown = (item for item in issue.content.items if item.position not in issue.hidden)
    counts = Counter(topic for item in shown for topic in item.topics)
    return tuple(
        TopicView(slug, name, "", slug in chosen, str(counts[slug]))
        for slug, name in names.items()
        if counts[slug]
    )
