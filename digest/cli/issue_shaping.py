"""`digest issue pin`, `place`, `edit` and their like: what an editor makes of a draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import ArticleName, IssueNumber, decided_by, named_article
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput

if TYPE_CHECKING:
    from digest.runtime import Runtime
    from digest.store.edits import Field
    from digest.store.naming import NamedArticle

app = new_app()

Undo = Annotated[bool, typer.Option("--undo", help="Take it back: its score decides again.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")]
TakeBack = Annotated[
    bool, typer.Option("--take-back", help="Of an approved issue: take the approval back to change it.")
]


@app.command(
    "pin",
    epilog=examples(
        "digest issue pin 3 41",
        "digest issue pin 3 https://example.org/2026/11/tides",
        "digest issue pin 3 41 --undo",
    ),
)
def pin_(
    issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "", take_back: TakeBack = False
) -> None:
    """Have an article in a draft whatever it scores, first in its topic."""
    _wish(issue, article, "pin", "is pinned", undo=undo, by=by, take_back=take_back)


@app.command(epilog=examples("digest issue drop 3 41", "digest issue drop 3 41 --undo"))
def drop(
    issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "", take_back: TakeBack = False
) -> None:
    """Keep an article out of a draft, however often it is filled anew."""
    _wish(issue, article, "drop", "is dropped", undo=undo, by=by, take_back=take_back)


def _wish(issue: int, article: str, wish: str, words: str, *, undo: bool, by: str, take_back: bool) -> None:
    from digest.store.edits import Field

    nothing = f"article {{id}} is neither pinned nor dropped in issue {issue}"
    if undo:
        wish, words = "", "is neither pinned nor dropped any more"
    _change(issue, article, Field.WISH, wish, words, by=by, take_back=take_back, unsaid=nothing)


@app.command(epilog=examples("digest issue place 3 41 --before 37", "digest issue place 3 41 --after 37"))
def place(
    issue: IssueNumber,
    article: ArticleName,
    before: Annotated[int | None, typer.Option(metavar="ARTICLE", help="It stands just before this.")] = None,
    after: Annotated[int | None, typer.Option(metavar="ARTICLE", help="It stands just after this.")] = None,
    undo: Undo = False,
    by: By = "",
    take_back: TakeBack = False,
) -> None:
    """Put an article at a place of a draft, which it keeps however often that is filled anew."""
    from digest.compose.shape import Place
    from digest.store.articles import ArticleId
    from digest.store.edits import Field

    if undo == (before is not None or after is not None):
        raise InvalidInput("say where: --before or --after with an article's number, or --undo")
    told = Place(*(None if one is None else ArticleId(one) for one in (after, before)))
    to, words = ("", "stands where its score puts it") if undo else (str(told), "is in its place")
    _change(issue, article, Field.PLACE, to, words, by=by, take_back=take_back)


@app.command(epilog=examples("digest issue move 3 41 --to cities", "digest issue move 3 41 --undo"))
def move(
    issue: IssueNumber,
    article: ArticleName,
    to: Annotated[str, typer.Option(metavar="TOPIC", help="The topic it is to stand under.")] = "",
    undo: Undo = False,
    by: By = "",
    take_back: TakeBack = False,
) -> None:
    """Show an article under another topic in this issue, to those who follow that."""
    from digest.store.edits import Field

    if undo == bool(to):
        raise InvalidInput("say where: --to with a topic, or --undo")
    words = f"stands under {to}" if to else "stands under the topic it fits best"
    _change(issue, article, Field.TOPIC, to, words, by=by, take_back=take_back)


@app.command(epilog=examples("digest issue lead 3 41", "digest issue lead 3 41 --undo"))
def lead(
    issue: IssueNumber, article: ArticleName, undo: Undo = False, by: By = "", take_back: TakeBack = False
) -> None:
    """Show this report of a story, and name the others beside it."""
    from digest.store.edits import Field

    to, words = ("", "leads no more by anybody's word") if undo else ("yes", "leads its story")
    _change(issue, article, Field.LEAD, to, words, by=by, take_back=take_back)


@app.command(
    epilog=examples('digest issue headline 3 41 "Spring tides reach the quay"', "digest issue headline 3 41")
)
def headline(
    issue: IssueNumber,
    article: ArticleName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Without it, the publisher's.")] = "",
    by: By = "",
    take_back: TakeBack = False,
) -> None:
    """Give an article another headline in this issue; its publisher's is kept beside it."""
    from digest.store.edits import Field

    text = " ".join(text.split())
    words = f"is headed '{text}'" if text else "has its publisher's headline"
    _change(issue, article, Field.HEADLINE, text, words, by=by, take_back=take_back)


@app.command(
    epilog=examples(
        "digest issue edit 3 --subject 'Spring tides'",
        "digest issue edit 3 --only newcomers --without editors",
    )
)
def edit(
    issue: IssueNumber,
    subject: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Empty: each edition names its first article.")
    ] = None,
    preheader: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Empty: each edition names its others.")
    ] = None,
    intro: Annotated[str | None, typer.Option(metavar="TEXT", help="A few lines above the articles.")] = None,
    only: Annotated[
        str | None, typer.Option(metavar="SEGMENT", help="For its readers alone; '': for all readers.")
    ] = None,
    without: Annotated[
        str | None, typer.Option(metavar="SEGMENT", help="Not for its readers; '': leaves nobody out.")
    ] = None,
    by: By = "",
    take_back: TakeBack = False,
) -> None:
    """Change a draft's subject, preheader or opening lines, or whom it is for."""
    from digest.compose.edits import Change
    from digest.pipeline.shaping import shape_issue
    from digest.store.edits import About, Field

    said: Mapping[Field, str | None] = {
        Field.SUBJECT: subject,
        Field.PREHEADER: preheader,
        Field.INTRO: intro,
        Field.ONLY: only,
        Field.WITHOUT: without,
    }
    changes = [Change(About(field), text.strip()) for field, text in said.items() if text is not None]
    if not changes:
        raise InvalidInput(
            "there is nothing to change: give --subject, --preheader, --intro, --only or --without"
        )
    shape_issue(open_runtime(), issue, changes, by=decided_by(by), takes_back=take_back)
    say(f"Issue {issue} changed. Look at it with 'digest issue preview {issue}'.")


@app.command(epilog=examples("digest issue subjects 3"))
def subjects(issue: IssueNumber, as_json: JsonOption = False) -> None:
    """Suggest subjects, made of the issue's own headlines."""
    from digest.pipeline.drafts import draft_of
    from digest.store.database import reading

    with reading(open_runtime().engine) as session:
        suggested = draft_of(session, issue).subjects
    if as_json:
        show_json(suggested)
        return
    for one in suggested or ["No headline of this issue is short enough for a subject."]:
        say(one)


def _change(
    issue: int,
    article: str,
    field: Field,
    to: str,
    words: str,
    *,
    by: str,
    take_back: bool,
    unsaid: str = "there is nothing of article {id} to take back in this issue",
) -> None:
    from digest.compose.edits import Change
    from digest.pipeline.shaping import shape_issue
    from digest.store.edits import About

    runtime = open_runtime()
    found = _named(runtime, issue, article)
    change = Change(About(field, found.id), to)
    edited = shape_issue(runtime, issue, [change], by=decided_by(by), takes_back=take_back)
    if not to and not edited.edits:
        raise InvalidInput(unsaid.format(id=found.id))
    say(f"'{found.title}' {words}; issue {issue} holds {counted(edited.items, 'article')}.")


def _named(runtime: Runtime, issue: int, article: str) -> NamedArticle:
    from digest.store.database import reading
    from digest.store.issues import get_issue

    with reading(runtime.engine) as session:
        newsletter_id = get_issue(session, issue).newsletter_id
    return named_article(runtime.engine, article, within=newsletter_id)
