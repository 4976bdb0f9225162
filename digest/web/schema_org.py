"""What an archive's pages tell machines, in schema.org's words as JSON-LD."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from digest.web.archive_views import ArchiveView, ArticleView, IssueCard, IssueView, Place

Thing = Mapping[str, object]


def periodical(archive: ArchiveView, issues: Iterable[IssueCard]) -> Thing:
    """Return the newsletter, with the issues that a page lists."""
    return {
        "@context": "https://schema.org",
        **_periodical(archive),
        "publisher": {"@type": "Organization", "name": archive.sender or archive.name},
        "hasPart": [_issue(issue, archive.place) for issue in issues],
    }


def publication_issue(archive: ArchiveView, issue: IssueView) -> Thing:
    """Return an issue with its articles."""
    return {
        "@context": "https://schema.org",
        **_issue(issue.card, archive.place),
        "description": issue.summary,
        "inLanguage": issue.card.language,
        "isPartOf": _periodical(archive),
        "publisher": {"@type": "Organization", "name": archive.sender or archive.name},
        "hasPart": [_article(article) for article in issue.articles],
    }


def _periodical(archive: ArchiveView) -> dict[str, object]:
    return {
        "@type": "Periodical",
        "@id": archive.place.url(archive.path),
        "url": archive.place.url(archive.path),
        "name": archive.name,
        "inLanguage": archive.language,
    }


def _issue(issue: IssueCard, place: Place) -> dict[str, object]:
    return {
        "@type": "PublicationIssue",
        "url": place.url(issue.path),
        "name": issue.subject or issue.name,
        "issueNumber": issue.number,
        "datePublished": issue.sent_at.isoformat(timespec="seconds"),
    }


def _article(article: ArticleView) -> dict[str, object]:
    told: dict[str, object] = {
        "@type": "Article",
        "headline": article.title,
        "datePublished": article.date,
        "inLanguage": article.language,
        "publisher": {"@type": "Organization", "name": article.source},
        "about": list(article.topics.values()),
    }
    if article.url:
        told["url"] = article.url
    if article.image:
        told["image"] = article.image.url
    return told
