"""The editions an issue's readers get, and how many readers get each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from digest.compose.steps import Pieces
from digest.domain.issues import Edition, edition_for
from digest.store.audiences import count_follows
from digest.store.database import reading
from digest.store.deliveries import count_by_edition
from digest.store.newsletters import topic_ids


@dataclass(frozen=True, slots=True)
class Audience:
    """How many readers get each edition, and how many get none though they follow topics."""

    readers: Mapping[Edition, int]
    nothing_followed: int = 0


def audience_of(engine: Engine, pieces: Pieces) -> Audience:
    """Return who gets what: as the issue was addressed, or as readers follow its topics now."""
    with reading(engine) as session:
        if pieces.issue.sending_at is not None:
            sent = count_by_edition(session, pieces.issue.id)
            return Audience({Edition.from_key(key): count for key, count in sent.items()})
        topics = topic_ids(session, pieces.newsletter.id)
        mixes = count_follows(session, pieces.newsletter.id, topics)
    found: dict[Edition, int] = {}
    nothing_followed = 0
    for mask, readers in mixes.items():
        edition = edition_for(pieces.outline, {topic for bit, topic in enumerate(topics) if mask >> bit & 1})
        if edition.sections:
            found[edition] = found.get(edition, 0) + readers
        elif mask:
            nothing_followed += readers
    return Audience(found, nothing_followed)
