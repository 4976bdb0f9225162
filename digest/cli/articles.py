"""`digest article`: what was gathered, what editors add by hand, and what topics they say it has."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from digest.cli.arguments import ArticleName, Slug, named_article, required
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.errors import InvalidInput
from digest.domain.times import zone
from digest.store.recording import Recorded

app = new_app()

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
        by=required(by or getpass.getuser(), "--by"),
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

    found = coming_articles(open_runtime(), newsletter)
    if as_json:
        show_json(found)
        return
    show_table(
        ("article", "published", "title", "sources", "words", "note"),
        [
            (
                one.id,
                f"{one.article.published_at:%Y-%m-%d %H:%M}" if one.article.published_at else "no date",
                one.article.title,
                ", ".join(one.sources) or "added by hand",
                one.article.word_count,
                _note(one.article.note, one.article.is_partial, one.article.reservation),
            )
            for one in found
        ],
        empty=f"Nothing yet: 'digest gather {newsletter}' polls its sources.",
    )


def _note(note: str, is_partial: bool, reservation: str) -> str:
    told = (note, "behind a paywall" if is_partial else "", f"reserved: {reservation}" if reservation else "")
    return "; ".join(filter(None, told))
