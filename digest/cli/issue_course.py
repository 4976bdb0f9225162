"""`digest issue approve` and what follows: an issue's course from draft to sent, stopped or settled."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import Complete, IssueNumber, LogFiles, Yes
from digest.cli.lazy import new_app
from digest.cli.opening import open_runtime
from digest.cli.output import confirm, say
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.issues import CHANGES, IssueState
from digest.store.database import reading, writing
from digest.store.deliveries import cancel_for_issue
from digest.store.issues import change_issue, get_issue
from digest.store.preflights import find_look

app = new_app()


@app.command()
def approve(
    issue: IssueNumber,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who approves it.")] = None,
    despite_errors: Annotated[
        bool,
        typer.Option(
            "--despite-errors",
            help="Let it go although its checks find errors; --by says who, for the issue's note.",
        ),
    ] = False,
) -> None:
    """Approve a draft. Its pieces are frozen: what you saw is what is sent, byte for byte.

    A draft stays one while its checks find errors. Of its links and pictures they know what the last
    'digest issue check' found.
    """
    from digest.intake.names import parse_person
    from digest.pipeline.approval import approve_issue

    if despite_errors and by is None:
        raise InvalidInput("--despite-errors wants --by NAME: the issue's note says who let it go")
    who = "command line" if by is None else parse_person(by, "--by")
    runtime = open_runtime()
    approved = approve_issue(runtime, issue, by=who, despite_errors=despite_errors)
    say(
        f"Issue {issue} is approved (revision {approved.revision}, {approved.content_hash[:12]}). A running "
        f"'digest up' or worker sends it within seconds; without one: 'digest send {issue}'."
    )
    with reading(runtime.engine) as session:
        if find_look(session, approved.id) is None:
            say(f"Nobody looked at its links and pictures: 'digest issue check {issue}' does, also now.")


@app.command()
def pause(
    issue: IssueNumber,
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")] = "",
) -> None:
    """Stop a send. What is under way ends; nothing new is armed."""
    _change(issue, IssueState.PAUSED, f"Issue {issue} is paused. 'digest issue resume {issue}' goes on.", why)


@app.command()
def resume(issue: IssueNumber) -> None:
    """Go on with a paused send. Nobody gets it twice."""
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        change_issue(session, issue, IssueState.SENDING, now=runtime.clock(), only_from=(IssueState.PAUSED,))
    say(f"Issue {issue} goes on: by a running worker, or with 'digest send {issue}'.")


@app.command()
def cancel(
    issue: IssueNumber,
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")] = "",
    yes: Yes = False,
) -> None:
    """End an issue for good. Who has it keeps it; nobody else gets it."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        before = get_issue(session, issue).state
    can_be = IssueState.CANCELLED in CHANGES[before]
    if can_be and not yes:
        confirm(f"Cancel issue {issue} for good?")
    # What cannot be cancelled is refused without a question, also when it moved on since we looked.
    only_from = tuple(IssueState) if can_be else (before,)
    with writing(runtime.engine) as session:
        found = change_issue(
            session, issue, IssueState.CANCELLED, now=runtime.clock(), note=why, only_from=only_from
        )
        cancelled = cancel_for_issue(session, found.id)
    say(
        f"Issue {issue} is cancelled; "
        + (f"{counted(cancelled, 'mail')} will not be sent." if cancelled else "no mail was waiting.")
    )


def _change(issue: int, to: IssueState, told: str, note: str) -> None:
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        change_issue(session, issue, to, now=runtime.clock(), note=note)
    say(told)


@app.command()
def reconcile(
    issue: IssueNumber,
    log: LogFiles,
    complete: Complete = False,
) -> None:
    """Settle the deliveries whose answer never came: 'digest deliver reconcile' for this issue alone."""
    from digest.cli.reconciling import reconcile_and_say

    reconcile_and_say(log, issue=issue, complete=complete, must_be_open=True)
