"""Which readers an issue is too long for: those who get some of its articles as headlines, or online only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from digest.compose.audience import audience_of
from digest.compose.steps import Pieces
from digest.domain.issues import Edition, edition_for
from digest.domain.layout import Density
from digest.domain.mail import layout_of


@dataclass(frozen=True, slots=True)
class Crowded:
    """How many editions have not room for more than headlines everywhere, and how many readers get them.

    `online_only` of these readers find some articles on the web alone.
    """

    editions: int = 0
    readers: int = 0
    online_only: int = 0


def crowded(engine: Engine, pieces: Pieces) -> Crowded:
    """Return whom the issue is too long for.

    Readers are counted only when a reader of everything would get headlines: nobody gets more than that.
    """
    outline = pieces.outline
    if not _tightest(pieces, edition_for(outline, outline.topics)):
        return Crowded()
    found = audience_of(engine, pieces).readers
    tight = {edition: tightest for edition in found if (tightest := _tightest(pieces, edition))}
    return Crowded(
        editions=len(tight),
        readers=sum(found[edition] for edition in tight),
        online_only=sum(found[edition] for edition, shown in tight.items() if None in shown),
    )


def _tightest(pieces: Pieces, edition: Edition) -> frozenset[Density | None]:
    """Return which of headlines and None (online only) the edition resorts to.

    What its readers have online since they want no more by mail is not for want of room.
    """
    layout = layout_of(pieces.rendered, edition)
    return frozenset(layout[position] for position in edition.wanted) & {Density.HEADLINE, None}
