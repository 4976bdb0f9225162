"""`digest issue history`, `undo` and `redo`: who changed what in an issue, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import IssueNumber, decided_by
from digest.cli.issue_shaping import By, TakeBack
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.counting import counted

if TYPE_CHECKING:
    from digest.compose.edits import Edited
    from digest.domain.issues import IssueId
    from digest.runtime import Runtime

app = new_app()


@app.command(epilog=examples("digest issue history 3"))
def history(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Show who changed what in an issue, newest first, with what stood there before."""
    from digest.pipeline.history import history_of
    from digest.store.database import reading
    from digest.store.issues import get_issue

    with reading(open_runtime().engine) as session:
        acts = history_of(session, get_issue(session, issue).id)
    if as_json:
        show_json([edit for act in acts for edit in act.edits])
        return
    show_table(
        ("#", "when", "by", "what", "before"),
        [
            (
                act.number,
                f"{act.edits[0].at:%Y-%m-%d %H:%M}",
                act.edits[0].by,
                act.in_words,
                act.before_in_words,
            )
            for act in reversed(acts)
        ],
        empty=f"Nobody has changed anything in issue {issue}: it holds what was chosen by itself.",
    )


@app.command(epilog=examples("digest issue undo 3", "digest issue undo 3 12"))
def undo(
    issue: IssueNumber,
    change: Annotated[
        int | None,
        typer.Argument(metavar="CHANGE", help="Its number in 'digest issue history'; without it, your last."),
    ] = None,
    by: By = "",
    take_back: TakeBack = False,
) -> None:
    """Take a change back, yours or another's. What was changed again since is left alone."""
    from digest.pipeline.shaping import undo as take_it_back

    runtime = open_runtime()
    who = decided_by(by)
    edited = take_it_back(runtime, _number(runtime, issue), by=who, act=change, takes_back=take_back)
    _say(issue, edited)


@app.command(epilog=examples("digest issue redo 3"))
def redo(issue: IssueNumber, by: By = "", take_back: TakeBack = False) -> None:
    """Make the change again that you took back last."""
    from digest.pipeline.shaping import redo as make_it_again

    runtime = open_runtime()
    edited = make_it_again(runtime, _number(runtime, issue), by=decided_by(by), takes_back=take_back)
    _say(issue, edited)


def _number(runtime: Runtime, issue: int) -> IssueId:
    from digest.store.database import reading
    from digest.store.issues import get_issue

    with reading(runtime.engine) as session:
        return get_issue(session, issue).id


def _say(issue: int, edited: Edited) -> None:
    what = "; ".join(edit.about.field for edit in edited.edits)
    number = edited.edits[0].undoes
    say(f"Change {number} ({what}) is taken back; issue {issue} holds {counted(edited.items, 'article')}.")
