"""Why a reader gets each article of an issue or does not, also one who is nobody in particular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.address.decide import ItemReason, Reading, item_reasons
from digest.address.explain import Told, explain
from digest.compose.steps import Pieces
from digest.domain.issues import edition_for
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_topic, list_topics


@dataclass(frozen=True, slots=True)
class Reasons:
    """The articles of an issue in its order, and why each is in a reader's mail or not.

    `verdict` follows `email` in a sentence on whether they get the issue at all; both are '' for nobody.
    """

    items: tuple[ItemReason, ...]
    email: str = ""
    verdict: str = ""


def reasons_for(runtime: Runtime, pieces: Pieces, *, email: str = "", topics: Sequence[str] = ()) -> Reasons:
    """Return the reasons for a subscriber, a new reader of `topics` or, with neither, of everything.

    Raises `NotFound` for an unknown subscriber or topic.
    """
    if email:
        told = Told(pieces.outline, pieces.rendered.titles, pieces.addresses, pieces.sources)
        found = explain(runtime.engine, pieces.issue.id, email, told=told, now=runtime.clock())
        return Reasons(found.items, found.email, found.verdict)
    with reading(runtime.engine) as session:
        named = [get_topic(session, pieces.newsletter.id, slug).slug for slug in topics]
        names = {topic.slug: topic.name for topic in list_topics(session, pieces.newsletter.id)}
    follows = frozenset(named or names)
    reader = Reading(edition_for(pieces.outline, follows), follows)
    return Reasons(item_reasons(pieces.outline, pieces.rendered.titles, reader, names))
