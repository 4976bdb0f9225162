"""`digest issue approve` and what follows: an issue's course from draft to sent, stopped or settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import Complete, IssueNumber, LogFiles, Yes, decided_by, within
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import confirm, say
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueState
from digest.pipeline import control
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.preflights import find_look

if TYPE_CHECKING:
    from digest.runtime import Runtime

app = new_app()

Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


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

    Before the hour of its schedule it waits for that; 'digest send' does not.

    A draft stays one while its checks find errors. Of its links and pictures they know what the last
    'digest issue check' found. Where the newsletter wants a second pair of eyes, whoever changed it last or
    asked for its approval cannot approve it.
    """
    from digest.intake.names import parse_person
    from digest.pipeline.approval import approve_issue
    from digest.pipeline.hours import hour_of, leaves_in_words

    if despite_errors and by is None:
        raise InvalidInput("--despite-errors wants --by NAME: the issue's note says who let it go")
    runtime = open_runtime()
    if by is None and _wants_second_eyes(runtime, issue):
        raise InvalidInput(f"issue {issue} wants a second pair of eyes: --by NAME says whose")
    who = "command line" if by is None else parse_person(by, "--by")
    approved = approve_issue(runtime, issue, by=who, despite_errors=despite_errors)
    with reading(runtime.engine) as session:
        leaves = leaves_in_words(approved, hour_of(session, approved, now=runtime.clock()))
    then = (
        f"{leaves} 'digest send {issue}' sends it now."
        if approved.awaits_hour
        else f"A running 'digest up' or worker sends it within seconds; without one: 'digest send {issue}'."
    )
    say(f"Issue {issue} is approved (revision {approved.revision}, {approved.content_hash[:12]}). {then}")
    with reading(runtime.engine) as session:
        if find_look(session, approved.id) is None:
            say(f"Nobody looked at its links and pictures: 'digest issue check {issue}' does, also now.")


def _wants_second_eyes(runtime: Runtime, issue_id: int) -> bool:
    with reading(runtime.engine) as session:
        return newsletter_by_id(session, get_issue(session, issue_id).newsletter_id).second_eyes


@app.command(epilog=examples("digest issue ask 3 --note 'the lead is new'"))
def ask(
    issue: IssueNumber,
    note: Annotated[str, typer.Option(metavar="TEXT", help="For whoever approves it.")] = "",
    by: By = "",
) -> None:
    """Say that a draft is ready to be approved. Its preview shows who asked, and when."""
    from digest.pipeline.approval import ask_approval

    who = decided_by(by)
    ask_approval(open_runtime(), issue, by=who, note=note)
    say(f"{who} asked for the approval of issue {issue}: 'digest issue approve {issue} --by NAME' gives it.")


@app.command(epilog=examples("digest issue reopen 3"))
def reopen(issue: IssueNumber, by: By = "") -> None:
    """Take an approval back: the issue is a draft again, and is approved anew once it is changed.

    Only while nobody was addressed. Without it, what was approved is what is sent.
    """
    from digest.pipeline.approval import take_back

    take_back(open_runtime(), issue, by=decided_by(by))
    say(f"Issue {issue} is a draft again: 'digest issue approve {issue}' approves it once more.")


@app.command(epilog=examples("digest issue pause 3 --why 'wrong date in the intro'"))
def pause(issue: IssueNumber, why: Why = "", by: By = "") -> None:
    """Stop a send, or keep an approved issue from beginning.

    What is under way ends; nothing new is armed.
    """
    who = decided_by(by)
    control.pause(open_runtime(), issue, by=who, why=within(why.strip(), "--why", limit=500))
    say(
        f"Issue {issue} is paused. 'digest issue resume {issue}' goes on; 'digest issue progress {issue}' "
        "says how far it is."
    )


@app.command()
def resume(issue: IssueNumber, by: By = "") -> None:
    """Go on with a paused issue, from where it was. Nobody gets it twice.

    Of one that paused itself, because too much of it failed, that level is accepted: it counts anew from now.
    """
    found = control.resume(open_runtime(), issue, by=decided_by(by))
    goes_on = "is approved again" if found.state is IssueState.APPROVED else "goes on"
    say(f"Issue {issue} {goes_on}: a running worker sends it, or 'digest send {issue}'.")


@app.command()
def cancel(issue: IssueNumber, why: Why = "", by: By = "", yes: Yes = False) -> None:
    """End an issue for good. Who has it keeps it; nobody else gets it.

    Its days can be made again: 'digest issue again'.
    """
    runtime = open_runtime()
    who, reason = decided_by(by), within(why.strip(), "--why", limit=500)
    with reading(runtime.engine) as session:
        before = get_issue(session, issue)
    # What cannot be cancelled is refused without a question.
    if control.can_be_cancelled(before) and not yes:
        confirm(f"Cancel issue {issue} for good?")
    done = control.cancel(runtime, issue, by=who, why=reason)
    waited = (
        f"{counted(done.cancelled, 'mail')} will not be sent." if done.cancelled else "no mail was waiting."
    )
    say(f"Issue {issue} is cancelled; {waited}")
    if done.reached:
        say(f"{counted(done.reached, 'reader')} {'has' if done.reached == 1 else 'have'} it.")
    if done.unknown:
        say(
            f"Of {counted(done.unknown, 'mail')} nobody knows whether it arrived, and that stays so until "
            f"somebody settles it: 'digest issue unknown {issue}' lists them."
        )


@app.command(epilog=examples("digest issue again 3"))
def again(issue: IssueNumber) -> None:
    """Make the days of a cancelled issue again, as a new draft.

    Whoever got the cancelled one, or may have got it, is not sent the new one.
    """
    from digest.compose.steps import compose

    runtime = open_runtime()
    made = control.make_again(runtime, issue)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, made.newsletter_id)
    composed = compose(runtime.engine, newsletter, made.window, now=runtime.clock())
    say(
        f"Issue {made.id} is a draft of the same days, with {counted(composed.items, 'article')}: "
        f"'digest issue preview {made.id}', then 'digest issue approve {made.id}'. Subject, opening lines, "
        f"pins and drops of issue {issue} are not taken over."
    )


@app.command()
def reconcile(
    issue: IssueNumber,
    log: LogFiles,
    complete: Complete = False,
) -> None:
    """Settle the deliveries whose answer never came: 'digest deliver reconcile' for this issue alone."""
    from digest.cli.reconciling import reconcile_and_say

    reconcile_and_say(log, issue=issue, complete=complete, must_be_open=True)
