"""Parser processes: a stranger's document is read where it can take down nothing but its reader.

Parsers in C hold threads that nobody can stop, and take the memory and now and then the life of the process
they run in. So documents are read in children that are killed at a limit and replaced. They are started as
plain programs: Celery's workers are daemonic and may not use `multiprocessing`, and a fork of a process with
threads may hang. What a child answers is read as data only, see `parsing_wire`.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

import structlog

from digest.domain.errors import Refused, Unavailable
from digest.gather.parsing.child import ANSWER, LENGTH, Kind, warm_up
from digest.gather.parsing.places import Places
from digest.gather.parsing.wire import read, read_error, return_type

log = structlog.get_logger(__name__)

SECONDS = 20.0
MEMORY_MB = 224
LARGE = 512 * 1024
"""Documents of more bytes than this are read one at a time: few are, and their trees are large."""
CALLS = 2_000
"""Documents a process reads before it is replaced: what leaks in a parser goes with it."""

_MODULE = "digest.gather.parsing.child"
_START_SECONDS = 60.0
_MAX_ANSWER = 64 << 20
_BUFFER = 1 << 20
_LAST_WORDS = 2_000

P = ParamSpec("P")
R = TypeVar("R")


class Parsers:
    """Child processes that read documents for one event loop: an asynchronous context manager.

    At most `processes` are there at once, one for each processor by default, each started when enough wait
    for it (`Places`). A document has `seconds` on the clock and `memory_mb` of its process, which holds some
    140 MB to begin with. `prepare` is called in each before its limits hold: to import, to load what is kept.
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
        self._prepare = _request(prepare, (), {})
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._is_open = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        for child in list(self._children):
            self._end(child)
        await asyncio.gather(*self._ends)

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

    async def _answer(self, child: _Child, request: bytes, subject: str) -> tuple[Kind, bytes]:
        try:
            async with asyncio.timeout(self._seconds):
                kind, payload = await child.answer(request)
        except TimeoutError as exc:
            self._end(child)
            raise Refused(f"{subject} took longer than {self._seconds:g} s to read") from exc
        except _Broken as exc:
            raise await self._why(child, subject, exc) from exc
        except BaseException:
            self._end(child)
            raise
        if kind is Kind.MEMORY or child.is_used_up(self._calls, self._memory_mb):
            self._end(child)
        else:
            self._idle.append(child)
        return kind, payload

    async def _child(self, subject: str) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            self._end(child)
        return await self._new_child(subject)

    async def _new_child(self, subject: str) -> _Child:
        try:
            child = await _Child.started(self._memory_mb, self._seconds)
        except OSError as exc:
            raise Unavailable(f"{subject} was not read: no parser process could be started ({exc})") from exc
        self._children.add(child)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await child.ready(self._prepare)
        except (TimeoutError, _Broken) as exc:
            said = await self._ended(child)
            log.error("parser.not_started", said=said)
            raise Unavailable(f"{subject} was not read: a parser process did not start; see the log") from exc
        except BaseException:
            self._end(child)
            raise
        return child

    async def _why(self, child: _Child, subject: str, broken: _Broken) -> Refused | Unavailable:
        """Return in words what ended `child` while it read."""
        await child.is_gone()
        said = await self._ended(child)
        if not self._is_open:
            return Unavailable(f"{subject} was not read: the parser processes were closed")
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

    async def _ended(self, child: _Child) -> str:
        """End `child` and return the last it said."""
        self._end(child)
        return await child.last_words()

    def _end(self, child: _Child) -> None:
        """Kill `child`, and see to it that nothing of it is left."""
        if child in self._children:
            self._children.discard(child)
            child.kill()
            task = asyncio.create_task(child.closed())
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)


class _Broken(Exception):
    """A child ended, or said what none of ours says."""


class _Child:
    """One process and the conversation with it."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise TypeError("a parser process is talked to through pipes")
        self._process, self._calls = process, 0
        self._peak_kib = self._peak_at_start = 0
        self._to, self._from = process.stdin, process.stdout
        self._last_words = asyncio.create_task(_end_of(process.stderr))
        self._was_killed = False

    @classmethod
    async def started(cls, memory_mb: int, seconds: float) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-s", "-m", _MODULE),
            *(str(os.getpid()), str(memory_mb), str(seconds)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_BUFFER,
            cwd="/",
            env=_environment(),
        )
        return cls(process)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None and not self._from.at_eof()

    @property
    def status(self) -> str:
        """What ended the process, '' when that were we."""
        code = self._process.returncode
        if self._was_killed or code is None:
            return ""
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"

    async def is_gone(self) -> bool:
        """Whether a process that no longer speaks ends by itself: how it did is known only then."""
        if self.is_alive:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 1)
        return self._process.returncode is not None

    @property
    def is_used(self) -> bool:
        """Whether it has read a document before."""
        return self._calls > 1  # the first call is to prepare

    def is_used_up(self, calls: int, memory_mb: int) -> bool:
        """Whether to replace the process: memory that one document took is seldom given back."""
        grown = self._peak_kib - self._peak_at_start
        return self._calls > calls or grown > memory_mb * 1024 // 8

    async def ready(self, prepare: bytes) -> None:
        kind, _ = await self.answer(prepare)
        if kind is not Kind.READY:
            raise _Broken("nonsense")
        self._peak_at_start = self._peak_kib

    async def answer(self, request: bytes) -> tuple[Kind, bytes]:
        """Return the answer to `request`. Raises `_Broken` when there comes none."""
        self._calls += 1
        try:
            self._to.write(LENGTH.pack(len(request)))
            self._to.write(request)
            await self._to.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # what it said before it ended, or that it said nothing, is read below
        return await self._receive()

    async def _receive(self) -> tuple[Kind, bytes]:
        try:
            number, self._peak_kib, length = ANSWER.unpack(await self._from.readexactly(ANSWER.size))
            kind = Kind(number)
            if length > _MAX_ANSWER:
                raise _Broken("nonsense")
            return kind, await self._from.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionResetError) as exc:
            raise _Broken("it ended") from exc
        except (struct.error, ValueError) as exc:
            raise _Broken("nonsense") from exc

    def kill(self) -> None:
        self._was_killed = self.is_alive
        if self._process.returncode is None:
            # Not `Process.kill`: it reaps what has just died, and asyncio's own watcher then finds nothing.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        self._to.close()

    async def closed(self) -> None:
        await self._process.wait()
        await self.last_words()

    async def last_words(self) -> str:
        """Return the end of what the process wrote to stderr, once it is gone."""
        return await asyncio.shield(self._last_words)


def available_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _environment() -> dict[str, str]:
    """Return a child's environment: where to import from, and nothing of ours that could be a secret.

    One thread for the linear algebra that a language guess needs: more would each reserve memory.
    """
    folders = [str(Path(folder).absolute()) for folder in sys.path]
    return {"PYTHONPATH": os.pathsep.join(folders), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


async def _end_of(stream: asyncio.StreamReader) -> str:
    end = b""
    while chunk := await stream.read(1 << 16):
        end = (end + chunk)[-_LAST_WORDS:]
    return end.decode("utf-8", "replace")


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
