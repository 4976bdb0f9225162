"""How long pieces of work take, told to whoever listens: nobody, unless settings name a collector."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, Unpack

from digest.telemetry.facts import Facts


class Span(Protocol):
    """A piece of work under way."""

    def note(self, **facts: Unpack[Facts]) -> None:
        """Tell more of it."""

    def rename(self, name: str) -> None:
        """Call it otherwise: what it is may only turn out while it goes on."""


class Tracer(Protocol):
    """Takes note of pieces of work."""

    def span(self, name: str, *, serves: bool, facts: Facts) -> AbstractContextManager[Span]:
        """Return a piece of work that begins and ends with the context; `serves` says that somebody waits."""


class _Unheard:
    def note(self, **facts: Unpack[Facts]) -> None:
        pass

    def rename(self, name: str) -> None:
        pass


_UNHEARD = nullcontext[Span](_Unheard())
_tracer: Tracer | None = None


def unheard() -> AbstractContextManager[Span]:
    """Return a piece of work that nobody is told of."""
    return _UNHEARD


def listen(tracer: Tracer | None) -> None:
    """Have what follows told to `tracer`, None for nobody."""
    global _tracer
    _tracer = tracer


def span(name: str, *, serves: bool = False, **facts: Unpack[Facts]) -> AbstractContextManager[Span]:
    """Return a piece of work that begins and ends with the context: a microsecond where nobody listens."""
    return _UNHEARD if _tracer is None else _tracer.span(name, serves=serves, facts=facts)
