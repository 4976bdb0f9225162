"""Schedules: listed, made, changed, paused, one date left out, today's run begun."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.domain.errors import Conflict, InvalidInput
from digest.pipeline import scheduling
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.answers import answer, said
from digest.web.ops.schedule_views import (
    FormView,
    Wish,
    change_form,
    new_form,
    preview_of,
    schedules_view,
)
from digest.web.templating import Pages

router = APIRouter(prefix="/ops/schedules")

PATH = "/ops/schedules"

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_LOOK, _OPERATE = [needs(Right.LOOK)], [needs(Right.OPERATE)]


def _wish(
    newsletter: Annotated[str, Form()] = "",
    how: Annotated[Literal["week", "rule"], Form()] = "week",
    day: Annotated[list[int], Form()] = [],  # noqa: B006  FastAPI copies it
    at: Annotated[str, Form()] = "",
    rule: Annotated[str, Form()] = "",
    timezone: Annotated[str, Form()] = "",
    window_days: Annotated[str, Form()] = "",
) -> Wish:
    days = tuple(sorted({number for number in day if 0 <= number < 7}))
    return Wish(newsletter, how == "rule", days, at, rule, timezone, window_days)


TheWish = Annotated[Wish, Depends(_wish)]


@router.api_route("", methods=READ, dependencies=_LOOK)
def listed(runtime: TheRuntime, pages: ThePages, done: str = "") -> HTMLResponse:
    """Show every schedule with its next dates."""
    return pages.desk("ops/schedules.html", schedules=schedules_view(runtime), said=said(done))


@router.api_route("/new", methods=READ, dependencies=_OPERATE)
def new(runtime: TheRuntime, pages: ThePages, newsletter: str = "") -> HTMLResponse:
    """Show the form of a new schedule."""
    return _form(pages, new_form(runtime, newsletter=newsletter))


@router.post("/dates", dependencies=_OPERATE)
def dates(runtime: TheRuntime, pages: ThePages, wish: TheWish) -> HTMLResponse:
    """Return what a form comes to, for the place in the form where that stands."""
    return pages.desk("ops/schedule_dates.html", preview=preview_of(runtime, wish))


@router.post("/new", dependencies=_OPERATE)
def make(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, wish: TheWish, look: Annotated[str, Form()] = ""
) -> Response:
    """Make a schedule, or with `look` only show what it would come to."""
    if look:
        return _form(pages, new_form(runtime, wish))
    try:
        scheduling.make_schedule(
            runtime,
            wish.newsletter,
            cron=wish.cron,
            timezone=wish.timezone.strip(),
            window_days=wish.covers,
            by=actor.name,
        )
    except (InvalidInput, Conflict) as exc:
        return _form(pages, new_form(runtime, wish), problem=str(exc))
    return answer(pages, PATH, "schedule-made")


@router.api_route("/{schedule_id}", methods=READ, dependencies=_OPERATE)
def show(runtime: TheRuntime, pages: ThePages, schedule_id: Number) -> HTMLResponse:
    """Show the form of a schedule."""
    return _form(pages, change_form(runtime, schedule_id))


@router.post("/{schedule_id}", dependencies=_OPERATE)
def change(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    schedule_id: Number,
    wish: TheWish,
    look: Annotated[str, Form()] = "",
) -> Response:
    """Change a schedule, or with `look` only show what that would come to."""
    form = change_form(runtime, schedule_id, wish)
    if look:
        return _form(pages, form)
    try:
        scheduling.reschedule(
            runtime,
            schedule_id,
            cron=wish.cron,
            timezone=wish.timezone.strip(),
            window_days=wish.covers,
            by=actor.name,
        )
    except (InvalidInput, Conflict) as exc:
        return _form(pages, form, problem=str(exc))
    return answer(pages, PATH, "schedule-changed")


def _form(pages: Pages, form: FormView, *, problem: str = "") -> HTMLResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    told = f"{problem[0].upper()}{problem[1:]}." if problem else ""
    return pages.desk("ops/schedule.html", status=status, form=form, problem=told)


@router.post("/{schedule_id}/pause", dependencies=_OPERATE)
def pause(runtime: TheRuntime, pages: ThePages, actor: TheActor, schedule_id: Number) -> Response:
    """Let a schedule rest."""
    scheduling.set_resting(runtime, schedule_id, True, by=actor.name)
    return answer(pages, PATH, "schedule-paused")


@router.post("/{schedule_id}/resume", dependencies=_OPERATE)
def resume(runtime: TheRuntime, pages: ThePages, actor: TheActor, schedule_id: Number) -> Response:
    """Let a schedule run again."""
    scheduling.set_resting(runtime, schedule_id, False, by=actor.name)
    return answer(pages, PATH, "schedule-resumed")


@router.post("/{schedule_id}/skip", dependencies=_OPERATE)
def skip(runtime: TheRuntime, pages: ThePages, actor: TheActor, schedule_id: Number) -> Response:
    """Leave out the next date."""
    scheduling.skip_next(runtime, schedule_id, by=actor.name)
    return answer(pages, PATH, "date-skipped")


@router.post("/{schedule_id}/start", dependencies=_OPERATE)
def start(runtime: TheRuntime, pages: ThePages, actor: TheActor, schedule_id: Number) -> Response:
    """Begin today's run, and show it."""
    run = scheduling.start_now(runtime, schedule_id, by=actor.name)
    return answer(pages, f"/ops/runs/{run.id}", "run-begun")


@router.post("/{schedule_id}/remove", dependencies=_OPERATE)
def remove(runtime: TheRuntime, pages: ThePages, actor: TheActor, schedule_id: Number) -> Response:
    """Remove a schedule."""
    scheduling.end_schedule(runtime, schedule_id, by=actor.name)
    return answer(pages, PATH, "schedule-removed")
