"""`digest source`: the feeds and pages a newsletter is made from."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy.orm import Session

from digest.cli.arguments import Slug, language_tag, on_a_line, required, within
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, read_file_bytes, say, show_json, show_record, show_table
from digest.domain.counting import counted
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Excerpt, Source, SourceKind, SourceState
from digest.store.condensed import forget_condensed
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, get_topic, list_topics
from digest.store.sources import (
    NewSource,
    add_sources,
    change_source,
    get_source,
    list_sources,
    remove_source,
    sources_ever,
)

if TYPE_CHECKING:
    from digest.gather.feeds.discovery import Candidate

app = new_app()

SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name or address.")]

_NAME_MAX, _URL_MAX, _PATTERN_MAX = 200, 2000, 500
_WEIGHT_MIN, _WEIGHT_MAX = 0.1, 10.0
_PROBLEMS_MOST = 20
_WEIGHT_HELP = "How much more than others its articles count: 2 for twice, 0.5 for half."
_EXCERPT_HELP = "What of its articles mails carry: takeaways and link, or headline and link only."


@app.command(
    epilog=examples(
        "digest source add harbour-week https://example.org/feed.xml --topic climate",
        "digest source add harbour-week https://example.org/news --kind page \\",
        "    --link-pattern '/news/[0-9]{4}/'",
    )
)
def add(
    newsletter: Slug,
    url: Annotated[str, typer.Argument(metavar="URL", help="The feed's or page's address.")],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The name readers see; without it the host.")
    ] = "",
    kind: Annotated[
        SourceKind, typer.Option(help="A feed, a sitemap, or a page that links to articles.")
    ] = SourceKind.FEED,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="A topic that all its articles belong to. Repeat it."),
    ] = None,
    link_pattern: Annotated[
        str,
        typer.Option(metavar="REGEX", help="For a page: what the addresses of its articles match."),
    ] = "",
    language: Annotated[
        str, typer.Option(metavar="TAG", help="The language of articles that do not tell theirs.")
    ] = "",
    weight: Annotated[float, typer.Option(help=_WEIGHT_HELP)] = 1.0,
    excerpt: Annotated[Excerpt, typer.Option(help=_EXCERPT_HELP)] = Excerpt.TAKEAWAYS,
) -> None:
    """Add a source to a newsletter."""
    from digest.gather.urls import address_key

    url = _address(url)
    _check_pattern(link_pattern)
    _check_weight(weight)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        topics = tuple(get_topic(session, found.id, slug).slug for slug in topic or ())
        taken = _names_of_others(sources_ever(session, found.id), [url])
        called = within(on_a_line(name, "--name"), "--name", limit=_NAME_MAX) or _free_name(url, taken)
        source = NewSource(
            called, url, kind, topics, link_pattern, language_tag(language) or None, weight, excerpt
        )
        again = add_sources(session, found.id, [source], now=runtime.clock(), key=address_key)
        _condense_anew(session, found, again, runtime.clock())
    look = f"'digest gather {newsletter}'" if kind is SourceKind.PAGE else f"'digest inspect feed {url}'"
    was = " It was a source before, and has its articles again." if again else ""
    say(f"Added {source.name}.{was} See what it gives: {look}.")


def _condense_anew(session: Session, newsletter: Newsletter, again: Collection[str], now: datetime) -> None:
    """Have the coming articles condensed anew when sources came back: perhaps on other terms."""
    from digest.pipeline.polling import coming_since

    if again:
        forget_condensed(session, newsletter.id, since=coming_since(newsletter, now))


def _address(text: str) -> str:
    from digest.gather.urls import given_url

    return within(given_url(text), "the address", limit=_URL_MAX)


def _check_pattern(link_pattern: str) -> None:
    try:
        re.compile(within(link_pattern, "--link-pattern", limit=_PATTERN_MAX))
    except re.error as exc:
        raise InvalidInput(f"--link-pattern '{link_pattern}' is not a regular expression: {exc}") from exc


def _check_weight(weight: float) -> None:
    if not _WEIGHT_MIN <= weight <= _WEIGHT_MAX:
        raise InvalidInput(f"--weight {weight:g} is not between {_WEIGHT_MIN:g} and {_WEIGHT_MAX:g}")


def _names_of_others(ever: Collection[Source], urls: Iterable[str]) -> set[str]:
    """Return the names of all sources but those that were removed and are added again, at one of `urls`.

    A name that no person chose for a source must not make it another one that was called so.
    """
    from digest.gather.urls import address_key

    again = {address_key(url) for url in urls}
    return {
        source.name
        for source in ever
        if source.state is not SourceState.REMOVED or address_key(source.url) not in again
    }


def _free_name(url: str, taken: Collection[str]) -> str:
    """Return the host or, when another source is called that, the address without its scheme."""
    from digest.cli.source_lists import host_of

    return host_of(url) if host_of(url) not in taken else url.partition("://")[2][:_NAME_MAX]


@app.command("list")
def list_(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's sources, and how each one's last poll went."""
    from digest.cli.source_standing import in_short

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        sources = list_sources(session, get_newsletter(session, newsletter).id)
    if as_json:
        show_json(sources)
        return
    now = runtime.clock()
    show_table(
        ("source", "kind", "address", "state"),
        [(source.name, source.kind, source.url, in_short(source, now)) for source in sources],
        empty=f"No source yet: add one with 'digest source add {newsletter} URL'.",
    )


@app.command()
def show(newsletter: Slug, name: SourceName, as_json: JsonOption = False) -> None:
    """Show one source, by its name or address."""
    from digest.cli.source_standing import rows_of, use_of

    runtime = open_runtime()
    with reading(runtime.engine) as session:
        source = get_source(session, get_newsletter(session, newsletter).id, name)
    if as_json:
        show_json(source)
        return
    rows = [
        ("address", source.url),
        ("kind", source.kind),
        ("topics", ", ".join(source.topics)),
        ("link pattern", source.link_pattern),
        ("language", source.language or "as the articles tell"),
        ("weight", f"{source.weight:g}"),
        ("used for", use_of(source)),
        *rows_of(source, runtime.clock()),
    ]
    show_record(source.name, rows)


@app.command(
    epilog=examples(
        'digest source change harbour-week "Tide Gazette" --weight 2 --topic climate',
        'digest source change harbour-week "Tide Gazette" --excerpt headline',
    )
)
def change(
    newsletter: Slug,
    name: SourceName,
    new_name: Annotated[str, typer.Option("--name", metavar="NAME", help="The name readers see.")] = "",
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Where it is now.")] = "",
    topic: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOPIC", help="Its articles' topics, in place of those it has. Repeat it. '': none."
        ),
    ] = None,
    link_pattern: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="For a page: what its articles' addresses match. '': none."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="The language of articles that do not tell theirs. '': none."),
    ] = None,
    weight: Annotated[float | None, typer.Option(help=_WEIGHT_HELP)] = None,
    excerpt: Annotated[Excerpt | None, typer.Option(help=_EXCERPT_HELP)] = None,
) -> None:
    """Change a source; what is not named stays. Its articles of this week are condensed anew."""
    from digest.pipeline.polling import coming_since

    wanted: dict[str, object] = {}
    if new_name:
        wanted["name"] = required(on_a_line(new_name, "--name"), "--name", limit=_NAME_MAX)
    if url:
        wanted["url"] = _address(url)
    if link_pattern is not None:
        _check_pattern(link_pattern)
        wanted["link_pattern"] = link_pattern
    if language is not None:
        wanted["language"] = language_tag(language) or None
    if weight is not None:
        _check_weight(weight)
        wanted["weight"] = weight
    if excerpt is not None:
        wanted["excerpt"] = excerpt
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        source = get_source(session, found.id, name)
        if topic is not None:
            wanted["topics"] = [get_topic(session, found.id, slug).slug for slug in topic if slug.strip()]
        if url:
            _refuse_twin(source, str(wanted["url"]), list_sources(session, found.id))
        if not wanted:
            raise InvalidInput("nothing to change: name what is to be, such as --weight 2")
        change_source(session, source.id, **wanted)
        forget_condensed(session, found.id, since=coming_since(found, runtime.clock()))
    say(f"Changed {wanted.get('name', source.name)}.")


def _refuse_twin(source: Source, url: str, sources: Collection[Source]) -> None:
    from digest.gather.urls import address_key

    for other in sources:
        if other.id != source.id and address_key(other.url) == address_key(url):
            raise Conflict(f"{url} is a source already, as '{other.name}' ({other.url}); nothing was changed")


@app.command()
def pause(newsletter: Slug, name: SourceName) -> None:
    """Poll a source no more for now. Its articles stay."""
    _set_state(newsletter, name, SourceState.PAUSED)


@app.command()
def resume(newsletter: Slug, name: SourceName) -> None:
    """Poll a source again that was paused, or that its server had called gone."""
    _set_state(newsletter, name, SourceState.ACTIVE)


def _set_state(newsletter: str, name: str, state: SourceState) -> None:
    with writing(open_runtime().engine) as session:
        source = get_source(session, get_newsletter(session, newsletter).id, name)
        change_source(session, source.id, state=state)
    say(f"{source.name} is {state}." if source.state is not state else f"{source.name} was {state} already.")


@app.command()
def remove(newsletter: Slug, name: SourceName) -> None:
    """Do without a source, given by name or address. Its articles stay, under its name and on its terms."""
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        source = get_source(session, get_newsletter(session, newsletter).id, name)
        remove_source(session, source.id)
    say(f"Removed {source.name}. Articles it brought go by its name and are used as before.")


@app.command("import", epilog=examples("digest source import harbour-week feeds.opml"))
def import_(
    newsletter: Slug,
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="A list of feeds as readers export it.")],
) -> None:
    """Add the feeds of an OPML file. An outline that cannot be read is named and left out.

    A folder or category that is called like a topic gives that topic to its feeds.
    """
    from digest.cli.source_lists import as_sources, topic_of
    from digest.gather.feeds.opml import read_opml
    from digest.gather.urls import address_key

    listed = read_opml(read_file_bytes(file), name=file.name)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        known = list_sources(session, found.id)
        topics = {topic.slug for topic in list_topics(session, found.id)}
        addresses = {address_key(source.url) for source in known}
        fresh = [outline for outline in listed.sources if address_key(outline.url) not in addresses]
        taken = _names_of_others(sources_ever(session, found.id), [outline.url for outline in fresh])
        new = as_sources(fresh, taken, topics)
        again = add_sources(session, found.id, new, now=runtime.clock(), key=address_key)
        _condense_anew(session, found, again, runtime.clock())
    known_already = len(listed.sources) - len(fresh)
    were = "was" if known_already == 1 else "were"
    say(f"Added {counted(len(fresh), 'source')}; {known_already} {were} there already.")
    for problem in listed.problems[:_PROBLEMS_MOST]:
        say(f"Left out: {file.name} {problem}.")
    if len(listed.problems) > _PROBLEMS_MOST:
        say(f"… and {counted(len(listed.problems) - _PROBLEMS_MOST, 'more outline')} that cannot be read.")
    for folder in sorted({outline.folder for outline in fresh if topic_of(outline.folder, topics) is None}):
        if folder:
            say(f"Folder '{folder}' is no topic of {newsletter}: its feeds have none of their own.")


@app.command(epilog=examples("digest source export harbour-week --output feeds.opml"))
def export(
    newsletter: Slug,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.opml", help="Where to write it; without it, to the terminal.")
    ] = None,
) -> None:
    """Write the sources as an OPML list that other readers and 'digest source import' read.

    Each source stands in the folder of its first topic.
    """
    from digest.cli.source_lists import as_outlines
    from digest.gather.feeds.opml import write_opml

    with reading(open_runtime().engine) as session:
        found = get_newsletter(session, newsletter)
        sources, topics = list_sources(session, found.id), list_topics(session, found.id)
    if not sources:
        raise InvalidInput(f"{newsletter} has no source to export: add one with 'digest source add'")
    written = write_opml(as_outlines(sources, topics), title=found.name)
    if output is None:
        typer.echo(written, nl=False)
        return
    try:
        output.write_bytes(written)
    except OSError as exc:
        raise InvalidInput(f"{output} cannot be written: {exc.strerror or exc}") from exc
    say(f"Wrote {counted(len(sources), 'source')} to {output}.")


@app.command(
    epilog=examples(
        "digest source find https://example.org/",
        "digest source find https://example.org/ --newsletter harbour-week",
    )
)
def find(
    site: Annotated[str, typer.Argument(metavar="SITE", help="The address of a site, page or feed.")],
    newsletter: Annotated[
        str, typer.Option(metavar="NEWSLETTER", help="The newsletter that the printed commands name.")
    ] = "NEWSLETTER",
    as_json: JsonOption = False,
) -> None:
    """Find the feeds and sitemaps of a site, the best first, and tell how to add each. Nothing is stored."""
    from digest.cli.source_candidates import COLUMNS, how_to_add, row_of
    from digest.gather.feeds.discovery import find_feeds

    async def search() -> tuple[Candidate, ...]:
        async with open_runtime().fetcher() as fetcher:
            return await find_feeds(site, fetcher)

    found = asyncio.run(search())
    if as_json:
        show_json(found)
        return
    show_table(COLUMNS, map(row_of, found), empty="")
    say()
    for candidate in found:
        say(how_to_add(candidate, newsletter))
