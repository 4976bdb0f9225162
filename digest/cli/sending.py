"""`digest send`: an issue on its way to its readers."""

from __future__ import annotations

import typer

from digest.cli.arguments import IssueNumber, decided_by
from digest.cli.issue_progress import show_causes
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json
from digest.cli.progress import watching
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.pipeline.progress import progress_of
from digest.pipeline.sending import send as send_issue
from digest.pipeline.sending import sending_note
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.standing import find_deferred

app = new_app()


@app.command(epilog=examples("digest send 3"))
def send(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Send an approved issue, or go on with one that was interrupted.

    One that waits for the hour of its schedule is sent now.
    Ctrl-C stops it safely: what is under way ends, and nobody gets the issue twice when you go on.
    """
    runtime = open_runtime()
    with watching() as watch:
        addressed, counts = send_issue(
            runtime, IssueId(issue), by=decided_by(""), watch=watch, should_stop=watch.should_stop
        )
    with reading(runtime.engine) as session:
        found = get_issue(session, issue)
        note = sending_note(session, found, now=runtime.clock(), throttle=runtime.throttle)
        deferred = find_deferred(session, found.id, now=runtime.clock())
    if as_json:
        show_json({"issue": found, "addressed": addressed, "deliveries": counts, "deferred": deferred})
    else:
        say(note)
        if counts[DeliveryState.FAILED]:
            show_causes(progress_of(runtime, issue))
    watch.leave_if_stopped()
    if counts[DeliveryState.FAILED] and not counts[DeliveryState.ACCEPTED]:
        raise typer.Exit(1)
