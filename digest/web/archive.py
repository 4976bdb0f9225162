"""The public archive: what a newsletter sent, for everybody, as pages and as feeds.

There is one for each newsletter that wants it. Nothing in it is anybody's own: no token, no reader's address,
and only what an approval froze.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from digest.domain.errors import NotFound
from digest.web import archive_looks, archives
from digest.web.archive_feeds import feed_of
from digest.web.archives import MEDIA_TYPES
from digest.web.conditional import answer
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_VISITORS
from digest.web.feeds import WRITERS
from digest.web.headers import ARCHIVE, FEED
from digest.web.schema_org import periodical, publication_issue

router = APIRouter(tags=[FOR_VISITORS])

_NUMBER_MAX = 2**31 - 1
"""Larger ones do not fit the column, and PostgreSQL would call them an error."""

Topics = Annotated[list[str], Query(alias="topic", default_factory=list)]
Beside = Annotated[int | None, Query(ge=1, le=_NUMBER_MAX)]


@router.api_route("/archive/{slug}", methods=READ)
def list_issues(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    slug: str,
    topic: Topics,
    before: Beside = None,
    after: Beside = None,
) -> Response:
    """Show a newsletter's issues, newest first, or those with an article of any of these topics."""
    listing = archives.list_issues(runtime, pages.phrases, slug, topic, before=before, after=after)
    schema = periodical(listing.archive, listing.issues)
    archive = listing.archive
    body = pages.visitor("archive.html", archive.spoken, archive=archive, listing=listing, schema=schema)
    return answer(request, body.encode(), media_type="text/html", headers=ARCHIVE)


@router.api_route("/archive/{slug}/topics", methods=READ)
def list_topics(request: Request, runtime: TheRuntime, pages: ThePages, slug: str) -> Response:
    """Show the topics of an archive, with a feed for each."""
    found = archives.list_archive_topics(runtime, pages.phrases, slug)
    archive = found.archive
    body = pages.visitor("archive_topics.html", archive.spoken, archive=archive, topics=found.topics)
    return answer(request, body.encode(), media_type="text/html", headers=ARCHIVE)


@router.api_route("/archive/{slug}/{number:int}", methods=READ)
def show_issue(
    request: Request, runtime: TheRuntime, pages: ThePages, slug: str, number: int, topic: Topics
) -> Response:
    """Show an issue as it was sent, or as a reader of these topics saw it."""
    if number > _NUMBER_MAX:
        raise NotFound("no issue has such a number")
    shown = archives.show_issue(runtime, pages.phrases, slug, number, topic)
    archive = shown.archive
    if shown.issue is None:
        missing = pages.visitor("archive_missing.html", archive.spoken, archive=archive, shown=shown)
        return Response(missing, HTTPStatus.NOT_FOUND, media_type="text/html")
    schema = publication_issue(archive, shown.issue)
    body = pages.visitor(
        "archive_issue.html", archive.spoken, archive=archive, shown=shown, issue=shown.issue, schema=schema
    )
    return answer(request, body.encode(), media_type="text/html", headers=ARCHIVE)


@router.api_route(f"/archive/{{slug}}/{archive_looks.NAME}", methods=READ)
def theme(request: Request, runtime: TheRuntime, slug: str) -> Response:
    """Return the newsletter's own colours for the pages of its archive."""
    css = archives.find_stylesheet(runtime, slug)
    return answer(request, css.encode(), media_type="text/css", headers=FEED)


@router.api_route("/archive/{slug}/{kind}.{form}", methods=READ)
def feed(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    slug: str,
    kind: Literal["articles", "issues"],
    form: Literal["atom", "rss", "json"],
    topic: Topics,
) -> Response:
    """Return a feed of articles or of issues, for any mix of topics."""
    fed = archives.feed_issues(runtime, pages.phrases, slug, topic, kind)
    body = WRITERS[form](feed_of(fed, pages, kind=kind, form=form))
    media_type = f"{MEDIA_TYPES[form]}; charset=utf-8"
    return answer(request, body, media_type=media_type, headers=FEED)


@router.api_route("/archive", methods=READ)
@router.api_route("/archive/{rest:path}", methods=READ)
def nothing(request: Request, pages: ThePages, rest: str = "") -> Response:
    """Lead from an address with a slash at its end to the page itself, and answer what is none of the above.

    Raises `NotFound`: it is told in a visitor's words, not in an editor's.
    """
    page = rest.rstrip("/")
    if page and page != rest:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{pages.base}/archive/{quote(page)}{query}", HTTPStatus.PERMANENT_REDIRECT)
    raise NotFound(f"there is no page /archive/{rest}")
