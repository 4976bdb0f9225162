"""`digest inspect`: what gather and condense make of a feed or a page, without storing anything."""

from __future__ import annotations

import asyncio
from calendar import day_name
from collections.abc import Sequence
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
from digest.gather.feeds import Entry, Feed, read_feed
from digest.gather.fetch import Fetched
from digest.gather.files import read_file
from digest.gather.listing import article_links, learn_pattern
from digest.gather.sitemap import Sitemap, read_sitemap
from digest.gather.sniff import Kind, kind_of
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


@app.command(
    epilog=examples(
        "digest inspect feed https://example.org/feed.xml",
        "digest inspect feed https://example.org/sitemap.xml",
    )
)
def feed(where: Where, as_json: JsonOption = False) -> None:
    """Show the entries of a feed or sitemap, and what was wrong with it."""
    fetched = _fetch(where)
    found = _listed(fetched)
    if as_json:
        show_json(found)
        return
    if isinstance(found, Feed):
        say(f"{found.title or 'Without a title'} ({found.language or 'language unknown'})")
    say(f"{found.format}, {counted(len(found.entries), 'entry', 'entries')}")
    for sentence in (*(_wishes(found) if isinstance(found, Feed) else ()), *map(_capital, found.problems)):
        say(sentence)
    if isinstance(found, Sitemap) and found.children:
        _show_children(found)
        return
    _show_entries(found.entries)


def _listed(fetched: Fetched) -> Feed | Sitemap:
    """Return what a body lists; a list of addresses in plain text is a sitemap."""
    kind = kind_of(fetched.body, fetched.encoding)
    is_packed = fetched.body.startswith(b"\x1f\x8b")
    if kind is Kind.SITEMAP or is_packed or (kind is Kind.TEXT and fetched.body.lstrip()[:4] == b"http"):
        return read_sitemap(fetched.body, url=fetched.url, encoding=fetched.encoding)
    return read_feed(
        fetched.body, url=fetched.url, content_type=fetched.content_type, encoding=fetched.encoding
    )


def _wishes(found: Feed) -> list[str]:
    """Return in words what a feed says of how it wants to be read."""
    told = []
    if found.ttl:
        minutes = round(found.ttl.total_seconds() / 60)
        told.append(f"It asks not to be read again within {counted(minutes, 'minute')}.")
    if found.skip_hours:
        told.append(
            f"It asks not to be read in these hours (UTC): {', '.join(map(str, sorted(found.skip_hours)))}."
        )
    if found.skip_days:
        told.append(
            f"It asks not to be read on {', '.join(day_name[day] for day in sorted(found.skip_days))}."
        )
    if found.moved_to:
        told.append(f"It has moved to {found.moved_to}.")
    if found.is_finished:
        told.append("It says that it is finished: nothing new will come.")
    return told


def _capital(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _show_children(sitemap: Sitemap) -> None:
    show_table(
        ("changed", "sitemap"),
        [
            (f"{child.changed_at:%Y-%m-%d %H:%M}" if child.changed_at else "no date", child.url)
            for child in sitemap.children
        ],
        empty="",
    )


def _show_entries(entries: Sequence[Entry]) -> None:
    show_table(
        ("published", "title", "labels", "text"),
        [
            (
                _when(entry),
                entry.title or entry.url,
                ", ".join(entry.categories),
                counted(len(entry.html), "character"),
            )
            for entry in entries
        ],
        empty="The feed has no entry.",
    )


def _when(entry: Entry) -> str:
    if entry.published_at:
        return f"{entry.published_at:%Y-%m-%d %H:%M}"
    return f"changed {entry.updated_at:%Y-%m-%d %H:%M}" if entry.updated_at else "no date"


@app.command(epilog=examples("digest inspect links https://example.org/news"))
def links(
    where: Where,
    link_pattern: Annotated[
        str, typer.Option(metavar="REGEX", help="Try this pattern instead of the one that is learnt.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Show which links of a page are taken for articles, and the pattern they were told by."""
    fetched = _fetch(where)
    learnt = None if link_pattern else learn_pattern(fetched.body, url=fetched.url)
    taken = article_links(fetched.body, url=fetched.url, pattern=link_pattern or None)
    pattern = learnt.pattern if learnt else link_pattern
    left = learnt.leaves if learnt else ()
    if as_json:
        show_json({"pattern": pattern, "takes": taken, "leaves": left})
        return
    if not learnt and not link_pattern:
        say("No pattern can be learnt: what looks like a headline is taken. Give one by --link-pattern.")
    else:
        say(f"Pattern{' learnt from the page' if learnt else ''}: {pattern}")
    show_table(("taken",), [(url,) for url in taken], empty="No link of the page is taken for an article.")
    if left:
        show_table(("left",), [(url,) for url in left], empty="")


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
