"""Sources: how each stands, found by a site's address, added, changed, tried, paused, removed, in lists."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response

from digest.domain.accounts import Right
from digest.domain.errors import DigestError, InvalidInput
from digest.domain.sources import Excerpt, SourceId, SourceKind, SourceState
from digest.domain.topics import slug as as_slug
from digest.gather.feeds.discovery import Candidate
from digest.gather.polled import Polled
from digest.pipeline.managing import sources as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from digest.store.source_yield import yields
from digest.store.sources import list_sources
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.manage.forms import Form, TheTyped, form_of, refused, saved
from digest.web.manage.health import KINDS, WEEKS, facts_of, in_order, line_of, poll_view
from digest.web.manage.newsletters import Slug, to
from digest.web.manage.overview import standing
from digest.web.manage.views import CandidateView, ImportView, SourceLine
from digest.web.manage.words import DONE, Choice, called
from digest.web.templating import Pages
from digest.web.words import counted, day

router = APIRouter()
LOOK, SHAPE = needs(Right.LOOK), needs(Right.SHAPE)
PATH = "/manage/newsletters/{slug}/sources"

FIELDS = ("name", "url", "topics", "link_pattern", "language", "weight", "excerpt")
_NEW = (*FIELDS, "kind")
KIND_CHOICES = tuple(Choice(kind, words) for kind, words in KINDS.items())
EXCERPTS = (
    Choice(Excerpt.TAKEAWAYS, "takeaways and a link"),
    Choice(Excerpt.HEADLINE, "headline and link only"),
)
_USUAL = {"kind": SourceKind.FEED.value, "weight": "1", "excerpt": Excerpt.TAKEAWAYS.value}

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.api_route(PATH, methods=READ, dependencies=[LOOK])
def overview(runtime: TheRuntime, pages: ThePages, slug: Slug, done: str = "") -> HTMLResponse:
    """Show every source of a newsletter, those that fail first."""
    return pages.desk(
        "manage/sources.html",
        newsletter=standing(runtime, slug),
        tab="sources",
        sources=_lines(runtime, slug),
        done=DONE.get(done, ""),
    )


@router.post(f"{PATH}/find", dependencies=[SHAPE])
def find(runtime: TheRuntime, pages: ThePages, typed: TheTyped, slug: Slug) -> HTMLResponse:
    """Search a site for feeds and sitemaps."""
    newsletter = standing(runtime, slug)
    given = typed.get("site")
    site = given if "://" in given or not given else f"https://{given}"
    found: tuple[CandidateView, ...] = ()
    problem, status = "", HTTPStatus.OK
    try:
        found = tuple(map(_candidate, managing.search(runtime, site)))
    except DigestError as exc:
        problem, status = str(exc), status_of(exc)
    return pages.desk(
        "manage/found_sources.html",
        status=status,
        newsletter=newsletter,
        tab="sources",
        site=site,
        found=found,
        problem=problem,
        as_it_is=urlencode({"url": site}),
        done="",
    )


@router.api_route(f"{PATH}/new", methods=READ, dependencies=[SHAPE])
def new(
    runtime: TheRuntime, pages: ThePages, slug: Slug, url: str = "", name: str = "", kind: str = "feed"
) -> HTMLResponse:
    """Show the form of a source that is not there yet; a search fills in what it found."""
    return _new(runtime, pages, slug, form_of(_USUAL | {"url": url, "name": name, "kind": kind}))


@router.post(f"{PATH}/new", dependencies=[SHAPE])
def add(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Add a source."""
    given = typed.of(_NEW, ["topics"])
    try:
        managing.add(runtime, as_slug(slug), given.texts, by=actor.name, called=called)
    except InvalidInput as exc:
        return _new(runtime, pages, slug, refused(given.texts, _USUAL, exc))
    return to(pages, slug, "source-added", place="/sources")


@router.post(f"{PATH}/import", dependencies=[SHAPE])
def import_(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Add the sources of an OPML file, and say what became of each line."""
    newsletter = standing(runtime, slug)
    name, body = typed.files.get("file", ("", b""))
    report, problem, status = None, "", HTTPStatus.OK
    try:
        if not name:
            raise InvalidInput(
                "no file was chosen: choose the list that your reader exported; nothing was added"
            )
        done = managing.import_list(runtime, newsletter.slug, body, file=name, by=actor.name)
        report = ImportView(done.added, done.known, done.problems, done.loose)
    except InvalidInput as exc:
        problem, status = str(exc), status_of(exc)
    return pages.desk(
        "manage/imported_sources.html",
        status=status,
        newsletter=newsletter,
        tab="sources",
        file=name,
        report=report,
        problem=problem,
        done="",
    )


@router.api_route(f"{PATH}/export", methods=READ, dependencies=[LOOK])
def export(runtime: TheRuntime, slug: Slug) -> Response:
    """Return the sources as an OPML file."""
    body, _count = managing.export_list(runtime, as_slug(slug))
    headers = {"Content-Disposition": f'attachment; filename="{slug}.opml"'}
    return Response(body, media_type="text/x-opml; charset=utf-8", headers=headers)


@router.api_route(PATH + "/{number}", methods=READ, dependencies=[LOOK])
def source(runtime: TheRuntime, pages: ThePages, slug: Slug, number: Number, done: str = "") -> HTMLResponse:
    """Show one source."""
    return _page(runtime, pages, slug, number, done=done)


@router.post(PATH + "/{number}", dependencies=[SHAPE])
def change(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug, number: Number
) -> Response:
    """Change a source."""
    form = saved(
        typed.of(FIELDS, ["topics"]),
        managing.texts_of,
        lambda propose: managing.change(
            runtime, as_slug(slug), SourceId(number), propose, by=actor.name, called=called
        ),
    )
    if form:
        return _page(runtime, pages, slug, number, form=form)
    return to(pages, slug, "changed", place=f"/sources/{number}")


@router.post(PATH + "/{number}/try", dependencies=[SHAPE])
def try_(runtime: TheRuntime, pages: ThePages, slug: Slug, number: Number) -> HTMLResponse:
    """Read a source at once, and show how that went."""
    polled = managing.try_now(runtime, as_slug(slug), SourceId(number))
    return _page(runtime, pages, slug, number, polled=polled)


@router.post(PATH + "/{number}/pause", dependencies=[SHAPE])
def pause(runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug, number: Number) -> Response:
    """Read a source no more for now."""
    managing.set_state(runtime, as_slug(slug), SourceId(number), SourceState.PAUSED, by=actor.name)
    return to(pages, slug, "source-paused", place=f"/sources/{number}")


@router.post(PATH + "/{number}/resume", dependencies=[SHAPE])
def resume(runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug, number: Number) -> Response:
    """Read a source again."""
    managing.set_state(runtime, as_slug(slug), SourceId(number), SourceState.ACTIVE, by=actor.name)
    return to(pages, slug, "source-resumed", place=f"/sources/{number}")


@router.post(PATH + "/{number}/remove", dependencies=[SHAPE])
def remove(runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug, number: Number) -> Response:
    """Do without a source."""
    managing.remove(runtime, as_slug(slug), SourceId(number), by=actor.name)
    return to(pages, slug, "source-removed", place="/sources")


def _lines(runtime: Runtime, slug: str) -> tuple[SourceLine, ...]:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        sources = list_sources(session, newsletter.id)
        brought = yields(session, newsletter.id, since=now - timedelta(weeks=WEEKS))
    return in_order(line_of(one, brought.get(one.id), now) for one in sources)


def _new(runtime: Runtime, pages: Pages, slug: str, form: Form) -> HTMLResponse:
    return pages.desk(
        "manage/new_source.html",
        status=form.status,
        newsletter=standing(runtime, slug),
        tab="sources",
        form=form,
        topics=_topics(runtime, slug),
        kinds=KIND_CHOICES,
        excerpts=EXCERPTS,
        done="",
    )


def _page(
    runtime: Runtime,
    pages: Pages,
    slug: str,
    number: int,
    *,
    done: str = "",
    form: Form | None = None,
    polled: Polled | None = None,
) -> HTMLResponse:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        stored = managing.find(session, newsletter, SourceId(number))
        brought = yields(session, newsletter.id, since=now - timedelta(weeks=WEEKS))
    form = form or form_of(managing.texts_of(stored))
    return pages.desk(
        "manage/source.html",
        status=form.status,
        newsletter=standing(runtime, slug),
        tab="sources",
        source=line_of(stored, brought.get(stored.id), now),
        facts=facts_of(stored, now),
        form=form,
        is_page=stored.kind is SourceKind.PAGE,
        polled=poll_view(polled, now) if polled else None,
        topics=_topics(runtime, slug),
        excerpts=EXCERPTS,
        done=DONE.get(done, ""),
    )


def _topics(runtime: Runtime, slug: str) -> tuple[Choice, ...]:
    with reading(runtime.engine) as session:
        topics = list_topics(session, get_newsletter(session, as_slug(slug)).id)
    return tuple(Choice(topic.slug, topic.name) for topic in topics)


def _candidate(found: Candidate) -> CandidateView:
    newest = f", the newest of {day(found.newest.date())}" if found.newest else ""
    query = {"url": found.url, "name": found.title[: managing.NAME_MAX], "kind": found.kind.value}
    return CandidateView(
        title=found.title or found.url,
        url=found.url,
        about=f"{found.format} · {counted(found.entries)} listed{newest}",
        carries=_carries(found),
        add=urlencode(query) if found.kind.value in list(SourceKind) else "",
    )


def _carries(found: Candidate) -> str:
    if found.is_comments:
        return "Readers’ comments"
    if found.is_finished:
        return "Finished: nothing new comes"
    if found.kind == "sitemap":
        return "Addresses only"
    return "Whole articles" if found.has_full_text else "Summaries"
