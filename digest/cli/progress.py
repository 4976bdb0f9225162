"""How a long command shows that it gets on, and how Ctrl-C stops it without harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from digest.cli.output import warn
from digest.domain.schedules import Stage

if TYPE_CHECKING:
    from digest.domain.deliveries import Outcome
    from digest.gather.polled import Polled


class Bar:
    """A run's progress, drawn: one line a stage.

    Until mail leaves, Ctrl-C simply ends the command. From then on the first one asks the send to stop:
    what is under way ends, the rest stays pending. The second ends the command at once.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: Any = None
        self._stop = threading.Event()
        self._before: dict[signal.Signals, Any] = {}
        self._signal = 0

    def begin(self, stage: Stage, total: int | None = None) -> None:
        """Draw a new line."""
        self._task = self._progress.add_task(stage.value, total=total)
        if stage is Stage.SEND:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)

    def step(self, what: Polled | Outcome | None = None) -> None:  # noqa: ARG002
        """Move the line on."""
        self._progress.advance(self._task)

    def should_stop(self) -> bool:
        """Whether somebody asked the send to stop."""
        return self._stop.is_set()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():
            signal.default_int_handler(number, frame)
        self._signal = number
        self._stop.set()
        warn("Stopping: the mails under way end first. Once more stops at once.")

    def end(self) -> None:
        """Let signals do again what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def leave_if_stopped(self) -> None:
        """End the command with the signal's exit code when a signal stopped the send."""
        if self._signal:
            raise typer.Exit(128 + self._signal)


class Count:
    """How far a command has come through something long, drawn: one line for each part of it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: Any = None

    def begin(self, what: str, total: int | None = None) -> None:
        """Draw a new line."""
        self._task = self._progress.add_task(what, total=total)

    def step(self, count: int) -> None:
        """Move the line on."""
        self._progress.advance(self._task, count)


@contextmanager
def counting() -> Iterator[Count]:
    """Give a count that is drawn on standard error, where that is a terminal."""
    with _drawn() as progress:
        yield Count(progress)


@contextmanager
def _drawn() -> Iterator[Progress]:
    console = Console(stderr=True, highlight=False)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        yield progress


@contextmanager
def watching() -> Iterator[Bar]:
    """Give a watch that draws progress on standard error, where that is a terminal."""
    with _drawn() as progress:
        bar = Bar(progress)
        try:
            yield bar
        finally:
            bar.end()
