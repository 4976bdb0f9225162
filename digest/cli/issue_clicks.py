"""`digest issue clicks`: which of its links were followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.cli.arguments import IssueNumber
from digest.cli.lazy import new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.counting import counted

if TYPE_CHECKING:
    from digest.pipeline.clicks import IssueClicks

app = new_app()


@app.command()
def clicks(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Show how often links of an issue's mail were followed: by article, topic, source and place."""
    from digest.pipeline.clicks import clicks_in

    runtime = open_runtime()
    found = clicks_in(runtime, issue)
    if as_json:
        show_json(found)
        return
    if not found.followed:
        say(_nothing(found))
        return
    left_out = f"; {found.left_out} opened by scanners are left out" if found.left_out else ""
    say(f"{counted(found.followed, 'link')} followed{left_out}.")
    articles = [(f"{one.position + 1}. {one.title}", one.followed) for one in found.articles]
    show_table(("article", "followed"), articles, empty="")
    for called, named in (("topic", found.topics), ("source", found.sources), ("place", found.places)):
        say("")
        show_table((called, "followed"), [(one.name, one.followed) for one in named], empty="")


def _nothing(found: IssueClicks) -> str:
    if found.are_counted:
        return f"No link of issue {found.issue_id} was followed that could be counted."
    return (
        f"No link of issue {found.issue_id} was counted: 'digest newsletter change NEWSLETTER --clicks "
        "counted' has those of the next issues counted."
    )
