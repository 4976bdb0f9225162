"""`digest schedule`: when a newsletter is due, and what to do about runs that were missed."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import RunNumber, ScheduleNumber, Slug
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.times import zone
from digest.schedule.cron import due_dates, next_due
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, newsletter_by_id
from digest.store.schedules import (
    add_schedule,
    get_schedule,
    list_occurrences,
    list_schedules,
    remove_schedule,
    set_paused,
    settle_held,
)

app = new_app()


@app.command(
    epilog=examples(
        "digest schedule add harbour-week '0 7 * * MON'       Mondays at 7:00",
        "digest schedule add harbour-week '0 17 * * 1-5' --window-days 1",
    )
)
def add(
    newsletter: Slug,
    cron: Annotated[str, typer.Argument(metavar="RULE", help="Cron: minute, hour, day, month, weekday.")],
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="The rule's zone; without it the newsletter's.")
    ] = "",
    window_days: Annotated[
        int | None,
        typer.Option(min=1, max=366, metavar="N", help="Days an issue covers; without it the newsletter's."),
    ] = None,
) -> None:
    """Let a newsletter be made and sent at set times."""
    runtime = open_runtime()
    now = runtime.clock()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        where = zone(timezone or found.timezone)
        schedule = add_schedule(
            session,
            found.id,
            cron=cron,
            timezone=where.key,
            window_days=window_days or found.window_days,
            next_due=next_due(cron, where.key, after=now),
            now=now,
        )
    due = schedule.next_due.astimezone(where)
    say(f"Schedule {schedule.id}: next due {due:%A %Y-%m-%d %H:%M %Z}. 'digest up' or a worker runs it.")


@app.command("list")
def list_(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List schedules, soonest first, each with its last runs."""
    with reading(open_runtime().engine) as session:
        only = get_newsletter(session, newsletter).id if newsletter else None
        found = [
            (s, newsletter_by_id(session, s.newsletter_id).slug, list_occurrences(session, s.id, limit=5))
            for s in list_schedules(session, only)
        ]
    if as_json:
        show_json([{"schedule": s, "newsletter": slug, "occurrences": last} for s, slug, last in found])
        return
    show_table(
        ("schedule", "newsletter", "rule", "zone", "next due"),
        [
            (
                s.id,
                slug,
                s.cron,
                s.timezone,
                "paused" if s.is_paused else f"{s.next_due.astimezone(zone(s.timezone)):%a %Y-%m-%d %H:%M}",
            )
            for s, slug, _ in found
        ],
        empty="No schedule yet: add one with 'digest schedule add NEWSLETTER \"0 7 * * MON\"'.",
    )
    runs = [(o.id, slug, o.local_date, o.state, o.stage, o.note) for _, slug, last in found for o in last]
    if runs:
        show_table(
            ("run", "newsletter", "due", "state", "stage", "note"), runs, empty="", title="\nLast runs:"
        )


@app.command("next")
def next_(
    schedule: ScheduleNumber,
    count: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="How many.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show a schedule's next due dates, in its own zone."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_schedule(session, schedule)
    dates = due_dates(found.cron, found.timezone, after=runtime.clock(), count=count)
    local = [moment.astimezone(zone(found.timezone)) for moment in dates]
    if as_json:
        show_json(local)
        return
    for moment in local:
        say(f"{moment:%A %Y-%m-%d %H:%M %Z}")
    if found.is_paused:
        say(f"It is paused: 'digest schedule resume {schedule}' lets it run.")


@app.command()
def pause(schedule: ScheduleNumber) -> None:
    """Let a schedule rest. Runs that would come due are not made up for."""
    _set_paused(schedule, True)
    say(f"Schedule {schedule} is paused.")


@app.command()
def resume(schedule: ScheduleNumber) -> None:
    """Let a paused schedule run again, from its next due date on."""
    due = _set_paused(schedule, False)
    say(f"Schedule {schedule} runs again: next due {due}.")


def _set_paused(schedule: int, paused: bool) -> str:
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_schedule(session, schedule)
        due = next_due(found.cron, found.timezone, after=runtime.clock())
        set_paused(session, found.id, paused=paused, next_due=due)
    return f"{due.astimezone(zone(found.timezone)):%A %Y-%m-%d %H:%M %Z}"


@app.command()
def remove(schedule: ScheduleNumber) -> None:
    """Remove a schedule and the record of its runs. Issues stay."""
    with writing(open_runtime().engine) as session:
        remove_schedule(session, get_schedule(session, schedule).id)
    say(f"Removed schedule {schedule}.")


@app.command()
def run(missed: RunNumber) -> None:
    """Run a missed occurrence after all. A running worker takes it up within a minute."""
    with writing(open_runtime().engine) as session:
        settled = settle_held(session, missed, run=True)
    say(f"The run of {settled.local_date} is on its way: 'digest up' or a worker does it.")


@app.command()
def skip(missed: RunNumber) -> None:
    """Let a missed occurrence be."""
    with writing(open_runtime().engine) as session:
        settled = settle_held(session, missed, run=False)
    say(f"The run of {settled.local_date} is skipped.")
