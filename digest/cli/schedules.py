"""`digest schedule`: when a newsletter is due, and what to do about runs that were missed."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from digest.cli.arguments import RunNumber, ScheduleNumber, Slug
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.errors import InvalidInput
from digest.domain.runs import StageRun
from digest.domain.schedules import Occurrence, OccurrenceState, Schedule, Stage
from digest.domain.times import zone
from digest.pipeline import scheduling
from digest.schedule.words import in_words
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, newsletter_by_id
from digest.store.schedules import get_occurrence, get_schedule, list_occurrences, list_schedules
from digest.store.stage_runs import list_runs, stages_of

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
    schedule = scheduling.make_schedule(
        runtime, newsletter, cron=cron, timezone=timezone, window_days=window_days, by=getpass.getuser()
    )
    say(
        f"Schedule {schedule.id}: {in_words(cron).lower()}, next due {_due(schedule)}. "
        "'digest up' or a worker runs it."
    )


def _due(schedule: Schedule) -> str:
    return f"{schedule.next_due.astimezone(zone(schedule.timezone)):%A %Y-%m-%d %H:%M %Z}"


@app.command(epilog=examples("digest schedule change 1 --rule '0 8 * * MON'"))
def change(
    schedule: ScheduleNumber,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Another cron rule.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="Another zone for it.")] = None,
    window_days: Annotated[
        int | None, typer.Option(min=1, max=366, metavar="N", help="Days an issue covers.")
    ] = None,
) -> None:
    """Give a schedule another rule, zone or number of days. It is due by that from now on."""
    if rule is None and timezone is None and window_days is None:
        raise InvalidInput("say what changes: --rule, --timezone or --window-days")
    changed = scheduling.reschedule(
        open_runtime(),
        schedule,
        cron=rule,
        timezone=timezone,
        window_days=window_days,
        by=getpass.getuser(),
    )
    say(f"Schedule {schedule}: {in_words(changed.cron).lower()}, next due {_due(changed)}.")


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
    """Show a schedule's next due dates, in its own zone, and those of them that are left out."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        found = get_schedule(session, schedule)
        dates = scheduling.coming_dates(session, found, now=runtime.clock(), count=count)
    tz = zone(found.timezone)
    if as_json:
        show_json([one.due_at.astimezone(tz) for one in dates if one.skipped is None])
        return
    for one in dates:
        left_out = f"  left out: 'digest schedule unskip {one.skipped}'" if one.skipped else ""
        say(f"{one.due_at.astimezone(tz):%A %Y-%m-%d %H:%M %Z}{left_out}")
    if found.is_paused:
        say(f"It is paused: 'digest schedule resume {schedule}' lets it run.")


@app.command()
def pause(schedule: ScheduleNumber) -> None:
    """Let a schedule rest. Runs that would come due are not made up for."""
    scheduling.set_resting(open_runtime(), schedule, True, by=getpass.getuser())
    say(f"Schedule {schedule} is paused.")


@app.command()
def resume(schedule: ScheduleNumber) -> None:
    """Let a paused schedule run again, from its next due date on."""
    found = scheduling.set_resting(open_runtime(), schedule, False, by=getpass.getuser())
    say(f"Schedule {schedule} runs again: next due {_due(found)}.")


@app.command("skip-next")
def skip_next(schedule: ScheduleNumber) -> None:
    """Leave out the next due date alone, as of a holiday."""
    skipped = scheduling.skip_next(open_runtime(), schedule, by=getpass.getuser())
    say(f"{skipped.local_date} is left out: 'digest schedule unskip {skipped.id}' puts it back.")


@app.command()
def unskip(left_out: RunNumber) -> None:
    """Put back a date to come that was left out."""
    found = scheduling.take_back_skip(open_runtime(), left_out, by=getpass.getuser())
    say(f"{found.local_date} is due again.")


@app.command()
def start(schedule: ScheduleNumber) -> None:
    """Begin today's run now, before its hour. A running worker takes it up within seconds."""
    begun = scheduling.start_now(open_runtime(), schedule, by=getpass.getuser())
    say(f"Run {begun.id} is on its way: 'digest schedule stages {begun.id}' shows how far it is.")


@app.command()
def remove(schedule: ScheduleNumber) -> None:
    """Remove a schedule and the record of its runs. Issues stay."""
    scheduling.end_schedule(open_runtime(), schedule, by=getpass.getuser())
    say(f"Removed schedule {schedule}.")


@app.command()
def run(missed: RunNumber) -> None:
    """Run a missed occurrence after all. A running worker takes it up within a minute."""
    settled = scheduling.settle_missed(open_runtime(), missed, run=True, by=getpass.getuser())
    say(f"The run of {settled.local_date} is on its way: 'digest up' or a worker does it.")


@app.command()
def skip(missed: RunNumber) -> None:
    """Let a missed occurrence be."""
    settled = scheduling.settle_missed(open_runtime(), missed, run=False, by=getpass.getuser())
    say(f"The run of {settled.local_date} is skipped.")


@app.command(epilog=examples("digest schedule retry 7", "digest schedule retry 7 --from gather"))
def retry(
    failed: RunNumber,
    stage: Annotated[
        Stage | None, typer.Option("--from", help="An earlier stage; without it the one that failed.")
    ] = None,
) -> None:
    """Let a run that failed go on, from the stage that failed. A running worker takes it up."""
    again = scheduling.retry(open_runtime(), failed, stage=stage, by=getpass.getuser())
    say(f"Run {failed} goes on at '{again.stage}': 'digest up' or a worker does it.")


@app.command()
def runs(
    state: Annotated[OccurrenceState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List scheduled runs, the newest first."""
    with reading(open_runtime().engine) as session:
        found = list_runs(session, state=state, limit=limit)
    if as_json:
        show_json([{"newsletter": one.newsletter, "run": one.occurrence} for one in found])
        return
    show_table(
        ("run", "newsletter", "due", "state", "stage", "note"),
        [
            (o.id, one.newsletter, o.local_date, o.state, o.stage, o.note)
            for one in found
            for o in [one.occurrence]
        ],
        empty="No run yet: 'digest schedule list' says when the next is due.",
    )


def _run(newsletter: str, run: Occurrence) -> tuple[object, ...]:
    return run.id, newsletter, run.local_date, run.state, run.stage, run.note


@app.command()
def stages(
    number: RunNumber,
    as_json: JsonOption = False,
) -> None:
    """Show the stages of a run: when each began, how long it took, what it came to."""
    with reading(open_runtime().engine) as session:
        found = stages_of(session, get_occurrence(session, number).id)
    if as_json:
        show_json(found)
        return
    show_table(
        ("stage", "attempt", "began", "took", "outcome", "what it came to"),
        [_stage(one) for one in found],
        empty=f"No stage of run {number} has begun: 'digest up' or a worker begins it.",
    )


def _stage(one: StageRun) -> tuple[object, ...]:
    took = "" if one.lasted is None else f"{one.lasted.total_seconds():.1f} s"
    began = f"{one.began_at:%Y-%m-%d %H:%M:%S}"
    return one.stage, one.attempt, began, took, one.outcome or "open", one.told.replace("\n", "; ")
