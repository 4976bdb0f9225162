"""A parser process as the one that asks it sees it: a conversation, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
from asyncio import StreamReader, StreamWriter
from contextlib import ExitStack

from digest.gather.parsing.child import ANSWER, LENGTH, Kind
from digest.gather.parsing.forkserver import STATUS
from digest.gather.parsing.starter import Starter

_MAX_ANSWER = 64 << 20
_BUFFER = 1 << 20
_LAST_WORDS = 2_000
_END_SECONDS = 5.0


class Broken(Exception):
    """A process ended, or said what none of ours says."""


class ParserProcess:
    """One process and the conversation with it, for one event loop."""

    def __init__(self, talk: _Stream, words: _Stream, control: _Stream) -> None:
        self._from, self._to = talk
        self._words, self._control = words[1], control[1]
        self._last_words = asyncio.create_task(_end_of(words[0]))
        self._ended = asyncio.create_task(_status(control[0]))
        self._calls = 0
        self._peak_kib = self._peak_at_start = 0
        self._was_killed = False

    @classmethod
    async def started(cls, starter: Starter, *, memory_mb: int, seconds: float) -> ParserProcess:
        """Return a process that will be `ready`. Raises `OSError` when none can be started."""
        pairs = [socket.socketpair() for _ in range(3)]
        with ExitStack() as stack:
            talk, words, control = (stack.enter_context(theirs) for _, theirs in pairs)
            starter.start(talk, words, control, memory_mb=memory_mb, seconds=seconds)
        return cls(*[await asyncio.open_connection(sock=ours, limit=_BUFFER) for ours, _ in pairs])

    @property
    def is_alive(self) -> bool:
        """Whether there is no sign yet that it has ended."""
        return not (self._ended.done() or self._from.at_eof() or self._from.exception())

    @property
    def status(self) -> str:
        """What ended the process, '' when that were we or nobody can say."""
        code = self._ended.result() if self._ended.done() else None
        if self._was_killed or code is None:
            return ""
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"

    @property
    def is_orphaned(self) -> bool:
        """Whether it went with its forkserver, which is no document's fault."""
        return self._ended.done() and self._ended.result() is None

    async def is_gone(self) -> bool:
        """Whether a process that no longer speaks ends by itself: how it did is known only then."""
        if self.is_alive:
            return False
        return bool((await asyncio.wait({self._ended}, timeout=1))[0])

    @property
    def is_used(self) -> bool:
        """Whether it has read a document before."""
        return self._calls > 0

    def is_used_up(self, calls: int, memory_mb: int) -> bool:
        """Whether to replace the process: memory that one document took is seldom given back."""
        grown = self._peak_kib - self._peak_at_start
        return self._calls >= calls or grown > memory_mb * 1024 // 8

    async def ready(self) -> None:
        """Return when it waits for documents. Raises `Broken` when it never will."""
        kind, _ = await self._receive()
        if kind is not Kind.READY:
            raise Broken("nonsense")
        self._peak_at_start = self._peak_kib

    async def answer(self, request: bytes) -> tuple[Kind, bytes]:
        """Return the answer to `request`. Raises `Broken` when there comes none."""
        self._calls += 1
        try:
            self._to.write(LENGTH.pack(len(request)))
            self._to.write(request)
            await self._to.drain()
        except ConnectionError:
            pass  # what it said before it ended, or that it said nothing, is read below
        return await self._receive()

    async def _receive(self) -> tuple[Kind, bytes]:
        try:
            number, self._peak_kib, length = ANSWER.unpack(await self._from.readexactly(ANSWER.size))
            kind = Kind(number)
            if length > _MAX_ANSWER:
                raise Broken("nonsense")
            return kind, await self._from.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            raise Broken("it ended") from exc
        except (struct.error, ValueError) as exc:
            raise Broken("nonsense") from exc

    def kill(self) -> None:
        """Have the forkserver kill the process, which alone knows that its number is not yet another's."""
        self._was_killed = self.is_alive
        self._control.write_eof()
        self._to.close()

    async def closed(self) -> None:
        """Return when nothing is left of what was killed."""
        await asyncio.wait({self._ended, self._last_words}, timeout=_END_SECONDS)
        for stream in (self._control, self._words):
            stream.close()

    async def last_words(self) -> str:
        """Return the end of what the process wrote to stderr, once it is gone."""
        return await asyncio.shield(self._last_words)


_Stream = tuple[StreamReader, StreamWriter]


async def _status(control: StreamReader) -> int | None:
    """Return how the process ended, None when its forkserver ended first."""
    try:
        return int(STATUS.unpack(await control.readexactly(STATUS.size))[0])
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _end_of(stream: StreamReader) -> str:
    end = b""
    while chunk := await stream.read(1 << 16):
        end = (end + chunk)[-_LAST_WORDS:]
    return end.decode("utf-8", "replace")
