"""`digest source`: the feeds and pages a newsletter is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.newsletters import Slug
from digest.cli.output import JsonOption, read_file_bytes, say, show_json, show_table
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import SourceKind
from digest.domain.topics import TopicSlug
from digest.gather.opml import read_opml
from digest.gather.urls import is_http_url
from digest.runtime import open_runtime
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, get_topic
from digest.store.sources import NewSource, add_sources, get_source, list_sources, remove_source

app = typer.Typer(help="Sources: the feeds and pages articles come from.", no_args_is_help=True)


@app.command()
def add(
    newsletter: Slug,
    url: Annotated[str, typer.Argument(help="The feed's or page's address.")],
    name: Annotated[str, typer.Option(help="The name readers see. [default: the host]")] = "",
    kind: Annotated[
        SourceKind, typer.Option(help="A feed, or a page that links to articles.")
    ] = SourceKind.FEED,
    topic: Annotated[
        list[str] | None, typer.Option(help="A topic that all its articles belong to. Repeat it.")
    ] = None,
    link_pattern: Annotated[
        str, typer.Option(help="For a page: a regular expression that article links match.")
    ] = "",
) -> None:
    """Add a source to a newsletter."""
    if not is_http_url(url):
        raise InvalidInput(f"'{url}' is not an http(s) URL")
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        topics = tuple(get_topic(session, found.id, slug).slug for slug in topic or ())
        source = NewSource(name or _host(url), url, kind, topics, link_pattern)
        add_sources(session, found.id, [source], now=runtime.clock())
    say(f"Added {source.name}. See what it gives: 'digest inspect feed {url}'.")


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
        [(s.name, s.kind, s.url, s.last_error or "well") for s in sources],
        empty=f"No source yet: add one with 'digest source add {newsletter} URL'.",
    )


@app.command()
def show(newsletter: Slug, name: str, as_json: JsonOption = False) -> None:
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
        ("last poll", source.last_error or "well"),
    ]
    show_table((source.name, ""), rows, empty="")


@app.command()
def remove(newsletter: Slug, name: str) -> None:
    """Stop polling a source, given by name or address. Its articles stay."""
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        source = get_source(session, get_newsletter(session, newsletter).id, name)
        remove_source(session, source.id)
    say(f"Removed {source.name}.")


@app.command("import")
def import_(
    newsletter: Slug,
    file: Annotated[Path, typer.Argument(help="An OPML file. Its folders become topics where such exist.")],
) -> None:
    """Add the feeds of an OPML file, all or none."""
    outlines = read_opml(read_file_bytes(file), name=file.name)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        known = {source.url for source in list_sources(session, found.id)}
        fresh = [outline for outline in outlines if outline.url not in known]
        folders = {outline.folder for outline in fresh if outline.folder}
        topics = {folder: get_topic(session, found.id, _slug(folder)).slug for folder in folders}
        sources = [
            NewSource(
                outline.title or _host(outline.url),
                outline.url,
                topics=(TopicSlug(topics[outline.folder]),) if outline.folder else (),
            )
            for outline in fresh
        ]
        add_sources(session, found.id, sources, now=runtime.clock())
    say(f"Added {len(sources)} sources; {len(outlines) - len(fresh)} were there already.")


def _slug(folder: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in folder.lower()).split())
