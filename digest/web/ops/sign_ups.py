"""Sign-ups: what became of them, by newsletter and day, what waits for a cap, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.sign_ups import SignUpOutcome
from digest.intake.sign_ups.caps import newsletter_key
from digest.runtime import Runtime
from digest.store.attempts import attempts_among
from digest.store.database import reading
from digest.store.newsletters import list_newsletters
from digest.store.put_off_sign_ups import count_put_off
from digest.store.sign_ups import tallies_since
from digest.web.access import needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.words import counted, day

router = APIRouter()

PATH = "/ops/sign-ups"
DAYS = 7
"""Days that the page tells of, by UTC, today among them."""


@dataclass(frozen=True, slots=True)
class DayLine:
    """A day of one newsletter: its name, and how many sign-ups came to each of the page's outcomes."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SignUpsOf:
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
    return pages.desk("ops/sign_ups.html", newsletters=_newsletters(runtime), days=DAYS)


def _newsletters(runtime: Runtime) -> tuple[SignUpsOf, ...]:
    now, caps = runtime.clock(), runtime.sign_up_caps
    since = datetime.combine(now.date() - timedelta(days=DAYS - 1), datetime.min.time(), now.tzinfo)
    with reading(runtime.engine) as session:
        newsletters = list_newsletters(session)
        keys = {one.id: newsletter_key(one.id, caps) for one in newsletters}
        tallies = tallies_since(session, since)
        waiting = count_put_off(session)
        used = attempts_among(session, list(keys.values()), now=now)
    found = []
    for one in newsletters:
        by_day: dict[date, Counter[SignUpOutcome]] = {}
        for (number, hour), counts in tallies.items():
            if number == one.id:
                by_day.setdefault(hour.date(), Counter()).update(counts)
        present = _present(waiting, one, used.get(keys[one.id]), caps.per_newsletter_hour)
        found.append(_told(one, by_day, present))
    return tuple(found)


def _told(
    one: Newsletter, by_day: Mapping[date, Counter[SignUpOutcome]], present: tuple[str, ...]
) -> SignUpsOf:
    shown = [kind for kind in SignUpOutcome if any(counts[kind] for counts in by_day.values())]
    lines = tuple(
        DayLine(day(when), tuple(by_day[when][kind] for kind in shown))
        for when in sorted(by_day, reverse=True)
    )
    names = tuple(kind.in_words[:1].upper() + kind.in_words[1:] for kind in shown)
    return SignUpsOf(one.slug, one.name, one.sign_up, present, names, lines)


def _present(
    waiting: Mapping[NewsletterId, tuple[int, datetime]],
    one: Newsletter,
    used: tuple[int, datetime] | None,
    most: int,
) -> tuple[str, ...]:
    told = []
    if most and used is not None:
        until = f"{used[1]:%H:%M} UTC"
        full = " It is full: who comes now is put off." if used[0] >= most else ""
        told.append(f"{used[0]:,} of {most:,} mails that an hour allows are used until {until}.{full}")
    if one.id in waiting:
        count, due = waiting[one.id]
        told.append(
            f"{counted(count, 'sign-up')} wait for a cap. The next are looked at after {due:%H:%M} UTC; who "
            "was not asked within two days is given up."
        )
    return tuple(told)
