"""Charts as shapes for a template: drawn on the server, with a table beneath that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 180
_GAP = 0.25
"""Of a bar's room, what is left free between it and the next."""

_FEW = 8
"""So few bars are as wide as these would be: a single one is no wall."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a bar, in units of the drawing. `look` names its colour."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Group:
    """What stands at one place of the axis: its name, and how much of each kind."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart: what is drawn, and as a table what it says. `top` is the number at the top of the axis."""

    title: str
    kinds: tuple[str, ...]
    looks: tuple[str, ...]
    groups: tuple[Group, ...]
    bars: tuple[Bar, ...]
    top: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars


@dataclass(frozen=True, slots=True)
class Row:
    """A name, how much of it, and how long its bar is in hundredths of the longest."""

    name: str
    value: int
    length: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """A table whose rows have bars: what there is most of first, or in an order of their own.

    `called` heads the names. `left_out` rows of least are not shown, of `rest` in all.
    """

    title: str
    called: str
    rows: tuple[Row, ...]
    left_out: int = 0
    rest: int = 0


RANKS = 15
"""Rows of a ranking: those after them say little."""


def ranked(
    title: str, called: str, values: Mapping[str, int], *, in_order: Sequence[str] | None = None
) -> Ranking:
    """Return a ranking of these values, the largest first, or in this order. What is 0 is not shown."""
    names = in_order or sorted(values, key=lambda name: (-values[name], name))
    wanted = [name for name in names if values[name]]
    most = max(values.values(), default=0)
    rows = tuple(Row(name, values[name], round(100 * values[name] / most, 1)) for name in wanted[:RANKS])
    rest = wanted[RANKS:]
    return Ranking(title, called, rows, len(rest), sum(values[name] for name in rest))


def stacked(title: str, kinds: Sequence[str], looks: Sequence[str], groups: Sequence[Group]) -> Chart:
    """Return bars whose parts stand on one another, the first kind below."""
    most = max((sum(group.values) for group in groups), default=0)
    bars: list[Bar] = []
    room = WIDTH / max(_FEW, len(groups))
    for place, group in enumerate(groups):
        base = 0.0
        for kind, look, value in zip(kinds, looks, group.values, strict=True):
            if not value:
                continue
            height = HEIGHT * value / most
            bars.append(
                Bar(
                    round(room * (place + _GAP / 2), 1),
                    round(HEIGHT - base - height, 1),
                    round(room * (1 - _GAP), 1),
                    round(max(height, 1.0), 1),
                    look,
                    f"{group.name}: {value:,} {kind}",
                )
            )
            base += height
    return Chart(title, tuple(kinds), tuple(looks), tuple(groups), tuple(bars), f"{most:,}")
