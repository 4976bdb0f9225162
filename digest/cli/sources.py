"""`digest source`: the feeds and pages a newsletter is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.arguments import Slug, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, read_file_bytes, say, show_json, show_record, show_table
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.sources import Excerpt, SourceKind, SourceState
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.sources import get_source, list_sources

app = new_app()

SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name or address.")]

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
    from digest.pipeline.managing import sources as managing

    given: dict[str, object] = {
        "url": url,
        "name": name,
        "kind": kind,
        "topics": topic or (),
        "link_pattern": link_pattern,
        "language": language,
        "weight": weight,
        "excerpt": excerpt,
    }
    added = managing.add(open_runtime(), newsletter, given, by=decided_by(""), called=_option)
    look = f"'digest gather {newsletter}'" if kind is SourceKind.PAGE else f"'digest inspect feed {url}'"
    was = " It was a source before, and has its articles again." if added.again else ""
    say(f"Added {added.name}.{was} See what it gives: {look}.")


def _option(field: str) -> str:
    """Return what a field is called on the command line."""
    return "--topic" if field == "topics" else f"--{field.replace('_', '-')}"


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
    from digest.pipeline.managing import sources as managing

    given: dict[str, object] = {
        "name": new_name or None,
        "url": url or None,
        "topics": topic,
        "link_pattern": link_pattern,
        "language": language,
        "weight": weight,
        "excerpt": excerpt,
    }
    wanted = {field: value for field, value in given.items() if value is not None}
    if not wanted:
        raise InvalidInput("nothing to change: name what is to be, such as --weight 2")
    called = managing.change(
        open_runtime(), newsletter, name, lambda _: wanted, by=decided_by(""), called=_option
    )
    say(f"Changed {called}.")


@app.command()
def pause(newsletter: Slug, name: SourceName) -> None:
    """Poll a source no more for now. Its articles stay."""
    _set_state(newsletter, name, SourceState.PAUSED)


@app.command()
def resume(newsletter: Slug, name: SourceName) -> None:
    """Poll a source again that was paused, or that its server had called gone."""
    _set_state(newsletter, name, SourceState.ACTIVE)


def _set_state(newsletter: str, name: str, state: SourceState) -> None:
    from digest.pipeline.managing import sources as managing

    source = managing.set_state(open_runtime(), newsletter, name, state, by=decided_by(""))
    say(f"{source.name} is {state}." if source.state is not state else f"{source.name} was {state} already.")


@app.command()
def remove(newsletter: Slug, name: SourceName) -> None:
    """Do without a source, given by name or address. Its articles stay, under its name and on its terms."""
    from digest.pipeline.managing import sources as managing

    source = managing.remove(open_runtime(), newsletter, name, by=decided_by(""))
    say(f"Removed {source.name}. Articles it brought go by its name and are used as before.")


@app.command("import", epilog=examples("digest source import harbour-week feeds.opml"))
def import_(
    newsletter: Slug,
    file: Annotated[Path, typer.Argument(metavar="FILE.opml", help="A list of feeds as readers export it.")],
) -> None:
    """Add the feeds of an OPML file. An outline that cannot be read is named and left out.

    A folder or category that is called like a topic gives that topic to its feeds.
    """
    from digest.pipeline.managing import sources as managing

    imported = managing.import_list(
        open_runtime(), newsletter, read_file_bytes(file), file=file.name, by=decided_by("")
    )
    were = "was" if len(imported.known) == 1 else "were"
    say(f"Added {counted(len(imported.added), 'source')}; {len(imported.known)} {were} there already.")
    for problem in imported.problems[:_PROBLEMS_MOST]:
        say(f"Left out: {file.name} {problem}.")
    if len(imported.problems) > _PROBLEMS_MOST:
        say(f"… and {counted(len(imported.problems) - _PROBLEMS_MOST, 'more outline')} that cannot be read.")
    for folder in imported.loose:
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
    from digest.pipeline.managing import sources as managing

    written, count = managing.export_list(open_runtime(), newsletter)
    if output is None:
        typer.echo(written, nl=False)
        return
    try:
        output.write_bytes(written)
    except OSError as exc:
        raise InvalidInput(f"{output} cannot be written: {exc.strerror or exc}") from exc
    say(f"Wrote {counted(count, 'source')} to {output}.")


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
    from digest.pipeline.managing import sources as managing

    found = managing.search(open_runtime(), site)
    if as_json:
        show_json(found)
        return
    show_table(COLUMNS, map(row_of, found), empty="")
    say()
    for candidate in found:
        say(how_to_add(candidate, newsletter))
