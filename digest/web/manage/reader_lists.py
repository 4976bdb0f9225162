"""Lists of readers: uploaded, tried, led to topics, brought in; each with its progress and its report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.domain.reader_lists import CONTENT_MAX, ListStage, ListTerms, ReaderList
from digest.domain.topics import slug as as_slug
from digest.intake.lists.files import LAYOUTS
from digest.pipeline import reader_lists as keeping
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from digest.store.reader_lists import get_reader_list, recent_reader_lists
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.headers import DESK
from digest.web.manage.forms import TheTyped, Typed
from digest.web.manage.newsletters import Slug
from digest.web.manage.overview import standing
from digest.web.manage.reader_list_views import list_view
from digest.web.manage.words import Choice
from digest.web.templating import Pages

router = APIRouter()
OPERATE = needs(Right.OPERATE)
PATH = "/manage/newsletters/{slug}/readers/import"
LISTED = 5
TAG = "tag:"
"""What the names of fields begin with that lead a list's words to topics."""

PROGRAMS = (Choice("", "found out by its columns"), *(Choice(one.name, one.name) for one in LAYOUTS))

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.api_route(PATH, methods=READ, dependencies=[OPERATE])
def overview(runtime: TheRuntime, pages: ThePages, slug: Slug) -> HTMLResponse:
    """Show where a list is chosen, and the lists of the last day."""
    return _overview(runtime, pages, slug)


@router.post(PATH, dependencies=[OPERATE])
def upload(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Take in a file, to be tried by a worker; nobody is stored yet."""
    name, body = typed.files.get("file", ("", b""))
    try:
        terms = ListTerms(program=_program(typed.get("program")))
        kept = keeping.upload(runtime, as_slug(slug), name, body, terms, by=actor.name)
    except InvalidInput as exc:
        return _overview(runtime, pages, slug, status=status_of(exc), problem=str(exc))
    return _to(pages, slug, kept.id)


@router.api_route(PATH + "/{number}", methods=READ, dependencies=[OPERATE])
def show(runtime: TheRuntime, pages: ThePages, slug: Slug, number: Number) -> HTMLResponse:
    """Show a list: how far it is, what would become of it, and what to do next."""
    return _page(runtime, pages, slug, number, "manage/reader_list.html")


@router.api_route(PATH + "/{number}/state", methods=READ, dependencies=[OPERATE])
def state(runtime: TheRuntime, pages: ThePages, slug: Slug, number: Number) -> HTMLResponse:
    """Return how a list stands, for its place in the page, which asks until it is over."""
    return _page(runtime, pages, slug, number, "manage/reader_list_state.html")


@router.api_route(PATH + "/{number}/report", methods=READ, dependencies=[OPERATE])
def report(runtime: TheRuntime, slug: Slug, number: Number) -> Response:
    """Give out what became of each line, as CSV."""
    text = keeping.report(runtime, as_slug(slug), number)
    headers = {**DESK, "Content-Disposition": f'attachment; filename="{slug}-list-{number}-report.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.post(PATH + "/{number}/{stage}", dependencies=[OPERATE])
def again(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    typed: TheTyped,
    slug: Slug,
    number: Number,
    stage: ListStage,
) -> Response:
    """Have a list tried once more, or brought in, on the terms that were typed."""
    keeping.again(runtime, as_slug(slug), number, stage, _terms(typed), by=actor.name)
    return _to(pages, slug, number)


def _program(text: str) -> str:
    if text not in [one.value for one in PROGRAMS]:
        raise InvalidInput(f"no list is written by '{text[:40]}': choose a program, or let it be found out")
    return text


def _terms(typed: Typed) -> ListTerms:
    """Return the terms of a form: a word that leads nowhere is left out only where that was chosen."""
    tags = {
        name.removeprefix(TAG): "" if to == "-" else to
        for name, to in typed.texts.items()
        if name.startswith(TAG) and to
    }
    return ListTerms(
        program=_program(typed.get("program")),
        tags=tags,
        topics=tuple(filter(None, typed.get("topics").split("\n"))),
        columns=_columns(typed.get("columns")),
        skips_wrong=bool(typed.get("skips_wrong")),
    )


def _columns(text: str) -> dict[str, str]:
    told: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.split("\n"))):
        theirs, sign, ours = line.rpartition("=")
        if not sign or not theirs.strip():
            raise InvalidInput(f"'{line[:40]}' is no pair: write each like 'E-mail = email'")
        told[theirs.strip()] = ours.strip()
    return told


def _to(pages: Pages, slug: str, number: int) -> Response:
    return RedirectResponse(f"{pages.base}/manage/newsletters/{slug}/readers/import/{number}", 303)


def _overview(
    runtime: Runtime, pages: Pages, slug: str, *, status: int = 200, problem: str = ""
) -> HTMLResponse:
    with reading(runtime.engine) as session:
        lists = recent_reader_lists(session, get_newsletter(session, as_slug(slug)).id, limit=LISTED)
    return pages.desk(
        "manage/reader_lists.html",
        status=status,
        newsletter=standing(runtime, slug),
        tab="readers",
        lists=tuple(list_view(one, runtime.clock()) for one in lists),
        programs=PROGRAMS,
        most=CONTENT_MAX // 1024**2,
        problem=problem,
        done="",
    )


def _page(runtime: Runtime, pages: Pages, slug: str, number: int, template: str) -> HTMLResponse:
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        found: ReaderList = get_reader_list(session, newsletter.id, number)
        topics = list_topics(session, newsletter.id)
    return pages.desk(
        template,
        newsletter=standing(runtime, slug),
        tab="readers",
        list=list_view(found, runtime.clock()),
        topics=tuple(Choice(topic.slug, topic.name) for topic in topics),
        programs=PROGRAMS,
        done="",
    )
