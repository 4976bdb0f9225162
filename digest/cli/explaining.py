"""`digest why`: what a reader gets of an issue, and the reason for each article."""

from __future__ import annotations

from digest.address.steps import explain
from digest.cli.arguments import Email, IssueNumber
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table

app = new_app()


@app.command(epilog=examples("digest why ada@example.org 3"))
def why(email: Email, issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Say why a reader gets, or does not get, each item of an issue."""
    told = explain(open_runtime().engine, issue, email)
    if as_json:
        show_json(told)
        return
    say(f"{told.email} {told.verdict}.")
    say(f"They follow {', '.join(told.follows) or 'no topic'}.")
    show_table(
        ("", "article", "because"),
        [("yes" if item.is_shown else "no", item.title, item.reason) for item in told.items],
        empty="The issue holds no article.",
    )
