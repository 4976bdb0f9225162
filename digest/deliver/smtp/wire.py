"""Bytes to replies."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from dataclasses import dataclass

from digest.deliver.answers import readable

_MAX_REPLY = 64 * 1024
_MOST_LINES = 100
"""Of a reply that are kept. All are read: what is left would be taken for the answer to the next command."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered to one command: its code, and its lines joined by a space."""

    code: int
    text: str

    @property
    def is_ok(self) -> bool:
        """Whether the server goes along: 2xx, or 354 after DATA."""
        return 200 <= self.code < 400


class Wire(asyncio.Protocol):
    """Takes over the connection that aiosmtplib opened."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._octets = 0
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_writable = True
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._lost: ConnectionError | None = None
        self._is_gone = False
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            # Without it the dot waits for the acknowledgement of the body: 40 ms a message.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether the other side still listens."""
        return self._lost is None and not self._transport.is_closing()

    def write(self, octets: bytes) -> None:
        """Send, without waiting for it to leave."""
        self._transport.write(octets)

    def allow(self, seconds: float) -> None:
        """Let what is waited for from here on take so long altogether, or raise `TimeoutError`.

        One alarm serves many steps: it is set anew when it goes off too early, and not at every step.
        """
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + seconds
        if self._alarm is None or self._alarm.when() > self._deadline:
            self._set_alarm(loop)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.call_at(self._deadline, self._go_off)

    def _go_off(self) -> None:
        self._alarm = None
        if self._waiter is None or self._waiter.done():
            return
        loop = self._waiter.get_loop()
        if loop.time() < self._deadline:
            self._set_alarm(loop)
        else:
            self._waiter.set_exception(TimeoutError("timed out"))

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        if self._alarm is None:
            self._set_alarm(loop)
        self._waiter = loop.create_future()
        await self._waiter

    async def drained(self) -> None:
        """Wait until the other side has taken most of what was written."""
        while not (self._is_writable or self._lost):
            await self._wait()
        if self._lost:
            raise self._lost

    @property
    def has_reply(self) -> bool:
        """Whether something has been said that nobody has heard yet."""
        return bool(self._replies)

    def early_reply(self) -> Reply | None:
        """Return a reply that has come already, None when there is none."""
        return self._replies.popleft() if self._replies else None

    def unread(self, reply: Reply) -> None:
        """Have a reply be the next one again."""
        self._replies.appendleft(reply)

    async def reply(self) -> Reply:
        """Return the next reply. Raises `ConnectionError` when the connection is lost before it is whole."""
        while not self._replies:
            if self._lost:
                raise self._lost
            await self._wait()
        return self._replies.popleft()

    def abort(self) -> None:
        """Hang up without flushing: what was not acknowledged is withdrawn."""
        self._lost = self._lost or ConnectionResetError("hung up")
        if not self._is_gone:
            self._transport.abort()

    def data_received(self, octets: bytes) -> None:
        """Cut what came into lines, and lines into replies."""
        self._buffer += octets
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._octets += len(line)
            self._line(line.rstrip(b"\r").decode("utf-8", "replace"))
        if self._octets + len(rest) > _MAX_REPLY:
            self._lost = self._lost or ConnectionResetError("the server's answer does not end")
            self._transport.abort()
            self._wake()

    def _line(self, line: str) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines.append(line[4:])
        if line[3:4] == "-":
            return
        digits = line[:3]
        code = int(digits) if len(digits) == 3 and digits.isascii() and digits.isdigit() else 0
        self._replies.append(Reply(code, readable(" ".join(self._lines))))
        self._lines, self._octets = [], 0
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Have whoever waits hear of it."""
        self._is_gone = True
        self._lost = self._lost or ConnectionResetError(str(exc or "the server hung up"))
        self._wake()
        if self._alarm is not None:
            self._alarm.cancel()

    def pause_writing(self) -> None:
        """Take note that the other side is slower than we are."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """Take note that it has caught up."""
        self._is_writable = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
