"""An archive as feeds: an entry for each article, or for each issue."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from digest.store.archive import ArchivedIssue
from digest.web.archive_views import IssueCard
from digest.web.archives import ARTICLES, Fed
from digest.web.feeds import Entry, Feed
from digest.web.speech import FEED_ENTRIES
from digest.web.templating import Pages

_OURS = uuid.UUID("6c0d7a52-6a53-4f0e-9d0b-5a2f6f1b7a9e")
"""The namespace of entries' ids (RFC 9562 §5.5)."""


def feed_of(fed: Fed, pages: Pages, *, kind: str, form: str) -> Feed:
    """Return the feed of a mix: an entry is an article with its takeaways, or an issue with its articles."""
    archive, place = fed.archive, fed.archive.place
    entries = _articles(fed, pages) if kind == ARTICLES else _issues(fed, pages)
    about = ", ".join(archive.chosen)
    return Feed(
        title=f"{archive.name}: {about}" if about else archive.name,
        description=archive.spoken.said(FEED_ENTRIES[kind], newsletter=archive.name),
        address=place.url(place.feed(kind, form, fed.chosen)),
        home=archive.address,
        author=archive.sender or archive.name,
        language=archive.language,
        changed_at=fed.changed_at,
        entries=tuple(entries),
    )


def _articles(fed: Fed, pages: Pages) -> Iterator[Entry]:
    for issue, view in fed.issues:
        whole = fed.archive.place.url(fed.archive.place.path(issue.number))
        for article in view.articles:
            page = f"{whole}#{article.anchor}"
            yield Entry(
                id=_id(issue, "article", article.anchor),
                title=article.title,
                page=page,
                url=article.url or page,
                summary=next(iter(article.takeaways), ""),
                html=pages.text(
                    "archive_entry.html", fed.archive.spoken, article=article, issue=view, whole=whole
                ),
                author=article.source,
                language=article.language,
                published_at=issue.sent_at,
                topics={str(slug): name for slug, name in article.topics.items()},
                image=article.image.url if article.image else "",
            )


def _issues(fed: Fed, pages: Pages) -> Iterator[Entry]:
    for issue, view in fed.issues:
        page = fed.archive.place.url(view.card.path)
        yield Entry(
            id=_id(issue, "topics", *fed.chosen),
            title=_title(view.card),
            page=page,
            url=page,
            summary=view.summary,
            html=pages.text("archive_issue_entry.html", fed.archive.spoken, issue=view, page=page),
            author=fed.archive.sender or fed.archive.name,
            language=view.card.language,
            published_at=issue.sent_at,
            topics={section.slug: section.name for section in view.sections},
        )


def _title(issue: IssueCard) -> str:
    return f"{issue.name}: {issue.subject}" if issue.subject else issue.name


def _id(issue: ArchivedIssue, *which: str) -> str:
    """Return a name that stays when the site moves, the newsletter is renamed or the format is another.

    It rests on the pieces that were sent, which nothing changes any more.
    """
    return uuid.uuid5(_OURS, " ".join([issue.content_hash, *which])).urn
