"""`digest segment`: saved questions about a newsletter's readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from digest.cli.arguments import Slug, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, plain, say, show_json, show_record, show_table
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.measuring import LEAST
from digest.domain.segments import (
    BESIDE_WHO_READS,
    Segment,
    asks_beside_who_reads,
    asks_who_reads,
)
from digest.pipeline.managing import segments as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.edits import Field
from digest.store.issue_segments import Named, why_not
from digest.store.newsletters import get_newsletter
from digest.store.segments import get_segment, list_segments

app = new_app()

SegmentName = Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's short name.")]
Query = Annotated[
    str, typer.Option(metavar="QUERY", help="Whom it fits, as in docs/segments.md: language:de days:<30.")
]


@app.command(
    epilog=examples(
        "digest segment add harbour-week germans --query 'language:de NOT topic:sport'",
        "digest segment add harbour-week newcomers --name 'New here' --query days:<30",
        "digest segment add harbour-week berlin --query 'attribute.city:Berlin OR zone:Europe/Berlin'",
    )
)
def add(
    newsletter: Slug,
    segment: SegmentName,
    query: Query,
    name: Annotated[str, typer.Option(metavar="NAME", help="Its name; without it the short name.")] = "",
) -> None:
    """Save a question about a newsletter's readers, and say how many it fits."""
    runtime = open_runtime()
    given = {"slug": segment, "query": query, "name": name}
    added = managing.add(runtime, newsletter, given, by=decided_by(""), called=_option)
    say(f"Added segment {added.slug}: {_told(*_fitting(runtime, newsletter, added.slug))}.")


@app.command(epilog=examples("digest segment change harbour-week newcomers --query days:<60"))
def change(
    newsletter: Slug,
    segment: SegmentName,
    query: Annotated[str | None, typer.Option(metavar="QUERY", help="Whom it fits from now on.")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name.")] = None,
) -> None:
    """Change a segment; what is not named stays."""
    runtime = open_runtime()
    given = {field: value for field, value in (("query", query), ("name", name)) if value is not None}
    if not managing.change(runtime, newsletter, segment, lambda _: given, by=decided_by(""), called=_option):
        raise InvalidInput("there is nothing to change: 'digest segment show' shows how the segment stands")
    say(f"Changed segment {segment}: {_told(*_fitting(runtime, newsletter, segment))}.")


@app.command("list")
def list_(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's segments, with how many readers each fitted when they were last counted."""
    with reading(open_runtime().engine) as session:
        segments = list_segments(session, get_newsletter(session, newsletter).id)
    if as_json:
        show_json([_plain(one) for one in segments])
        return
    show_table(
        ("segment", "name", "readers", "counted", "query"),
        [(one.slug, one.name, *_counted(one), one.query) for one in segments],
        empty=f"No segment yet: add one with 'digest segment add {newsletter} NAME --query …'.",
    )


@app.command()
def show(newsletter: Slug, segment: SegmentName, as_json: JsonOption = False) -> None:
    """Count whom a segment fits now, and show it."""
    runtime = open_runtime()
    found, readers, active = _fitting(runtime, newsletter, segment)
    if as_json:
        show_json({**_plain(found), "readers": readers, "active": active})
        return
    show_record(
        found.slug,
        [("name", found.name), ("query", found.query), ("fits", _told(found, readers, active))],
    )
    if asks_who_reads(found.query):
        say(f"It asks who reads, so it names nobody{_use_of(found)}")
    else:
        say(f"'digest subscriber list {newsletter} --segment {found.slug}' lists them.")


@app.command()
def remove(newsletter: Slug, segment: SegmentName) -> None:
    """Remove a segment. Nobody's subscription changes."""
    managing.remove(open_runtime(), newsletter, segment, by=decided_by(""))
    say(f"Removed segment {segment}.")


def _option(field: str) -> str:
    """Return what a field is called on the command line."""
    return "the short name" if field == "slug" else f"--{field}"


def _fitting(runtime: Runtime, newsletter: str, segment: str) -> tuple[Segment, int, int]:
    readers, active = managing.count(runtime, newsletter, segment)
    with reading(runtime.engine) as session:
        found = get_segment(session, get_newsletter(session, newsletter).id, segment)
    return found, readers, active


def _plain(segment: Segment) -> Mapping[str, object]:
    """Return a segment for programs. With `is_coarse`, `readers` are in twenties: 0 is fewer than 20."""
    return {**plain(segment), "is_coarse": asks_who_reads(segment.query)}


def _use_of(segment: Segment) -> str:
    named = Named.of(segment)
    if asks_beside_who_reads(segment.query):
        return f", and fits nobody: {BESIDE_WHO_READS}."
    if why_not(Field.WITHOUT, named):
        return ", and no issue can leave out who reads: who reads no more is NOT opened:<30."
    return f": 'digest issue edit ISSUE --without {segment.slug}' leaves them out."


def _told(segment: Segment, readers: int, active: int) -> str:
    if asks_who_reads(segment.query):
        return f"it fits {readers:,} readers or more" if readers else f"it fits fewer than {LEAST} readers"
    if not readers:
        return "it fits nobody"
    return f"it fits {counted(readers, 'reader')}, {active:,} of them active"


def _counted(segment: Segment) -> tuple[str, str]:
    if segment.readers is None or segment.counted_at is None:
        return "", "not yet"
    readers = f"{segment.readers:,}"
    if asks_who_reads(segment.query):
        readers = f"{readers} or more" if segment.readers else f"fewer than {LEAST}"
    return readers, f"{segment.counted_at:%Y-%m-%d %H:%M}"
