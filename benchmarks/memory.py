"""How much memory a process and its children hold, watched from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path


def peak_mb(pid: int, *, until: Callable[[], object]) -> float:
    """Return the most MB that `pid` and its descendants held together until `until` is true.

    `until` is asked again and again, and has to wait a little each time: that sets how often is looked.
    """
    peak = 0.0
    while not until():
        peak = max(peak, sum(map(_proportional_kib, _family(pid))) / 1024)
    return peak


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(task).split():
            yield from _family(int(child))


def _proportional_kib(pid: int) -> int:
    """Return what a process holds, pages that it shares divided by who shares them."""
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except OSError:
        return ""  # it ended meanwhile
