"""Parser processes: a stranger's document is read where it can take down nothing but its reader.

Parsers in C hold threads that nobody can stop, and take the memory and now and then the life of the process
they run in. So documents are read in children that are killed at a limit and replaced. They are forks of a
plain program of its own (`starter`): Celery's workers are daemonic and may not use `multiprocessing`, and a
fork of a process with threads may hang. What a child answers is read as data only, see `wire`.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import ParamSpec, Self, TypeVar

import structlog

from digest.domain.errors import Refused, Unavailable
from digest.gather.parsing.child import Kind, warm_up
from digest.gather.parsing.places import Places
from digest.gather.parsing.process import Broken, ParserProcess
from digest.gather.parsing.starter import starter
from digest.gather.parsing.wire import read, read_error, return_type

log = structlog.get_logger(__name__)

SECONDS = 20.0
MEMORY_MB = 224
LARGE = 512 * 1024
"""Documents of more bytes than this are read one at a time: few are, and their trees are large."""
CALLS = 2_000
"""Documents a process reads before it is replaced: what leaks in a parser goes with it."""

_START_SECONDS = 60.0

P = ParamSpec("P")
R = TypeVar("R")


class Parsers:
    """Child processes that read documents for one event loop: an asynchronous context manager.

    At most `processes` are there at once, one for each processor by default, each started when enough wait
    for it (`Places`). A document has `seconds` on the clock and `memory_mb` of its process, which holds some
    140 MB to begin with, most of it shared. `prepare` is called where they are forked from, so once for all:
    to import, to load what is kept.
    """

    def __init__(
        self,
        *,
        processes: int | None = None,
        seconds: float = SECONDS,
        memory_mb: int = MEMORY_MB,
        calls: int = CALLS,
        prepare: Callable[[], object] = warm_up,
    ) -> None:
        self._places = Places(processes or available_processors())
        self._seconds = seconds
        self._large = asyncio.Lock()
        self._memory_mb = memory_mb
        self._calls = calls
        self._starter = starter(pickle.dumps(prepare))
        self._idle: list[ParserProcess] = []
        self._children: set[ParserProcess] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._is_open = True

    async def __aenter__(self) -> Self:
        self._starter.hold()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        try:
            for child in list(self._children):
                self._end(child)
            await asyncio.gather(*self._ends)
        finally:
            self._starter.release()

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return `function(*args, **kwargs)` as a process of its own worked it out.

        `function` is of a module, not of another function or an object; its arguments can be pickled; what it
        says it returns is something `wire.codec_of` knows. Calls are taken up in the order they came, large
        ones in an order of their own. A cancelled call ends its process.

        Raises what `function` raises of our errors, attributes and all; `Refused` when the document took too
        long, too much memory, or brought the process down; `Unavailable` when none could be started. All name
        the document by the argument `url`, or by that attribute of the first.
        """
        hint = return_type(function)
        subject = _subject(args, kwargs)
        _request(function, (), {})  # what cannot cross is told at once
        async with self._large if _size(args) > LARGE else nullcontext(), self._places:
            if not self._is_open:
                raise Unavailable(f"{subject} was not read: the parser processes are closed")
            # Not before its turn: those that wait need not be held twice.
            request = _request(function, args, kwargs)
            child = await self._child(subject)
            was_used = child.is_used
            kind, payload = await self._answer(child, request, subject)
            if kind is Kind.MEMORY and was_used:
                # What earlier documents left behind may have been in its way: a new process decides.
                kind, payload = await self._answer(await self._new_child(subject), request, subject)
        return self._value(kind, payload, hint, subject)  # type: ignore[return-value]

    async def _answer(self, child: ParserProcess, request: bytes, subject: str) -> tuple[Kind, bytes]:
        try:
            async with asyncio.timeout(self._seconds):
                kind, payload = await child.answer(request)
        except TimeoutError as exc:
            self._end(child)
            raise Refused(f"{subject} took longer than {self._seconds:g} s to read") from exc
        except Broken as exc:
            raise await self._why(child, subject, exc) from exc
        except BaseException:
            self._end(child)
            raise
        if kind is Kind.MEMORY or child.is_used_up(self._calls, self._memory_mb):
            self._end(child)
        else:
            self._idle.append(child)
        return kind, payload

    async def _child(self, subject: str) -> ParserProcess:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            self._end(child)
        return await self._new_child(subject)

    async def _new_child(self, subject: str) -> ParserProcess:
        try:
            child = await ParserProcess.started(
                self._starter, memory_mb=self._memory_mb, seconds=self._seconds
            )
        except OSError as exc:
            raise Unavailable(f"{subject} was not read: no parser process could be started ({exc})") from exc
        self._children.add(child)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await child.ready()
        except (TimeoutError, Broken) as exc:
            if isinstance(exc, TimeoutError):
                self._starter.close()  # it hangs
            said = await self._ended(child)
            log.error("parser.not_started", said=said)
            raise Unavailable(f"{subject} was not read: a parser process did not start; see the log") from exc
        except BaseException:
            self._end(child)
            raise
        return child

    async def _why(self, child: ParserProcess, subject: str, broken: Broken) -> Refused | Unavailable:
        """Return in words what ended `child` while it read."""
        await child.is_gone()
        said = await self._ended(child)
        if not self._is_open:
            return Unavailable(f"{subject} was not read: the parser processes were closed")
        if child.is_orphaned:
            log.error("parser.not_started", said=said)
            return Unavailable(f"{subject} was not read: what starts the parser processes ended")
        log.warning("parser.died", document=subject, reason=str(broken), status=child.status, said=said)
        return Refused(f"{subject} could not be read: it brought down our reader ({child.status or broken})")

    def _value(self, kind: Kind, payload: bytes, hint: object, subject: str) -> object:
        try:
            match kind:
                case Kind.VALUE:
                    return read(payload, hint)
                case Kind.ERROR:
                    error = read_error(payload)
                case Kind.MEMORY:
                    error = Refused(f"{subject} needs more than {self._memory_mb} MB to read")
                case _:
                    fault = payload.decode("utf-8", "replace")
                    log.error("parser.fault", document=subject, traceback=fault)
                    error = Refused(f"{subject} could not be read: {_told(fault)}")
        except ValueError as exc:
            log.error("parser.lied", document=subject, reason=str(exc))
            error = Refused(f"{subject} could not be read: our reader answered with nonsense")
        raise error

    async def _ended(self, child: ParserProcess) -> str:
        """End `child` and return the last it said."""
        self._end(child)
        return await child.last_words()

    def _end(self, child: ParserProcess) -> None:
        """Kill `child`, and see to it that nothing of it is left."""
        if child in self._children:
            self._children.discard(child)
            child.kill()
            task = asyncio.create_task(child.closed())
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)


def available_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _request(function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> bytes:
    return pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)


def _size(args: tuple[object, ...]) -> int:
    """Return the bytes of a document: itself, or the body of what was fetched."""
    document = args[0] if args else b""
    body = getattr(document, "body", document)
    return len(body) if isinstance(body, bytes) else 0


def _subject(args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """Return what to call the document in words."""
    named = kwargs.get("url") or getattr(args[0] if args else None, "url", None)
    return named if isinstance(named, str) else "the document"


def _told(fault: str) -> str:
    """Return which error a traceback ends with, for people."""
    name = fault.rstrip().rpartition("\n")[2].partition(":")[0].rpartition(".")[2]
    name = name if name.isidentifier() else "an unknown fault"
    return f"it brought down our reader ({name}); see the log"
