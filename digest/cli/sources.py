"""`digest source`: the feeds and pages a newsletter is made from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.arguments import Slug, within
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, read_file_bytes, say, show_json, show_record, show_table
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Source, SourceKind
from digest.domain.topics import TopicSlug
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, get_topic, list_topics
from digest.store.sources import NewSource, add_sources, get_source, list_sources, remove_source

if TYPE_CHECKING:
    from digest.gather.opml import OpmlSource

app = new_app()

SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name or address.")]

_NAME_MAX, _URL_MAX, _PATTERN_MAX = 200, 2000, 500


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
        SourceKind, typer.Option(help="A feed, or a page that links to articles.")
    ] = SourceKind.FEED,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="A topic that all its articles belong to. Repeat it."),
    ] = None,
    link_pattern: Annotated[
        str,
        typer.Option(metavar="REGEX", help="For a page: what the addresses of its articles match."),
    ] = "",
) -> None:
    """Add a source to a newsletter."""
    _check(url, link_pattern)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        topics = tuple(get_topic(session, found.id, slug).slug for slug in topic or ())
        taken = {known.name for known in list_sources(session, found.id)}
        called = within(name.strip(), "--name", limit=_NAME_MAX) or _free_name(url, taken)
        source = NewSource(called, url, kind, topics, link_pattern)
        add_sources(session, found.id, [source], now=runtime.clock())
    look = f"'digest inspect feed {url}'" if kind is SourceKind.FEED else f"'digest gather {newsletter}'"
    say(f"Added {source.name}. See what it gives: {look}.")


def _check(url: str, link_pattern: str) -> None:
    from digest.gather.urls import is_http_url

    if not is_http_url(url):
        raise InvalidInput(f"'{url}' is not an http(s) URL: give the whole address of a feed or page")
    within(url, "the address", limit=_URL_MAX)
    try:
        re.compile(within(link_pattern, "--link-pattern", limit=_PATTERN_MAX))
    except re.error as exc:
        raise InvalidInput(f"--link-pattern '{link_pattern}' is not a regular expression: {exc}") from exc


def _free_name(url: str, taken: Collection[str]) -> str:
    """Return the host or, when another source is called that, the address without its scheme."""
    return _host(url) if _host(url) not in taken else url.partition("://")[2][:_NAME_MAX]


def _host(url: str) -> str:
    return url.split("/")[2].removeprefix("www.")


@app.command("list")
def list_(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's sources, and how each one's last poll went."""
    with reading(open_runtime().engine) as session:
        sources = list_sources(session, get_newsletter(session, newsletter).id)
    if as_json:
        show_json(sources)
        return
    show_table(
        ("source", "kind", "address", "last poll"),
        [(s.name, s.kind, s.url, _last_poll(s)) for s in sources],
        empty=f"No source yet: add one with 'digest source add {newsletter} URL'.",
    )


@app.command()
def show(newsletter: Slug, name: SourceName, as_json: JsonOption = False) -> None:
    """Show one source, by its name or address."""
    with reading(open_runtime().engine) as session:
        source = get_source(session, get_newsletter(session, newsletter).id, name)
    if as_json:
        show_json(source)
        return
    rows = [
        ("address", source.url),
        ("kind", source.kind),
        ("topics", ", ".join(source.topics)),
        ("link pattern", source.link_pattern),
        ("last poll", _last_poll(source)),
    ]
    show_record(source.name, rows)


@app.command()
def remove(newsletter: Slug, name: SourceName) -> None:
    """Stop polling a source, given by name or address. Its articles stay."""
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        source = get_source(session, get_newsletter(session, newsletter).id, name)
        remove_source(session, source.id)
    say(f"Removed {source.name}.")


@app.command("import", epilog=examples("digest source import harbour-week feeds.opml"))
def import_(
    newsletter: Slug,
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="A list of feeds as readers export it.")],
) -> None:
    """Add the feeds of an OPML file, all or none.

    A folder that is called like a topic gives that topic to its feeds.
    """
    from digest.gather.opml import read_opml

    outlines = read_opml(read_file_bytes(file), name=file.name)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        known = list_sources(session, found.id)
        topics = {topic.slug for topic in list_topics(session, found.id)}
        addresses = {source.url for source in known}
        fresh = [outline for outline in outlines if outline.url not in addresses]
        add_sources(session, found.id, _named_apart(fresh, known, topics), now=runtime.clock())
    known_already = len(outlines) - len(fresh)
    were = "was" if known_already == 1 else "were"
    say(f"Added {counted(len(fresh), 'source')}; {known_already} {were} there already.")
    for folder in sorted({outline.folder for outline in fresh if _topic_of(outline.folder, topics) is None}):
        if folder:
            say(f"Folder '{folder}' is no topic of {newsletter}: its feeds have none of their own.")


def _named_apart(
    outlines: Sequence[OpmlSource], known: Sequence[Source], topics: Collection[TopicSlug]
) -> Iterator[NewSource]:
    """Yield the sources to add. Two feeds called the same are told apart by host, then by number."""
    taken = {source.name for source in known}
    for outline in outlines:
        title = (outline.title or _host(outline.url))[:_NAME_MAX]
        wordy = (f"{title[: _NAME_MAX - 60]} ({_host(outline.url)[:40]}{tail})" for tail in _tails())
        name = next(name for name in chain([title], wordy) if name not in taken)
        taken.add(name)
        topic = _topic_of(outline.folder, topics)
        yield NewSource(name, outline.url, topics=(topic,) if topic else ())


def _tails() -> Iterator[str]:
    return chain([""], (f", {number}" for number in count(2)))


def _topic_of(folder: str, topics: Collection[TopicSlug]) -> TopicSlug | None:
    """Return the topic a folder is called like: by its own name, or by the names of all above it."""
    for name in (folder, folder.rpartition(" / ")[2]):
        slug = "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
        if slug in topics:
            return TopicSlug(slug)
    return None


def _last_poll(source: Source) -> str:
    return source.last_error or ("well" if source.polled_at else "not yet")
