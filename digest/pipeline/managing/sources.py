"""Sources as editors keep them: found, added, changed, paused, removed, tried, and carried as lists."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, InvalidInput, NotFound, Unavailable, Unfit
from digest.domain.newsletters import Newsletter
from digest.domain.sources import Excerpt, Source, SourceId, SourceKind, SourceState
from digest.domain.topics import TopicSlug
from digest.gather.feeds.opml import OpmlSource, read_opml, write_opml
from digest.gather.polled import Polled
from digest.gather.steps import Patience
from digest.gather.urls import address_key, given_url
from digest.pipeline.managing.given import (
    Given,
    Reader,
    language_tag,
    number,
    on_a_line,
    one_of,
    read_given,
    required,
    within,
)
from digest.pipeline.managing.newsletters import differences
from digest.pipeline.managing.source_lists import as_outlines, as_sources, host_of, topic_of
from digest.pipeline.polling import coming_since, poll
from digest.runtime import Runtime
from digest.store.audit import record
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

Propose = Callable[[Source], Given]
"""Says what is to change of the source as it stands, in the transaction that changes it."""

WEIGHTS = (0.1, 10.0)
NAME_MAX, URL_MAX, PATTERN_MAX = 200, 2000, 500
PATIENCE = Patience(run=40.0, source=35.0)
"""How long somebody who watches waits for a poll."""
SEARCH_SECONDS = 45.0

Which = str | SourceId
"""A source by its name, its address or its number."""


@dataclass(frozen=True, slots=True)
class Added:
    """A source that was added; `again` when it had been one before, whose articles are its own again."""

    name: str
    kind: SourceKind
    again: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list: sources `added` and `known` already, `problems` of its lines, `loose` folders.

    A loose folder is called like no topic, so that its sources have none of their own.
    """

    added: tuple[str, ...]
    known: tuple[str, ...]
    problems: tuple[str, ...]
    loose: tuple[str, ...]


def add(runtime: Runtime, slug: str, given: Given, *, by: str, called: Callable[[str], str] = str) -> Added:
    """Add a source. Raises `Unfit`, and `Conflict` for an address or name that is there already."""
    values = read_given({"url": "", "name": "", **given}, READERS, called)
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        _check_topics(session, newsletter, values)
        url = str(values["url"])
        taken = _names_of_others(sources_ever(session, newsletter.id), [url])
        values["name"] = values["name"] or _free_name(url, taken)
        source = NewSource(**values)  # type: ignore[arg-type]
        again = add_sources(session, newsletter.id, [source], now=now, key=address_key)
        _condense_anew(session, newsletter, again, now)
        record(session, by=by, what="source.added", about=f"{slug}: {source.name}", detail=url, now=now)
    return Added(source.name, source.kind, again=bool(again))


def change(
    runtime: Runtime,
    slug: str,
    which: Which,
    propose: Propose,
    *,
    by: str,
    called: Callable[[str], str] = str,
) -> str:
    """Change what `propose` names of a source, and return its name then; what is as it was is no change.

    Its articles of this week are condensed anew. Raises `Unfit`, `NotFound` and `Conflict`.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        source = find(session, newsletter, which)
        values = read_given(propose(source), READERS, called)
        _check_topics(session, newsletter, values)
        wanted = {field: value for field, value in values.items() if value != getattr(source, field)}
        if not wanted.get("name", source.name):
            raise Unfit({"name": f"{called('name')} is empty"})
        if not wanted:
            return source.name
        if "url" in wanted:
            _refuse_twin(source, str(wanted["url"]), list_sources(session, newsletter.id))
        change_source(session, source.id, **_columns(wanted))
        forget_condensed(session, newsletter.id, since=coming_since(newsletter, now))
        session.expire_all()
        changed = find(session, newsletter, source.id)
        detail = differences(texts_of(source), texts_of(changed))
        record(session, by=by, what="source.changed", about=f"{slug}: {source.name}", detail=detail, now=now)
    return changed.name


def set_state(runtime: Runtime, slug: str, which: Which, state: SourceState, *, by: str) -> Source:
    """Pause a source or have it polled again, and return it as it was."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        source = find(session, newsletter, which)
        if source.state is not state:
            change_source(session, source.id, state=state)
            what = "source.paused" if state is SourceState.PAUSED else "source.resumed"
            record(session, by=by, what=what, about=f"{slug}: {source.name}", now=now)
    return source


def remove(runtime: Runtime, slug: str, which: Which, *, by: str) -> Source:
    """Do without a source. Its articles stay, under its name and on its terms."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        source = find(session, newsletter, which)
        remove_source(session, source.id)
        record(session, by=by, what="source.removed", about=f"{slug}: {source.name}", now=now)
    return source


def find(session: Session, newsletter: Newsletter, which: Which) -> Source:
    """Return a source. Raises `NotFound`."""
    if isinstance(which, str):
        return get_source(session, newsletter.id, which)
    for source in list_sources(session, newsletter.id):
        if source.id == which:
            return source
    raise NotFound(f"{newsletter.name} has no source of that number: somebody may have removed it")


def import_list(runtime: Runtime, slug: str, body: bytes, *, file: str, by: str) -> Imported:
    """Add the sources of an OPML file. Raises `InvalidInput` when it cannot be read: nothing is added."""
    listed = read_opml(body, name=file)
    now = runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug, to_change=True)
        topics = {topic.slug for topic in list_topics(session, newsletter.id)}
        addresses = {address_key(source.url) for source in list_sources(session, newsletter.id)}
        fresh = [outline for outline in listed.sources if address_key(outline.url) not in addresses]
        known = [outline for outline in listed.sources if address_key(outline.url) in addresses]
        taken = _names_of_others(sources_ever(session, newsletter.id), [outline.url for outline in fresh])
        new = list(as_sources(fresh, taken, topics))
        again = add_sources(session, newsletter.id, new, now=now, key=address_key)
        _condense_anew(session, newsletter, again, now)
        if new:
            names = "\n".join(source.name for source in new)
            record(session, by=by, what="source.imported", about=f"{slug}: {file}", detail=names, now=now)
    return Imported(
        added=tuple(source.name for source in new),
        known=tuple(outline.title or outline.url for outline in known),
        problems=tuple(listed.problems),
        loose=tuple(sorted(_loose(fresh, topics))),
    )


def export_list(runtime: Runtime, slug: str) -> tuple[bytes, int]:
    """Return the sources as an OPML file, and how many they are. Raises `InvalidInput` when there is none."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        sources, topics = list_sources(session, newsletter.id), list_topics(session, newsletter.id)
    if not sources:
        raise InvalidInput(f"{slug} has no source to export: add one with 'digest source add'")
    return write_opml(as_outlines(sources, topics), title=newsletter.name), len(sources)


def search(runtime: Runtime, site: str) -> tuple[Candidate, ...]:
    """Return the feeds and sitemaps of a site, the best first. Nothing is stored.

    Raises `InvalidInput`, which says what was tried, and `Unavailable` for a site that takes too long.
    """
    from digest.gather.feeds.discovery import find_feeds

    async def found() -> tuple[Candidate, ...]:
        async with (
            asyncio.timeout(SEARCH_SECONDS),
            runtime.fetcher() as fetcher,
            runtime.parsers() as parsers,
        ):
            return await find_feeds(site, fetcher, parse=parsers.call, now=runtime.clock())

    try:
        return asyncio.run(found())
    except TimeoutError as exc:
        raise Unavailable(
            f"{site} takes too long to answer: try again, or give its feed's own address"
        ) from exc


def try_now(runtime: Runtime, slug: str, which: Which) -> Polled:
    """Poll one source at once, as a background poll would, and return how that went."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        source = find(session, newsletter, which)
    since = {newsletter.id: coming_since(newsletter, runtime.clock())}
    (polled,) = poll(runtime, runtime.engine, [source], since, patience=PATIENCE)
    return polled


def texts_of(source: Source) -> dict[str, str]:
    """Return each field as a person would type it, and `change` would read it."""
    return {
        "name": source.name,
        "url": source.url,
        "topics": "\n".join(source.topics),
        "link_pattern": source.link_pattern,
        "language": source.language or "",
        "weight": f"{source.weight:g}",
        "excerpt": source.excerpt.value,
    }


def _condense_anew(session: Session, newsletter: Newsletter, again: Collection[str], now: datetime) -> None:
    """Have the coming articles condensed anew when sources came back: perhaps on other terms."""
    if again:
        forget_condensed(session, newsletter.id, since=coming_since(newsletter, now))


def _check_topics(session: Session, newsletter: Newsletter, values: dict[str, object]) -> None:
    named: Iterable[str] = values.get("topics", ())  # type: ignore[assignment]
    try:
        for topic in named:
            get_topic(session, newsletter.id, topic)
    except NotFound as exc:
        raise Unfit({"topics": str(exc)}) from exc


def _names_of_others(ever: Collection[Source], urls: Iterable[str]) -> set[str]:
    """Return the names of all sources but those that were removed and are added again, at one of `urls`.

    A name that no person chose for a source must not make it another one that was called so.
    """
    again = {address_key(url) for url in urls}
    return {
        source.name
        for source in ever
        if source.state is not SourceState.REMOVED or address_key(source.url) not in again
    }


def _free_name(url: str, taken: Collection[str]) -> str:
    """Return the host or, when another source is called that, the address without its scheme."""
    return host_of(url) if host_of(url) not in taken else url.partition("://")[2][:NAME_MAX]


def _refuse_twin(source: Source, url: str, sources: Collection[Source]) -> None:
    for other in sources:
        if other.id != source.id and address_key(other.url) == address_key(url):
            raise Conflict(f"{url} is a source already, as '{other.name}' ({other.url}); nothing was changed")


def _loose(outlines: Iterable[OpmlSource], topics: Collection[TopicSlug]) -> set[str]:
    return {one.folder for one in outlines if one.folder and topic_of(one.folder, topics) is None}


def _columns(values: dict[str, object]) -> dict[str, object]:
    columns = dict(values)
    if "topics" in columns:
        columns["topics"] = list(values["topics"])  # type: ignore[call-overload]
    return columns


def _name(value: object, called: str) -> str:
    return within(on_a_line(str(value), called), called, limit=NAME_MAX)


def _url(value: object, called: str) -> str:
    return within(given_url(required(str(value), called, limit=URL_MAX)), "the address", limit=URL_MAX)


def _pattern(value: object, called: str) -> str:
    pattern = within(str(value).strip(), called, limit=PATTERN_MAX)
    try:
        re.compile(pattern)
    except re.error as exc:
        raise InvalidInput(f"{called} '{pattern}' is not a regular expression: {exc}") from exc
    return pattern


def _topics(value: object, _called: str) -> tuple[str, ...]:
    named: Iterable[str] = value.split("\n") if isinstance(value, str) else value  # type: ignore[assignment]
    return tuple(dict.fromkeys(topic.strip() for topic in named if topic.strip()))


READERS: dict[str, Reader] = {
    "name": _name,
    "url": _url,
    "kind": one_of(SourceKind),
    "topics": _topics,
    "link_pattern": _pattern,
    "language": lambda value, called: language_tag(str(value).strip(), called) or None,
    "weight": lambda value, called: number(value, called, WEIGHTS),
    "excerpt": one_of(Excerpt),
}
"""How each field is read."""
