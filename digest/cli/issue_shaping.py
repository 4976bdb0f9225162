"""`digest issue pin`, `drop` and `edit`: what an editor makes of a draft."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import ArticleName, IssueNumber, decided_by, named_article
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import say
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.store.database import reading, writing
from digest.store.issues import get_issue, write_texts
from digest.store.pins import PinKind

app = new_app()

Undo = Annotated[bool, typer.Option("--undo", help="Take it back: its score decides again.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]


@app.command(
    "pin",
    epilog=examples(
        "digest issue pin 3 41",
        "digest issue pin 3 https://example.org/2026/11/tides",
        "digest issue pin 3 41 --undo",
    ),
)
def pin_(issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "") -> None:
    """Have an article in a draft whatever it scores, first in its topic."""
    _wish(issue, article, None if undo else PinKind.PIN, by)


@app.command(epilog=examples("digest issue drop 3 41", "digest issue drop 3 41 --undo"))
def drop(issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "") -> None:
    """Keep an article out of a draft, however often it is filled anew."""
    _wish(issue, article, None if undo else PinKind.DROP, by)


_WISHED = {
    PinKind.PIN: "is pinned",
    PinKind.DROP: "is dropped",
    None: "is neither pinned nor dropped any more",
}


def _wish(issue: int, article: str, kind: PinKind | None, by: str) -> None:
    from digest.compose.steps import pin

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        newsletter_id = get_issue(session, issue).newsletter_id
    found = named_article(runtime.engine, article, within=newsletter_id)
    who = decided_by(by)
    composed = pin(runtime.engine, issue, found.id, kind, by=who, now=runtime.clock())
    say(f"'{found.title}' {_WISHED[kind]}; issue {issue} holds {counted(composed.items, 'article')}.")


@app.command()
def edit(
    issue: IssueNumber,
    subject: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Empty: each edition names its first article.")
    ] = None,
    preheader: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Empty: each edition names its others.")
    ] = None,
    intro: Annotated[str | None, typer.Option(metavar="TEXT", help="A few lines above the articles.")] = None,
) -> None:
    """Change a draft's subject, preheader or opening lines."""
    if subject is None and preheader is None and intro is None:
        raise InvalidInput("there is nothing to change: give --subject, --preheader or --intro")
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_issue(session, issue)
        write_texts(
            session,
            found.id,
            subject=found.subject if subject is None else subject,
            preheader=found.preheader if preheader is None else preheader,
            intro=found.intro if intro is None else intro,
        )
    say(f"Issue {issue} changed. Look at it with 'digest issue preview {issue}'.")
