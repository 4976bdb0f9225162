"""Schedules as ops see them: in words, with the dates to come in their own zone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from digest.domain.dry_runs import DryRun
from digest.domain.errors import InvalidInput
from digest.domain.schedules import Schedule
from digest.domain.times import zone
from digest.pipeline.scheduling import coming_dates
from digest.runtime import Runtime
from digest.schedule.cron import due_dates, next_due
from digest.schedule.weekly import DAYS, as_weekly, weekly_rule
from digest.schedule.words import in_words
from digest.store.database import reading
from digest.store.dry_runs import last_dry_runs
from digest.store.newsletters import list_newsletters
from digest.store.schedules import get_schedule, list_schedules
from digest.web.ops.times import away, moment
from digest.web.words import counted

SHOWN = 5
"""Dates shown of each schedule."""


@dataclass(frozen=True, slots=True)
class DateView:
    """A date to come. `skipped` is the number of the run that leaves it out, None where it stays."""

    words: str
    skipped: int | None


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule in a list. `dates` are the next, `problem` says why there are none.

    `tried` says when its last dry run was asked for, '' for none, and `tried_as` is its number.
    """

    id: int
    newsletter: str
    slug: str
    words: str
    cron: str
    timezone: str
    covers: str
    is_paused: bool
    soon: str
    dates: tuple[DateView, ...]
    problem: str
    tried: str
    tried_as: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose from."""

    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A schedule as a form has it: by days and time, or by a cron rule of its own where `by_rule` says so."""

    newsletter: str = ""
    by_rule: bool = False
    days: tuple[int, ...] = (0,)
    at: str = "07:00"
    rule: str = ""
    timezone: str = ""
    window_days: str = ""

    @property
    def cron(self) -> str:
        """The cron rule that is meant. Raises `InvalidInput` when something is missing."""
        if self.by_rule:
            return self.rule.strip()
        return weekly_rule(self.days, self.at)

    @property
    def covers(self) -> int:
        """How many days an issue covers. Raises `InvalidInput` for what is no number."""
        if not self.window_days.strip().isdecimal() or len(self.window_days) > 5:
            raise InvalidInput(f"'{self.window_days[:20]}' is no number of days: an issue covers 1 to 366")
        return int(self.window_days)


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of a schedule: `schedule_id` is None for a new one. `dates` are what it would come to."""

    schedule_id: int | None
    newsletter: str
    newsletters: tuple[Choice, ...]
    days: tuple[Choice, ...]
    wish: Wish
    zones: tuple[str, ...]
    preview: PreviewView
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What a rule comes to: in words with its next dates, or why it is none."""

    words: str = ""
    dates: tuple[str, ...] = ()
    problem: str = ""


def schedules_view(runtime: Runtime) -> tuple[ScheduleView, ...]:
    """Return every schedule, soonest first; those that rest come last."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        names = {one.id: (one.name, one.slug) for one in list_newsletters(session)}
        found = sorted(list_schedules(session), key=lambda one: one.is_paused)
        tried = last_dry_runs(session, [one.id for one in found])
        return tuple(_view(session, one, *names[one.newsletter_id], now, tried.get(one.id)) for one in found)


def _view(
    session: Session, schedule: Schedule, name: str, slug: str, now: datetime, tried: DryRun | None
) -> ScheduleView:
    dates: tuple[DateView, ...] = ()
    problem = ""
    try:
        tz = zone(schedule.timezone)
        coming = coming_dates(session, schedule, now=now, count=SHOWN)
        dates = tuple(DateView(moment(one.due_at, tz), one.skipped) for one in coming)
    except InvalidInput as exc:
        problem = str(exc)
    return ScheduleView(
        id=schedule.id,
        newsletter=name,
        slug=slug,
        words=in_words(schedule.cron),
        cron=schedule.cron,
        timezone=schedule.timezone,
        covers=counted(schedule.window_days, "day"),
        is_paused=schedule.is_paused,
        soon="" if schedule.is_paused else away(schedule.next_due, now),
        dates=dates,
        problem=problem,
        tried=f"Tried {away(tried.asked_at, now)}." if tried else "",
        tried_as=tried.id if tried else 0,
    )


def new_form(runtime: Runtime, wish: Wish | None = None, *, newsletter: str = "") -> FormView:
    """Return the form of a new schedule, empty or as it was sent."""
    with reading(runtime.engine) as session:
        known = list_newsletters(session)
    asked = wish.newsletter if wish else newsletter
    first = next((one for one in known if one.slug == asked), known[0] if known else None)
    if wish is None and first is not None:
        wish = Wish(first.slug, timezone=first.timezone, window_days=str(first.window_days))
    wish = wish or Wish()
    choices = tuple(Choice(one.slug, one.name, one is first) for one in known)
    return _form(runtime, None, first.name if first else "", choices, wish)


def change_form(runtime: Runtime, schedule_id: int, wish: Wish | None = None) -> FormView:
    """Return the form of a schedule as it stands, or as it was sent. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        schedule = get_schedule(session, schedule_id)
        name = next(one.name for one in list_newsletters(session) if one.id == schedule.newsletter_id)
    return _form(runtime, schedule, name, (), wish or _as_it_stands(schedule))


def _as_it_stands(schedule: Schedule) -> Wish:
    wish = Wish(
        rule=schedule.cron, timezone=schedule.timezone, window_days=str(schedule.window_days), by_rule=True
    )
    weekly = as_weekly(schedule.cron)
    return replace(wish, by_rule=False, days=weekly.days, at=f"{weekly.at:%H:%M}") if weekly else wish


def _form(
    runtime: Runtime,
    schedule: Schedule | None,
    newsletter: str,
    newsletters: Collection[Choice],
    wish: Wish,
) -> FormView:
    return FormView(
        schedule_id=schedule.id if schedule else None,
        newsletter=newsletter,
        newsletters=tuple(newsletters),
        days=tuple(Choice(str(day), name, day in wish.days) for day, name in enumerate(DAYS)),
        wish=wish,
        zones=tuple(sorted(name for name in available_timezones() if "/" in name and name[:3] != "Etc")),
        preview=preview_of(runtime, wish),
        is_paused=bool(schedule and schedule.is_paused),
    )


def preview_of(runtime: Runtime, wish: Wish) -> PreviewView:
    """Return what a wish comes to."""
    now = runtime.clock()
    try:
        tz = zone(wish.timezone.strip())
        next_due(wish.cron, tz.key, after=now)
        dates = due_dates(wish.cron, tz.key, after=now, count=SHOWN)
        words = f"{in_words(wish.cron)}, by clocks in {tz.key}"
    except InvalidInput as exc:
        return PreviewView(problem=f"{str(exc)[0].upper()}{str(exc)[1:]}.")
    return PreviewView(words, tuple(moment(due, tz) for due in dates))
