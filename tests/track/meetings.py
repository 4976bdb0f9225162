"""Two transactions that come to each other's rows: one stands still until the other waits for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import ModuleType

import pytest
from sqlalchemy import Engine, text

from tests.waiting import PATIENCE, wait_until


def meet(
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    at: tuple[ModuleType, str],
    first: Callable[[], object],
    second: Callable[[], object],
) -> None:
    """Have `first` stand still behind the function `at` until `second` waits for a row, or is done.

    Both are to end: of two that wait for each other PostgreSQL ends one, which then raises.
    """
    module, name = at
    goes_on = getattr(module, name)
    is_there, is_over = Event(), Event()

    def slowly(*args: object, **named: object) -> object:
        found = goes_on(*args, **named)
        if not is_there.is_set():
            is_there.set()
            wait_until(lambda: is_over.is_set() or _somebody_waits(engine))
        return found

    def meanwhile() -> None:
        try:
            assert is_there.wait(PATIENCE)
            second()
        finally:
            is_over.set()

    monkeypatch.setattr(module, name, slowly)
    with ThreadPoolExecutor(2) as threads:
        both = threads.submit(first), threads.submit(meanwhile)
        for one in both:
            one.result(PATIENCE)


def _somebody_waits(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
