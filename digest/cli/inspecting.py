"""`digest inspect`: what gather and condense make of a feed or a page, without storing anything."""

from __future__ import annotations

import asyncio
from calendar import day_name
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, rule, say, show_json, show_table
from digest.condense.takeaways import condense_article
from digest.condense.terms import why_reserved
from digest.domain.articles import Article, BlockKind, Condensed, reading_minutes
from digest.domain.counting import counted
from digest.domain.mail import shorten
from digest.gather.feeds.formats import Entry, Feed, read_feed
from digest.gather.feeds.listing import article_links, learn_pattern
from digest.gather.feeds.sitemap import Sitemap, read_sitemap
from digest.gather.feeds.sniff import Kind, kind_of
from digest.gather.fetching.fetch import Fetched
from digest.gather.fetching.files import read_file
from digest.gather.pages.evidence import Candidate, Dropped
from digest.gather.pages.extract import NoArticle, Reading, examine_fetched
from digest.gather.urls import given_url

app = new_app()

_CANDIDATES_MOST = 4
_VALUE_MOST = 52

Where = Annotated[
    str, typer.Argument(metavar="URL-OR-FILE", help="An http(s) address, or a file on this machine.")
]


def _fetch(where: str) -> Fetched:
    if "://" not in where:
        return read_file(Path(where))
    url = given_url(where)

    async def fetch() -> Fetched:
        async with open_runtime().fetcher() as fetcher:
            return await fetcher.fetch(url)

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
    """Show what is read of an article and why, what is left out, and its takeaways."""
    reading = examine_fetched(_fetch(where))
    read = reading.article
    if not read.blocks:
        raise NoArticle(f"{read.url} holds no text that reads like an article: only '{read.title}' was found")
    withheld = why_reserved(read)
    condensed = Condensed((), withheld) if withheld else condense_article(read)
    if as_json:
        show_json({"article": read, "text": read.text, "condensed": condensed, "reading": _evidence(reading)})
        return
    _show_article(read)
    _show_takeaways(condensed)
    _show_evidence(reading)
    _show_dropped(reading.dropped)


def _evidence(reading: Reading) -> dict[str, Any]:
    """Return what an article rests on, without the article."""
    return {name: value for name, value in plain(reading).items() if name != "article"}


def _show_evidence(reading: Reading) -> None:
    rule("what was believed (✓), and why")
    subjects = (
        ("title", reading.titles),
        ("author", reading.bylines),
        ("day", reading.dates),
        ("picture", reading.images),
        ("address", reading.addresses),
        ("language", reading.languages),
    )
    rows = [row for subject, candidates in subjects for row in _candidate_rows(subject, candidates)]
    show_table(("", "", "said by", "value", "because"), rows, empty="Nothing is declared.")
    for sign in reading.signals:
        say(f"{_meaning(reading, sign)}: {sign}")
    if reading.modified_at:
        say(f"changed: {reading.modified_at:%Y-%m-%d %H:%M} UTC")
    if reading.syndicated_from:
        say(f"original elsewhere: {reading.syndicated_from}")


def _meaning(reading: Reading, sign: str) -> str:
    """Return what follows from a sign: what keeps the rest of the text away comes first among them."""
    if sign == reading.article.reservation:
        return "headline and link only"
    return (
        "only its beginning is here" if reading.article.is_partial and sign == reading.signals[0] else "noted"
    )


def _candidate_rows(subject: str, candidates: Sequence[Candidate]) -> list[tuple[str, str, str, str, str]]:
    """Return the rows of one subject: what was believed, and the first few of the others."""
    shown = [
        candidate
        for index, candidate in enumerate(candidates)
        if candidate.is_believed or index < _CANDIDATES_MOST
    ]
    return [
        (
            subject if not index else "",
            "✓" if candidate.is_believed else "",
            candidate.where,
            _middle(candidate.value),
            candidate.why,
        )
        for index, candidate in enumerate(shown)
    ]


def _middle(value: str) -> str:
    """Return a value short enough for its column: of an address the end tells more than the middle."""
    if len(value) <= _VALUE_MOST:
        return value
    return value[: _VALUE_MOST // 2 - 1] + "…" + value[-_VALUE_MOST // 2 :]


def _show_dropped(dropped: Sequence[Dropped]) -> None:
    rule("left out")
    show_table(
        ("because", "words", "it begins"),
        [(part.reason, part.words, shorten(part.beginning, 60)) for part in dropped],
        empty="Nothing was left out.",
    )


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
        mark = {
            BlockKind.HEADING: "\n## ",
            BlockKind.LIST_ITEM: "  • ",
            BlockKind.QUOTE: "  > ",
            BlockKind.TABLE_ROW: "    ",
        }.get(block.kind, "")
        say(
            f"{mark}{block.text}" + ("" if block.kind in (BlockKind.LIST_ITEM, BlockKind.TABLE_ROW) else "\n")
        )


def _show_takeaways(condensed: Condensed) -> None:
    rule("takeaways")
    for takeaway in condensed.takeaways:
        say(f"• {takeaway.text}")
        places = ", ".join(f"{span.start}–{span.end}" for span in takeaway.support)
        say(f"    {takeaway.origin}, characters {places}")
    if condensed.why_none:
        say(f"none: {condensed.why_none}")
