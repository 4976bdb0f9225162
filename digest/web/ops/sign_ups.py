"""Sign-ups: what became of them, by newsletter and day, what waits for a cap, and until when."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.domain.sign_ups import HOW_COUNTED
from digest.pipeline.sign_up_days import DAYS, SignUps, sign_ups_of_days
from digest.web.access import needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.words import day

router = APIRouter()

PATH = "/ops/sign-ups"


@dataclass(frozen=True, slots=True)
class DayLine:
    """A day of one newsletter: its name, and how many sign-ups came to each of the page's outcomes."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SignUpsView:
    """A newsletter's sign-ups. `columns` name the counts of each day; `now` says what holds at present."""

    slug: str
    name: str
    is_open: bool
    now: tuple[str, ...]
    columns: tuple[str, ...]
    days: tuple[DayLine, ...]


@router.api_route(PATH, methods=READ, dependencies=[needs(Right.LOOK)])
def sign_ups(runtime: TheRuntime, pages: ThePages) -> HTMLResponse:
    """Show what became of the sign-ups of a week."""
    newsletters = tuple(map(_view, sign_ups_of_days(runtime)))
    return pages.desk("ops/sign_ups.html", newsletters=newsletters, days=DAYS, how_counted=HOW_COUNTED)


def _view(one: SignUps) -> SignUpsView:
    shown = one.outcomes
    return SignUpsView(
        one.slug,
        one.name,
        one.is_open,
        one.now_in_words,
        tuple(kind.in_words[:1].upper() + kind.in_words[1:] for kind in shown),
        tuple(DayLine(day(on.day), tuple(on.counts.get(kind, 0) for kind in shown)) for on in one.days),
    )
