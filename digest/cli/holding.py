"""`digest pause` and `digest resume`: everything that would be sent, whichever issue it is of."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import decided_by, within
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import say
from digest.pipeline import control

app = new_app()

By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


@app.command(epilog=examples("digest pause --why 'the mail server moves'"))
def pause(
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the others.")] = "", by: By = ""
) -> None:
    """Send nothing at all, of any issue, until 'digest resume'. What is under way ends.

    Issues are made, checked and approved all the same, and go out afterwards.
    """
    who = decided_by(by)
    control.hold(open_runtime(), by=who, why=within(why.strip(), "--why", limit=500))
    say("Nothing is sent now. 'digest resume' lets everything go on.")


@app.command(epilog=examples("digest resume --by 'Ada Fenwick'"))
def resume(by: By = "") -> None:
    """Let everything go on that 'digest pause' held, or that Digest held by itself.

    An issue that is not to go on has to be paused or cancelled first; one that is paused stays so.
    """
    ended = control.let_go(open_runtime(), by=decided_by(by))
    for one in ended:
        say(f"It was {one.in_words}, since {one.since:%Y-%m-%d %H:%M} UTC.")
    say("Everything goes on: a running worker sends what is due, or 'digest send ISSUE'.")
