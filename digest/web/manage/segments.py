"""Segments: saved questions about readers, asked while they are typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput, Unfit
from digest.domain.measuring import LEAST
from digest.domain.segments import Segment, asks_who_reads, fits_who_reads
from digest.domain.topics import slug as as_slug
from digest.pipeline.managing import segments as managing
from digest.runtime import Runtime
from digest.store.attributes import attribute_keys
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from digest.store.segments import get_segment, list_segments
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.manage.forms import Form, TheTyped, Typed, form_of, refused, saved
from digest.web.manage.newsletters import Slug, to
from digest.web.manage.overview import standing
from digest.web.manage.reader_views import reader_lines
from digest.web.manage.times import told
from digest.web.manage.views import AnswerView, SegmentLine
from digest.web.manage.words import DONE, called
from digest.web.templating import Pages
from digest.web.words import counted

router = APIRouter()
LOOK, SHAPE = needs(Right.LOOK), needs(Right.SHAPE)
PATH = "/manage/newsletters/{slug}/segments"
NEW = "/manage/newsletters/{slug}/new-segment"
FIELDS = ("name", "query")

SegmentName = Annotated[str, Path(max_length=64)]


@router.api_route(PATH, methods=READ, dependencies=[LOOK])
def overview(runtime: TheRuntime, pages: ThePages, slug: Slug, done: str = "") -> HTMLResponse:
    """Show a newsletter's segments, and how many readers each fitted when they were last counted."""
    with reading(runtime.engine) as session:
        found = list_segments(session, get_newsletter(session, as_slug(slug)).id)
    return pages.desk(
        "manage/segments.html",
        newsletter=standing(runtime, slug),
        tab="segments",
        segments=tuple(_line(one, runtime.clock()) for one in found),
        done=DONE.get(done, ""),
    )


@router.api_route(NEW, methods=READ, dependencies=[SHAPE])
def new(runtime: TheRuntime, pages: ThePages, slug: Slug, query: str = "") -> HTMLResponse:
    """Show the form of a segment that is not there yet."""
    return _page(runtime, pages, slug, None, form_of({"query": query} if query else {}))


@router.post(NEW, dependencies=[SHAPE])
def add(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Add a segment."""
    given = typed.of((*FIELDS, "slug"))
    try:
        managing.add(runtime, as_slug(slug), given.texts, by=actor.name, called=called)
    except InvalidInput as exc:
        return _page(runtime, pages, slug, None, refused(given.texts, {}, exc))
    return to(pages, slug, "segment-added", place="/segments")


@router.post(f"{NEW}/try", dependencies=[SHAPE])
def try_new(runtime: TheRuntime, pages: ThePages, typed: TheTyped, slug: Slug) -> HTMLResponse:
    """Show whom the question of a new segment fits."""
    return _tried(runtime, pages, slug, None, typed)


@router.api_route(PATH + "/{segment}", methods=READ, dependencies=[LOOK])
def segment(
    runtime: TheRuntime, pages: ThePages, slug: Slug, segment: SegmentName, done: str = ""
) -> HTMLResponse:
    """Show one segment, and whom it fits now."""
    stored = _stored(runtime, slug, segment)
    form = form_of(managing.texts_of(stored))
    try:
        answer = _answer(managing.ask(runtime, as_slug(slug), stored.query), stored.query)
    except Unfit as exc:  # it asks for a topic that was removed since, or what is refused since
        form, answer = replace(form, problems=exc.problems), None
    return _page(runtime, pages, slug, stored, form, answer=answer, done=done)


@router.post(PATH + "/{segment}", dependencies=[SHAPE])
def change(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug, segment: SegmentName
) -> Response:
    """Change a segment."""
    form = saved(
        typed.of(FIELDS),
        managing.texts_of,
        lambda propose: managing.change(
            runtime, as_slug(slug), as_slug(segment), propose, by=actor.name, called=called
        ),
    )
    if form:
        return _page(runtime, pages, slug, _stored(runtime, slug, segment), form)
    return to(pages, slug, "segment-changed", place=f"/segments/{segment}")


@router.post(PATH + "/{segment}/try", dependencies=[SHAPE])
def try_(
    runtime: TheRuntime, pages: ThePages, typed: TheTyped, slug: Slug, segment: SegmentName
) -> HTMLResponse:
    """Show whom the question that was typed fits, before it is saved."""
    return _tried(runtime, pages, slug, _stored(runtime, slug, segment), typed)


@router.post(PATH + "/{segment}/remove", dependencies=[SHAPE])
def remove(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug, segment: SegmentName
) -> Response:
    """Remove a segment; nobody's subscription changes."""
    managing.remove(runtime, as_slug(slug), as_slug(segment), by=actor.name)
    return to(pages, slug, "segment-removed", place="/segments")


def _tried(runtime: Runtime, pages: Pages, slug: str, stored: Segment | None, typed: Typed) -> HTMLResponse:
    """Return the form as it was typed, with whom its question fits; nothing is saved."""
    form = Form(typed.of((*FIELDS, "slug")).texts, typed.was)
    try:
        query = typed.get("query")
        answer = _answer(managing.ask(runtime, as_slug(slug), query, called=called), query)
    except Unfit as exc:
        form = replace(form, problems=exc.problems, status=status_of(exc))
        return _page(runtime, pages, slug, stored, form)
    return _page(runtime, pages, slug, stored, form, answer=answer)


def _page(
    runtime: Runtime,
    pages: Pages,
    slug: str,
    stored: Segment | None,
    form: Form,
    *,
    answer: AnswerView | None = None,
    done: str = "",
) -> HTMLResponse:
    """Return the page of a segment, None for one that is not there yet."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        keys = attribute_keys(session, newsletter.id)
        topics = list_topics(session, newsletter.id)
    return pages.desk(
        "manage/segment.html",
        status=form.status,
        newsletter=standing(runtime, slug),
        tab="segments",
        segment=stored.slug if stored else "",
        title=stored.name if stored else "A new segment",
        form=form,
        keys=keys,
        topics=tuple(topic.slug for topic in topics),
        answer=answer,
        done=DONE.get(done, ""),
    )


def _answer(readers: managing.Readers, query: str) -> AnswerView:
    found = readers.answer
    if found.is_coarse:
        return _coarse(readers, query)
    if not found.readers:
        words = "It fits none of those looked at." if found.is_estimate else "It fits nobody."
    else:
        active = "all" if found.active == found.readers else f"{found.active:,}"
        about = "About " if found.is_estimate else ""
        words = f"{about}{counted(found.readers)} of {counted(found.of, 'reader')}, {active} of them active."
    return AnswerView(
        words=words,
        how=f"An estimate, from a look at {found.looked_at:,} of them." if found.is_estimate else "",
        readers=reader_lines(readers.examples),
    )


def _use_of(query: str) -> str:
    if fits_who_reads(query):
        return "No issue can be for them alone, or leave them out: who reads no more is NOT opened:<30."
    return "An issue can leave them out, and cannot be for them alone."


def _coarse(readers: managing.Readers, query: str) -> AnswerView:
    """Return the answer to a question of who reads, which tells of nobody in particular."""
    found = readers.answer
    about = "About" if found.is_estimate else "At least"
    of = f"of {counted(found.of, 'reader')}" if found.of >= LEAST else "readers"
    many = f"{about} {found.readers:,}" if found.readers else f"Fewer than {LEAST}"
    if found.is_estimate and not found.readers:
        many, of = "Few or none", "of those looked at"
    how = (
        f"It asks who reads, of readers who agreed to that: they are counted in steps of {LEAST}, and nobody "
        f"is named. {_use_of(query)}"
    )
    if not readers.is_measuring:
        how = f"Nobody is asked at present whether they may be measured, so it fits nobody. {how}"
    looked_at = f" An estimate, from a look at {found.looked_at:,} of them." if found.is_estimate else ""
    return AnswerView(words=f"{many} {of}.", how=how + looked_at, readers=())


def _stored(runtime: Runtime, slug: str, segment: str) -> Segment:
    with reading(runtime.engine) as session:
        return get_segment(session, get_newsletter(session, as_slug(slug)).id, as_slug(segment))


def _line(one: Segment, now: datetime) -> SegmentLine:
    fitted = "not counted yet" if one.readers is None else counted(one.readers, "reader")
    if one.readers is not None and asks_who_reads(one.query):
        fitted = f"{one.readers:,} readers or more" if one.readers else f"fewer than {LEAST} readers"
    when = f", counted {told(one.counted_at, now)}" if one.counted_at else ""
    return SegmentLine(one.slug, one.name, one.query, fitted + when)
