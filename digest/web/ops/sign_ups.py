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

router = APIRouter()

PATH = "/ops/sign-ups"


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """What sign-ups of one newsletter came to, in words, and how many did on each of the page's days."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SignUpsView:
    """A newsletter's sign-ups. `days` name the counts of each line; `now` says what holds at present."""

    slug: str
    name: str
    is_open: bool
    now: tuple[str, ...]
    days: tuple[str, ...]
    lines: tuple[OutcomeLine, ...]


@router.api_route(PATH, methods=READ, dependencies=[needs(Right.LOOK)])
def sign_ups(runtime: TheRuntime, pages: ThePages) -> HTMLResponse:
    """Show what became of the sign-ups of a week."""
    newsletters = tuple(map(_view, sign_ups_of_days(runtime)))
    return pages.desk("ops/sign_ups.html", newsletters=newsletters, days=DAYS, how_counted=HOW_COUNTED)


def _view(one: SignUps) -> SignUpsView:
    return SignUpsView(
        one.slug,
        one.name,
        one.is_open,
        one.now_in_words,
        tuple(f"{on.day.day} {on.day:%b}" for on in one.days),
        tuple(
            OutcomeLine(
                kind.in_words[:1].upper() + kind.in_words[1:],
                tuple(on.counts.get(kind, 0) for on in one.days),
            )
            for kind in one.outcomes
        ),
    )
