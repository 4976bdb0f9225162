"""`digest article`: what was gathered, what editors add by hand, and what topics they say it has."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import ArticleName, Slug, decided_by, named_article
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, read_text_file, say, show_json, show_table
from digest.domain.errors import InvalidInput
from digest.domain.times import zone
from digest.store.recording import Recorded

if TYPE_CHECKING:
    from digest.runtime import Runtime
    from digest.store.articles import StoredArticle
    from digest.store.condensings import Condensing

app = new_app()

By = Annotated[str, typer.Option(metavar="NAME", help="Who changes it; without it the user's login.")]
FromVersion = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="The version you looked at: refused when another came in between."),
]

_SAID = {
    Recorded.NEW: "Added",
    Recorded.UPDATED: "Known already, and read anew:",
    Recorded.KNOWN: "Known already:",
}


@app.command(
    epilog=examples(
        "digest article add harbour-week https://example.org/2026/11/tides --topic climate",
    )
)
def add(
    newsletter: Slug,
    url: Annotated[str, typer.Argument(metavar="URL", help="The article's address.")],
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="A topic it belongs to. Repeat it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add one article by hand, for the coming issue, whenever it was published."""
    from digest.pipeline.by_hand import add_article
    from digest.store.database import reading
    from digest.store.newsletters import get_newsletter

    runtime = open_runtime()
    added = add_article(runtime, newsletter, url, topics=topic or (), by=getpass.getuser())
    if as_json:
        show_json(added)
        return
    with reading(runtime.engine) as session:
        first, last = added.window.local_days(zone(get_newsletter(session, newsletter).timezone))
    say(f"{_SAID[added.recorded]} '{added.article.title}', {added.article.word_count} words.")
    say(
        f"The issue of {first} to {last} will consider it: 'digest condense {newsletter}' and "
        f"'digest compose {newsletter}' take it in, as does any run."
    )


@app.command(
    epilog=examples(
        "digest article topic 41 --add energy --remove sport --by 'Ada Fenwick'",
        "digest article topic https://example.org/2026/11/tides --undo sport",
    )
)
def topic(
    article: ArticleName,
    add_: Annotated[
        list[str] | None, typer.Option("--add", metavar="TOPIC", help="It belongs to this. Repeat it.")
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="TOPIC", help="It does not belong to this. Repeat it."),
    ] = None,
    undo: Annotated[
        list[str] | None,
        typer.Option("--undo", metavar="TOPIC", help="Let the rules decide this again. Repeat it."),
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who says so; without it, your login.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Decide which topics an article belongs to, whatever the rules say; the classifier learns from it."""
    from digest.condense.topics.steps import decide
    from digest.store.database import reading
    from digest.store.newsletters import newsletter_by_id

    if not (add_ or remove or undo):
        raise InvalidInput("there is nothing to decide: give --add, --remove or --undo")
    runtime = open_runtime()
    found = named_article(runtime.engine, article)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, found.newsletter_id)
    matches = decide(
        runtime.engine,
        newsletter,
        found.id,
        add=add_ or (),
        remove=remove or (),
        undo=undo or (),
        by=decided_by(by),
        now=runtime.clock(),
    )
    if as_json:
        show_json(matches)
        return
    say(f"'{found.title}' belongs to {', '.join(match.slug for match in matches) or 'no topic'}.")
    say(f"'digest compose {newsletter.slug}' brings a draft up to date.")


@app.command("list")
def list_(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List the articles gathered for the coming issue and after, newest first, and where each was read."""
    from digest.pipeline.polling import coming_articles
    from digest.store.condensings import outdated_edits
    from digest.store.database import reading

    runtime = open_runtime()
    found = coming_articles(runtime, newsletter)
    if as_json:
        show_json(found)
        return
    with reading(runtime.engine) as session:
        outdated = outdated_edits(session, [one.id for one in found])
    show_table(
        ("article", "published", "title", "sources", "words", "note"),
        [
            (
                one.id,
                f"{one.article.published_at:%Y-%m-%d %H:%M}" if one.article.published_at else "no date",
                one.article.title,
                ", ".join(one.sources) or "added by hand",
                one.article.word_count,
                _note(
                    one.article.note,
                    one.article.is_partial,
                    one.article.reservation,
                    outdated.get(one.id, ""),
                ),
            )
            for one in found
        ],
        empty=f"Nothing yet: 'digest gather {newsletter}' polls its sources.",
    )


def _note(note: str, is_partial: bool, reservation: str, outdated: str) -> str:
    reserved = f"reserved: {reservation}" if reservation else ""
    told = (note, "behind a paywall" if is_partial else "", reserved, outdated)
    return "; ".join(filter(None, told))


@app.command(
    epilog=examples(
        "digest article takeaways 17",
        "digest article takeaways https://example.org/2026/11/tides --version 1",
        "digest article takeaways 17 --history",
    )
)
def takeaways(
    article: ArticleName,
    version: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="This version, not the one that holds.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Say who decided what of it: its topics, pins and drops.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an article's takeaways, what they rest on, whose they are, what they cost, and every version."""
    from digest.cli import takeaways as telling
    from digest.cli.decisions import show_history
    from digest.store.condensings import versions_of
    from digest.store.database import reading

    with reading(open_runtime().engine) as session:
        stored = telling.get_article(session, article)
        if history:
            show_history(session, stored, as_json=as_json)
            return
        versions = versions_of(session, stored.id)
        shown = versions.current if version is None else versions.get(version)
        if as_json:
            show_json(telling.as_json(session, stored, versions, shown))
        else:
            telling.show(session, stored, versions, shown)


@app.command(
    epilog=examples(
        "digest article edit 17 --takeaway 'The quay gets a tide mill.' --takeaway 'It opens in May.'",
        "digest article edit 17 --file takeaways.txt --from-version 3 --by 'Ada Fenwick'",
    )
)
def edit(
    article: ArticleName,
    takeaway: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A takeaway. Repeat it, in their order.")
    ] = None,
    file: Annotated[
        str,
        typer.Option(metavar="FILE", help="Takeaways out of a file, a line each; - reads them from a pipe."),
    ] = "",
    from_version: FromVersion = None,
    by: By = "",
    as_json: JsonOption = False,
) -> None:
    """Let an article have these takeaways and no others; what stays word for word keeps its origin."""
    from digest.condense.editing import edit_takeaways

    if bool(takeaway) == bool(file):
        raise InvalidInput("give the takeaways either by --takeaway, one each, or by --file")
    texts = takeaway or _lines(file)
    runtime, stored, who = _desk(article, by)
    made = edit_takeaways(
        runtime.engine, stored.id, texts, by=who, now=runtime.clock(), made_from=from_version
    )
    said = f"'{stored.article.title}' now has the takeaways of version {made.version}, by {made.made_by}."
    _answer(made, said, as_json=as_json)


def _desk(article: str, by: str) -> tuple[Runtime, StoredArticle, str]:
    """Return what a change of takeaways needs: the runtime, the article that is named, and who changes it."""
    from digest.cli.takeaways import get_article
    from digest.store.database import reading

    who = decided_by(by)
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        return runtime, get_article(session, article), who


def _answer(held: Condensing, said: str, *, as_json: bool) -> None:
    if as_json:
        show_json(held)
    else:
        say(said)


def _lines(file: str) -> list[str]:
    """Return the lines of a file that say something. Raises `InvalidInput` when none does."""
    try:
        text = sys.stdin.read() if file == "-" else read_text_file(Path(file))
        # In the C.UTF-8 of containers, Python lets wrong bytes through as what no text holds.
        text.encode()
    except UnicodeError as exc:
        raise InvalidInput("standard input is not UTF-8; nothing was changed") from exc
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidInput(f"{file}: holds no takeaway; write one on each line. Nothing was changed")
    return lines


@app.command(epilog=examples("digest article restore 17 --version 1"))
def restore(
    article: ArticleName,
    version: Annotated[int, typer.Option(min=1, metavar="N", help="The version to go back to.")],
    from_version: FromVersion = None,
    by: By = "",
    as_json: JsonOption = False,
) -> None:
    """Go back to an earlier version of an article's takeaways, as a new version; that is yours then.

    Of the one that holds, this says that it stays as it is though text or rules have changed.
    """
    from digest.condense.editing import restore_takeaways

    runtime, stored, who = _desk(article, by)
    settled = restore_takeaways(
        runtime.engine, stored.id, version, by=who, now=runtime.clock(), seen=from_version
    )
    held = settled.version
    again = "again" if settled.is_new else "already"
    which = f", as version {held.version}" if held.version != version else ""
    nothing = "" if settled.is_new else "; nothing was changed"
    said = f"'{stored.article.title}' has the takeaways of version {version} {again}{which}{nothing}."
    _answer(held, said, as_json=as_json)


@app.command(
    epilog=examples(
        "digest article release 17",
        "digest article release 17 --from-version 3 --by 'Ada Fenwick'",
    )
)
def release(
    article: ArticleName, from_version: FromVersion = None, by: By = "", as_json: JsonOption = False
) -> None:
    """Hand an article's takeaways back to the program: the next condensing renews them."""
    from digest.condense.editing import release_takeaways

    runtime, stored, who = _desk(article, by)
    settled = release_takeaways(runtime.engine, stored.id, by=who, now=runtime.clock(), seen=from_version)
    held, title = settled.version, stored.article.title
    said = (
        f"'{title}' is the program's again: version {held.version} holds until the next 'digest condense' or "
        "run renews it."
        if settled.is_new
        else f"'{title}' is the program's already, with version {held.version}; nothing was changed."
    )
    _answer(held, said, as_json=as_json)
