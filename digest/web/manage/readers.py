"""Readers of a newsletter: looked up, added, changed, taken out as a list."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from sqlalchemy import ColumnElement

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.segments import asks_who_reads
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.domain.topics import slug as as_slug
from digest.intake.lists.export import export_list
from digest.pipeline import readers as keeping
from digest.pipeline.managing import segments as managing
from digest.pipeline.readdressing import move_address
from digest.pipeline.readers import Known, Move
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics
from digest.store.reader_pages import reader_page
from digest.store.reader_search import readers_that_hold
from digest.store.segments import list_segments
from digest.store.subscription_pages import subscriptions_among
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.headers import DESK
from digest.web.manage.forms import Form as Filled
from digest.web.manage.forms import TheTyped, form_of, refused, saved
from digest.web.manage.newsletters import Slug, to
from digest.web.manage.overview import standing
from digest.web.manage.reader_views import (
    STATES,
    cadences_of,
    consents_told,
    query_of,
    reader_lines,
    standing_of,
)
from digest.web.manage.words import DONE, LANGUAGES, Choice, called, zones
from digest.web.templating import Pages

router = APIRouter()
LOOK, OPERATE = needs(Right.LOOK), needs(Right.OPERATE)
PATH = "/manage/newsletters/{slug}/readers"
NEW = "/manage/newsletters/{slug}/new-reader"

FIELDS = ("name", "language", "timezone", "follows", "cadence", "max_items", "attributes")
PAGE = 50
PART_MIN = 3
"""Characters from which on a part is sought anywhere in an address: less is in all of them."""
_CHUNK = 64 * 1024

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Part = Annotated[str, Query(max_length=320)]
SegmentName = Annotated[str, Query(max_length=64)]


@router.api_route(PATH, methods=READ, dependencies=[LOOK])
def overview(
    runtime: TheRuntime,
    pages: ThePages,
    slug: Slug,
    q: Part = "",
    segment: SegmentName = "",
    state: Part = "",
    after: Part = "",
    done: str = "",
) -> HTMLResponse:
    """Show readers by address: those that begin with `q`, and where few do those that hold it."""
    sought, wanted = q.strip(), _state(state)
    if not (sought + after).isprintable():
        raise InvalidInput("no address holds what you look for: type a part of one")
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        segments = list_segments(session, newsletter.id)
        fits = managing.fits(session, runtime, newsletter, segment) if segment else None
        found = reader_page(
            session, newsletter.id, limit=PAGE, after=after, begins=sought, state=wanted, fits=fits
        )
        others: tuple[Subscription, ...] = ()
        is_plain = wanted is None and fits is None and not after
        if is_plain and len(sought) >= PART_MIN and len(found.readers) < PAGE:
            held = readers_that_hold(session, newsletter.id, sought, limit=PAGE - len(found.readers))
            others = subscriptions_among(session, newsletter.id, [one.id for one in held])
    asked = query_of(q=sought, segment=segment, state=state)
    return pages.desk(
        "manage/readers.html",
        newsletter=standing(runtime, slug),
        tab="readers",
        readers=reader_lines((*found.readers, *others)),
        more=f"{asked}&{query_of(after=found.after)}".lstrip("&") if found.after else "",
        asked=asked,
        q=sought,
        segments=(
            Choice("", "any, or none"),
            *(Choice(one.slug, one.name) for one in segments if not asks_who_reads(one.query)),
        ),
        segment=segment,
        states=STATES,
        state=state,
        taken=query_of(segment=segment, state=state),
        done=DONE.get(done, ""),
    )


@router.api_route(NEW, methods=READ, dependencies=[OPERATE])
def new(runtime: TheRuntime, pages: ThePages, slug: Slug) -> HTMLResponse:
    """Show the form of a reader who is not there yet."""
    return _page(runtime, pages, slug, None, form_of({}))


@router.post(NEW, dependencies=[OPERATE])
def add(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Add a reader, who asked for it."""
    given = typed.of((*FIELDS, "email"), ["follows"])
    try:
        made = keeping.add(runtime, as_slug(slug), given.texts, by=actor.name, called=called)
    except InvalidInput as exc:
        return _page(runtime, pages, slug, None, refused(given.texts, {}, exc))
    return to(pages, slug, "reader-added", place=f"/readers/{made.subscription.subscriber.id}")


@router.api_route(f"{PATH}/export", methods=READ, dependencies=[OPERATE])
def export(runtime: TheRuntime, slug: Slug, segment: SegmentName = "", state: Part = "") -> Response:
    """Give out the readers as CSV, as an import reads it."""
    wanted = _state(state)
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        fits = managing.fits(session, runtime, newsletter, segment) if segment else None
    name = "-".join(filter(None, (newsletter.slug, segment, state, "readers.csv")))
    headers = {**DESK, "Content-Disposition": f'attachment; filename="{name}"'}
    body = _exported(runtime, newsletter, wanted, fits)
    return StreamingResponse(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.api_route(PATH + "/{number}", methods=READ, dependencies=[LOOK])
def reader(runtime: TheRuntime, pages: ThePages, slug: Slug, number: Number, done: str = "") -> HTMLResponse:
    """Show one reader."""
    known = keeping.known(runtime, as_slug(slug), number)
    return _page(runtime, pages, slug, known, form_of(keeping.texts_of(known)), done=done)


@router.post(PATH + "/{number}", dependencies=[OPERATE])
def change(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug, number: Number
) -> Response:
    """Change what a reader wants and what is known of them. Whether they get mail stays as it is."""
    form = saved(
        typed.of(FIELDS, ["follows"]),
        keeping.texts_of,
        lambda propose: keeping.change(runtime, as_slug(slug), number, propose, by=actor.name, called=called),
    )
    if form:
        return _page(runtime, pages, slug, keeping.known(runtime, as_slug(slug), number), form)
    return to(pages, slug, "reader-changed", place=f"/readers/{number}")


@router.post(PATH + "/{number}/address", dependencies=[OPERATE])
def readdress(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    slug: Slug,
    number: Number,
    email: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Give a reader another address, as they asked for."""
    known = keeping.known(runtime, as_slug(slug), number)
    before = known.subscription.subscriber.email
    try:
        move_address(runtime, as_slug(slug), before, email, by=actor.name)
    except InvalidInput as exc:
        form = form_of(keeping.texts_of(known))
        return _page(runtime, pages, slug, known, form, new_address=email.strip(), problem=str(exc))
    return to(pages, slug, "reader-readdressed", place=f"/readers/{number}")


@router.post(PATH + "/{number}/{move}", dependencies=[OPERATE])
def move(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug, number: Number, move: Move
) -> Response:
    """Unsubscribe a reader, pause them, or let them come back who asked for it."""
    keeping.move(runtime, as_slug(slug), number, move, by=actor.name)
    return to(pages, slug, f"reader-{move}", place=f"/readers/{number}")


def _state(text: str) -> SubscriptionState | None:
    if text and text not in list(SubscriptionState):
        raise InvalidInput(f"nobody is '{text[:20]}': choose a state above the list")
    return SubscriptionState(text) if text else None


def _exported(
    runtime: Runtime,
    newsletter: Newsletter,
    state: SubscriptionState | None,
    fits: ColumnElement[bool] | None,
) -> Iterator[bytes]:
    # Read at once and sent as slowly as somebody reads: no question to the database stays open meanwhile.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
        export_list(runtime.engine, newsletter.id, file, state=state, fits=fits)
        file.seek(0)
        while part := file.read(_CHUNK):
            yield part.encode()


def _page(
    runtime: Runtime,
    pages: Pages,
    slug: str,
    known: Known | None,
    form: Filled,
    *,
    done: str = "",
    new_address: str = "",
    problem: str = "",
) -> HTMLResponse:
    """Return the page of a reader, None for one who is not there yet."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        topics = list_topics(session, newsletter.id)
    return pages.desk(
        "manage/reader.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else form.status,
        newsletter=standing(runtime, slug),
        tab="readers",
        number=known.subscription.subscriber.id if known else 0,
        title=known.subscription.subscriber.email if known else "A new reader",
        state=known.subscription.state.value if known else "",
        standing=standing_of(known) if known else "",
        consents=consents_told(known) if known else (),
        form=form,
        topics=tuple(Choice(topic.slug, topic.name) for topic in topics),
        cadences=cadences_of(newsletter, known),
        languages=LANGUAGES,
        zones=zones(),
        new_address=new_address,
        problem=problem[:1].upper() + problem[1:],
        done=DONE.get(done, ""),
    )
