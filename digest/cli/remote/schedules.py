"""Schedules and their runs on a server elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from digest.cli.arguments import RunNumber, ScheduleNumber, Slug, Yes
from digest.cli.lazy import new_app
from digest.cli.output import JsonOption, confirm, say
from digest.cli.remote.lists import show_list
from digest.cli.remote.server import Server
from digest.domain.schedules import OccurrenceState, Stage

schedule = new_app()


@schedule.command("list")
def list_schedules(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Only this newsletter's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List schedules, of each newsletter soonest first."""
    server = Server.meant()
    slugs = [newsletter] if newsletter else [one["slug"] for one in server.every("/newsletters")]
    found = [
        {"newsletter": slug, **one}
        for slug in slugs
        for one in server.every(f"/newsletters/{slug}/schedules")
    ]
    columns = {"schedule": "id", "newsletter": "newsletter", "rule": "cron", "zone": "timezone"}
    columns |= {"next due": "next_due", "paused": "is_paused"}
    show_list(found, columns, as_json=as_json, empty="No schedule yet.")


@schedule.command("add")
def add_schedule(
    newsletter: Slug,
    cron: Annotated[str, typer.Argument(metavar="RULE", help="Cron: minute, hour, day, month, weekday.")],
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="The rule's zone; without it the newsletter's.")
    ] = "",
) -> None:
    """Let a newsletter be made and sent at set times."""
    body = {"cron": cron, "timezone": timezone}
    told = Server.meant().send("POST", f"/newsletters/{newsletter}/schedules", body=body)
    say(f"Schedule {told['id']}: next due {told['next_due']}.")


@schedule.command("next")
def next_dates(
    schedule: ScheduleNumber,
    count: Annotated[int, typer.Option(min=1, max=50, metavar="N", help="How many.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show a schedule's next due dates, and those of them that are left out."""
    found = Server.meant().get(f"/schedules/{schedule}/dates", count=count)["items"]
    columns = {"due": "due_at", "left out by run": "skipped_by"}
    show_list(found, columns, as_json=as_json, empty="It has no date to come.")


@schedule.command("pause")
def pause(schedule: ScheduleNumber) -> None:
    """Let a schedule rest. Runs that would come due are not made up for."""
    Server.meant().send("POST", f"/schedules/{schedule}/pause")
    say(f"Schedule {schedule} is paused.")


@schedule.command("resume")
def resume(schedule: ScheduleNumber) -> None:
    """Let a paused schedule run again, from its next due date on."""
    told = Server.meant().send("POST", f"/schedules/{schedule}/resume")
    say(f"Schedule {schedule} runs again: next due {told['next_due']}.")


@schedule.command("skip-next")
def skip_next(schedule: ScheduleNumber) -> None:
    """Leave out the next due date alone, as of a holiday."""
    told = Server.meant().send("POST", f"/schedules/{schedule}/skip")
    say(f"{told['local_date']} is left out: 'digest schedule unskip {told['id']}' puts it back.")


@schedule.command("unskip")
def unskip(left_out: RunNumber) -> None:
    """Put back a date to come that was left out."""
    say(f"{_run(left_out, 'restore')['local_date']} is due again.")


@schedule.command("start")
def start(schedule: ScheduleNumber) -> None:
    """Begin today's run now, before its hour. A running worker takes it up within seconds."""
    told = Server.meant().send("POST", f"/schedules/{schedule}/start")
    say(f"Run {told['id']} is on its way: 'digest schedule stages {told['id']}' shows how far it is.")


@schedule.command("remove")
def remove(schedule: ScheduleNumber, yes: Yes = False) -> None:
    """Remove a schedule and the record of its runs. Issues stay."""
    server = Server.meant()
    told = server.get(f"/schedules/{schedule}")
    if not yes:
        confirm(f"Remove schedule {schedule} ({told['cron']} in {told['timezone']})?")
    server.send("DELETE", f"/schedules/{schedule}")
    say(f"Removed schedule {schedule}.")


@schedule.command("run")
def run_missed(missed: RunNumber) -> None:
    """Run a missed occurrence after all. A running worker takes it up within a minute."""
    say(f"The run of {_run(missed, 'run')['local_date']} is on its way.")


@schedule.command("skip")
def skip_missed(missed: RunNumber) -> None:
    """Let a missed occurrence be."""
    say(f"The run of {_run(missed, 'skip')['local_date']} is skipped.")


@schedule.command("retry")
def retry(
    failed: RunNumber,
    stage: Annotated[
        Stage | None, typer.Option("--from", help="An earlier stage; without it the one that failed.")
    ] = None,
) -> None:
    """Let a run that failed go on, from the stage that failed. A running worker takes it up."""
    told = _run(failed, "retry", stage=stage.value if stage else None)
    say(f"Run {failed} goes on at '{told['stage']}'.")


@schedule.command("runs")
def list_runs(
    state: Annotated[OccurrenceState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List scheduled runs, the newest first."""
    found = Server.meant().first("/runs", limit=limit, state=state.value if state else None)
    columns = {"run": "id", "schedule": "schedule_id", "due": "local_date", "state": "state"}
    columns |= {"stage": "stage", "note": "note"}
    show_list(found, columns, as_json=as_json, empty="No run yet.")


@schedule.command("stages")
def list_stages(number: RunNumber, as_json: JsonOption = False) -> None:
    """Show the stages of a run: when each began and ended, what it came to."""
    found = list(Server.meant().every(f"/runs/{number}/stages"))
    columns = {"stage": "stage", "attempt": "attempt", "began": "began_at", "ended": "ended_at"}
    columns |= {"outcome": "outcome", "what it came to": "told"}
    show_list(found, columns, as_json=as_json, empty=f"No stage of run {number} has begun.")


def _run(number: int, what: str, **body: object) -> Any:
    return Server.meant().send("POST", f"/runs/{number}/{what}", body=body or None)
