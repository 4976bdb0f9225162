"""What readers want less of: topics muted for a while, one article of a topic, nothing of a source."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from digest.domain.topics import TopicSlug

MUTED_FOR = timedelta(days=30)
"""So long a topic counts as not followed once its reader muted it."""

SOURCE_MAX = 200
"""Characters by which a source is known here: what a mail prints as its name."""


def source_key(name: str) -> str:
    """Return by what a source is known whose name a mail prints."""
    return " ".join(name.split())[:SOURCE_MAX]


@dataclass(frozen=True, slots=True)
class Less:
    """What a reader wants less of.

    Topics that are `muted` count as not followed, of each of `single` a mail holds its best article at most,
    and of `sources`, by their `source_key`, none. An article counts for the topic it stands under.
    """

    muted: frozenset[TopicSlug] = frozenset()
    single: frozenset[TopicSlug] = frozenset()
    sources: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether they want less of anything."""
        return bool(self.muted or self.single or self.sources)

    def unwanted(self, sources: Sequence[str]) -> frozenset[int]:
        """Return which articles of an issue they do not want, by these names of their sources."""
        if not self.sources:
            return frozenset()
        return frozenset(at for at, name in enumerate(sources) if source_key(name) in self.sources)

    def wanted(self, follows: Collection[TopicSlug]) -> frozenset[TopicSlug]:
        """Return the topics they follow and have not muted."""
        return frozenset(follows) - self.muted


NOTHING_LESS = Less()
