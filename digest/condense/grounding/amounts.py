"""Whether a takeaway's figure is what the article says, or an honest rounding of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from digest.condense.grounding.figures import Figure, Hedge

EXACT = 1e-6
ABOUT = 0.06
"""About: so far from the article's figure, either way, as a share of it."""
NEARLY = 0.10
"""Nearly: so far above it."""
LOOSE = 0.25
"""More than, less than: so far off that it still says something."""


def find_match(figure: Figure, sources: Iterable[Figure]) -> Figure | None:
    """Return the article's figure that bears `figure` out, None when there is none."""
    return next((source for source in sources if matches(figure, source)), None)


def matches(figure: Figure, source: Figure) -> bool:
    """Tell whether `source`, of the article, bears out `figure`, of the takeaway.

    A rounded figure needs a hedge that says in which direction it was rounded.
    """
    return any(
        _bears_out(claimed, said, figure.hedge)
        for claimed, said in _comparable(figure, source)
        if isfinite(claimed) and isfinite(said)
    )


def _comparable(figure: Figure, source: Figure) -> Iterable[tuple[float, float]]:
    """Yield pairs of readings in one unit; where one has no unit, as they are written."""
    ours, theirs = figure.unit, source.unit
    if ours.dimension == theirs.dimension:
        factors = ours.factor, theirs.factor
    elif not ours.dimension or not theirs.dimension:
        factors = 1.0, 1.0
    else:
        return
    for claimed in figure.readings:
        for said in source.readings:
            yield claimed * factors[0], said * factors[1]


def _bears_out(claimed: float, said: float, hedge: Hedge) -> bool:
    if abs(claimed - said) <= EXACT * max(abs(claimed), abs(said)):
        return True
    if not said:
        return False
    off = (claimed - said) / said
    match hedge:
        case Hedge.ABOUT:
            return abs(off) <= ABOUT
        case Hedge.NEARLY:
            return 0 < off <= NEARLY
        case Hedge.OVER:
            return -LOOSE <= off < 0
        case Hedge.UNDER:
            return 0 < off <= LOOSE
        case Hedge.EXACT:
            return False


def likeliest(figure: Figure, sources: Sequence[Figure]) -> Figure | None:
    """Return the article's figure that was probably meant: of the same kind and nearest; None for none."""
    alike = [
        source
        for source in sources
        if source.unit.dimension == figure.unit.dimension and not source.may_be_loose
    ]
    return min(alike, key=lambda source: abs(source.readings[0] - figure.readings[0]), default=None)
