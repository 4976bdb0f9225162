"""`digest why`: what a reader gets of an issue, and the reason for each article."""

from __future__ import annotations

from digest.cli.arguments import Email, IssueNumber
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_table
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.pipeline.contents import why as explain
from digest.pipeline.progress import holds_of_reader
from digest.store.database import reading
from digest.store.issues import get_issue

app = new_app()


@app.command(epilog=examples("digest why ada@example.org 3"))
def why(email: Email, issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Say why a reader gets, or does not get, each item of an issue; of a draft, as it stands now."""
    runtime = open_runtime()
    engine = runtime.engine
    told = explain(engine, issue, email)
    waits = told.delivery is DeliveryState.PENDING
    holds = holds_of_reader(runtime, issue, told.email) if waits else ()
    if as_json:
        show_json({**plain(told), "holds": holds})
        return
    if told.issue_state is IssueState.DRAFT:
        say(f"Issue {issue} is a draft and may change; this is how it stands now.")
    say(f"{told.email} {told.verdict}.")
    if told.issue_state is IssueState.PAUSED:
        with reading(engine) as session:
            note = get_issue(session, issue).note
        say(f"The issue is {note or 'paused'}.")
    for hold in holds:
        say(hold)
    if told.delivery is DeliveryState.UNKNOWN:
        say(f"'digest issue unknown {issue}' has the evidence, and says what can be done.")
    say(f"They follow {', '.join(told.follows_names) or 'no topic'}.")
    show_table(
        ("", "article", "because"),
        [("yes" if item.is_shown else "no", item.title, item.reason) for item in told.items],
        empty="The issue holds no article.",
    )
