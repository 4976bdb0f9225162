"""`digest issue heard`: what readers told after it."""

from __future__ import annotations

from digest.cli.arguments import IssueNumber
from digest.cli.lazy import new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.counting import counted

app = new_app()


@app.command()
def heard(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Show what readers told after an issue: of its articles, how many left, and why."""
    from digest.pipeline.heard import heard_after

    found = heard_after(open_runtime(), issue)
    if as_json:
        show_json(found)
        return
    if found.articles:
        rows = [(one.title, one.feedback.useful, one.feedback.not_useful) for one in found.articles]
        show_table(("article", "useful", "not useful"), rows, empty="")
        say("")
    left = found.departures
    if not left.count:
        say(f"Nobody left after issue {found.issue_id}.")
        return
    say(f"{counted(left.count, 'reader')} left after issue {found.issue_id}.")
    if left.reasons:
        show_table(
            ("why", "readers"), [(why.in_words, count) for why, count in left.reasons.items()], empty=""
        )
    for words in left.words:
        say("")
        say(words)
