"""`digest issue hide` and `unhide`: what the public archive shows no longer, or again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from digest.cli.arguments import IssueNumber, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import say
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.newsletters import newsletter_by_id

app = new_app()

Article = Annotated[
    int | None,
    typer.Option("--item", min=1, metavar="N", help="One article: its # in 'digest issue show'."),
]


@app.command(epilog=examples("digest issue hide 3", "digest issue hide 3 --item 5 --by 'Ada Fenwick'"))
def hide(
    issue: IssueNumber,
    item: Article = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")] = "",
) -> None:
    """Take an issue, or one article of it, out of the public archive and its feeds.

    Mails that were sent stay as they are, and so do readers' own copies of them online.
    """
    from digest.store.hiding import hide_issue, hide_item

    runtime = open_runtime()
    who = decided_by(by)
    with writing(runtime.engine) as session:
        if item is None:
            hidden = hide_issue(session, issue, by=who, now=runtime.clock())
            told = in_the_archive(hidden, newsletter_by_id(session, hidden.newsletter_id))
        else:
            told = f"'{hide_item(session, issue, item - 1, by=who, now=runtime.clock())}'"
    say(f"{told} is in the archive no more; who read its feeds or its pages may have kept a copy.")
    _tell_without_archive(runtime, issue)


@app.command(epilog=examples("digest issue unhide 3 --item 5"))
def unhide(issue: IssueNumber, item: Article = None) -> None:
    """Show an issue, or one article of it, in the public archive again."""
    from digest.store.hiding import unhide_issue, unhide_item

    runtime = open_runtime()
    with writing(runtime.engine) as session:
        if item is None:
            shown = unhide_issue(session, issue, now=runtime.clock())
            told = in_the_archive(shown, newsletter_by_id(session, shown.newsletter_id))
        else:
            told = f"'{unhide_item(session, issue, item - 1, now=runtime.clock())}'"
    say(f"{told} is not hidden any more.")
    _tell_without_archive(runtime, issue)


def in_the_archive(issue: Issue, newsletter: Newsletter) -> str:
    """Return an issue's name by both its numbers: its own, and the one that readers see."""
    known = f" (number {issue.number} to its readers)" if issue.number else ""
    return f"Issue {issue.id} of {newsletter.name}{known}"


def hidden_note(issue: Issue, hidden: Collection[int]) -> str:
    """Return in words what the archive does not show of an issue, '' when it shows all."""
    if issue.is_hidden:
        return f"Not in the public archive: 'digest issue unhide {issue.id}' shows it there."
    numbers = ", ".join(str(position + 1) for position in sorted(hidden))
    return f"Not in the public archive: article {numbers}." if numbers else ""


def _tell_without_archive(runtime: Runtime, issue_id: int) -> None:
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, get_issue(session, issue_id).newsletter_id)
    if not newsletter.archive:
        say(f"{newsletter.name} has no public archive at present.")
