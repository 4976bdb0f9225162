"""`digest inspect`: what gather and condense make of a feed or a page, without storing anything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, rule, say, show_json, show_table
from digest.condense.takeaways import condense_article
from digest.domain.articles import Article, BlockKind, Condensed, reading_minutes
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.gather.extract import NoArticle, read_fetched
from digest.gather.feeds import Feed, read_feed
from digest.gather.fetch import Fetched
from digest.gather.files import read_file
from digest.gather.urls import is_http_url

app = new_app()

Where = Annotated[
    str, typer.Argument(metavar="URL-OR-FILE", help="An http(s) address, or a file on this machine.")
]


def _fetch(where: str) -> Fetched:
    if not is_http_url(where):
        if "://" in where:
            raise InvalidInput(f"'{where}' is neither an http(s) URL nor a file")
        return read_file(Path(where))

    async def fetch() -> Fetched:
        async with open_runtime().fetcher() as fetcher:
            return await fetcher.fetch(where)

    return asyncio.run(fetch())


@app.command(epilog=examples("digest inspect feed https://example.org/feed.xml"))
def feed(where: Where, as_json: JsonOption = False) -> None:
    """Show a feed's entries."""
    fetched = _fetch(where)
    found: Feed = read_feed(fetched.body, url=fetched.url, content_type=fetched.content_type)
    if as_json:
        show_json(found)
        return
    entries = counted(len(found.entries), "entry", "entries")
    say(f"{found.title or 'Without a title'} ({found.language or 'language unknown'}): {entries}")
    show_table(
        ("published", "title", "labels", "text"),
        [
            (
                f"{entry.published_at:%Y-%m-%d %H:%M}" if entry.published_at else "no date",
                entry.title,
                ", ".join(entry.categories),
                counted(len(entry.html), "character"),
            )
            for entry in found.entries
        ],
        empty="The feed has no entry.",
    )


@app.command(
    epilog=examples(
        "digest inspect article https://example.org/2026/11/tides",
        "digest inspect article saved-page.html --json",
    )
)
def article(where: Where, as_json: JsonOption = False) -> None:
    """Show what is read of an article, and its takeaways with the place that supports each."""
    read = read_fetched(_fetch(where))
    if not read.blocks:
        raise NoArticle(f"{read.url} holds no text that reads like an article: only '{read.title}' was found")
    condensed = condense_article(read)
    if as_json:
        show_json({"article": read, "text": read.text, "condensed": condensed})
        return
    _show_article(read)
    _show_takeaways(condensed)


def _show_article(read: Article) -> None:
    rule()
    say(read.title)
    told = (
        read.byline,
        read.site_name,
        f"{read.published_at:%Y-%m-%d %H:%M} UTC, by the {read.published_by}"
        if read.published_at
        else "no date",
        read.language,
        f"{counted(read.word_count, 'word')}, {reading_minutes(read.word_count)} min",
    )
    say(" · ".join(part for part in told if part))
    say(read.url)
    rule()
    for block in read.blocks:
        mark = {BlockKind.HEADING: "\n## ", BlockKind.LIST_ITEM: "  • ", BlockKind.QUOTE: "  > "}.get(
            block.kind, ""
        )
        say(f"{mark}{block.text}" + ("" if block.kind is BlockKind.LIST_ITEM else "\n"))


def _show_takeaways(condensed: Condensed) -> None:
    rule("takeaways")
    for takeaway in condensed.takeaways:
        say(f"• {takeaway.text}")
        places = ", ".join(f"{span.start}–{span.end}" for span in takeaway.support)
        say(f"    {takeaway.origin}, characters {places}")
    if condensed.why_none:
        say(f"none: {condensed.why_none}")
