"""A newsletter's sources as an OPML list, and back: folders are topics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count

from digest.domain.sources import Source
from digest.domain.topics import Topic, TopicSlug
from digest.gather.feeds.opml import OpmlSource
from digest.store.sources import NewSource

NAME_MAX = 200


def as_outlines(sources: Sequence[Source], topics: Sequence[Topic]) -> Iterator[OpmlSource]:
    """Yield a list's outlines: each source in the folder of its first topic, its topics as labels."""
    names = {topic.slug: topic.name for topic in topics}
    for source in sources:
        first = source.topics[0] if source.topics else None
        folder = (names[first] if _slug(names[first]) == first else first) if first else ""
        yield OpmlSource(
            source.name,
            source.url,
            folder,
            source.topics,
            source.kind,
            source.link_pattern,
            source.language or "",
            source.weight,
            source.excerpt,
        )


def as_sources(
    outlines: Sequence[OpmlSource], names: Collection[str], topics: Collection[TopicSlug]
) -> Iterator[NewSource]:
    """Yield the sources to add, none by one of `names`: those called the same get host or number added."""
    taken = set(names)
    for outline in outlines:
        title = (outline.title or host_of(outline.url))[:NAME_MAX]
        wordy = (f"{title[: NAME_MAX - 60]} ({host_of(outline.url)[:40]}{tail})" for tail in _tails())
        name = next(name for name in chain([title], wordy) if name not in taken)
        taken.add(name)
        found = [topic_of(outline.folder, topics), *(topic_of(label, topics) for label in outline.categories)]
        own = tuple(dict.fromkeys(topic for topic in found if topic))
        yield NewSource(
            name,
            outline.url,
            outline.kind,
            own,
            outline.link_pattern,
            outline.language or None,
            outline.weight,
            outline.excerpt,
        )


def topic_of(folder: str, topics: Collection[TopicSlug]) -> TopicSlug | None:
    """Return the topic a folder or label is called like: by its own name, or by the names of all above it."""
    for name in (folder, folder.rpartition(" / ")[2]):
        if _slug(name) in topics:
            return TopicSlug(_slug(name))
    return None


def host_of(url: str) -> str:
    """Return the host of an http(s) URL without its `www.`."""
    return url.split("/")[2].removeprefix("www.")


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def _tails() -> Iterator[str]:
    return chain([""], (f", {number}" for number in count(2)))
