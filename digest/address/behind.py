"""What is done behind the back of who goes on with the next."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Behind:
    """A thread that does one thing while the one who asked for it makes ready the next, as a context.

    So no more than two are in memory, and what the thread works with, as a session, is its own until
    `wait` returns. Leaving the context waits for what is under way. What it raised is raised by the next
    `start` or `wait`, or by leaving when nothing else was raised.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._under_way: Future[None] | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin this once what is under way is done, and return at once."""
        self.wait()
        self._under_way = self._thread.submit(work)

    def wait(self) -> None:
        """Return when nothing is under way any more."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._thread.shutdown()
