"""The least a sender can do: one finished message over pipelined conversations, nothing recorded or personal.

What it reaches against a sink is what the sink, the kernel and Python leave to be reached on this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import cast
from urllib.parse import urlsplit

from benchmarks.workers import Prepared, side_by_side

_END = b".\r\n"


def bare_messages_per_s(url: str, message: bytes, readers: int, *, workers: int, sessions: int) -> float:
    """Send `message` to `readers` addresses and return messages a second, over all `workers` processes.

    `message` has CRLF line ends, ends in one, and no line of it begins with a dot.
    """
    shares = [(url, message, range(number, readers, workers), sessions) for number in range(workers)]
    seconds, _ = side_by_side(_prepare, shares)
    return readers / seconds


def _prepare(url: str, message: bytes, share: range, sessions: int) -> Prepared:
    return lambda: asyncio.run(_send(url, message, share, sessions))


async def _send(url: str, message: bytes, share: range, sessions: int) -> None:
    server, loop = urlsplit(url), asyncio.get_running_loop()
    numbers, ends = iter(share), [loop.create_future() for _ in range(sessions)]
    for end in ends:
        conversation = partial(_Conversation, message + _END, numbers, end)
        await loop.create_connection(conversation, server.hostname or "", server.port or 25)
    await asyncio.gather(*ends)


class _Conversation(asyncio.Protocol):
    """One connection, in which each answer leads to the next thing to say."""

    def __init__(self, message: bytes, numbers: Iterator[int], end: asyncio.Future[None]) -> None:
        self._message = message
        self._numbers = numbers
        self._end = end
        self._answers = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"EHLO bench.example.org\r\n")

    def data_received(self, data: bytes) -> None:
        """Heed the last line of what came: the answers to commands that left together come together."""
        self._answers += data
        last = self._answers[:-2].rpartition(b"\r\n")[2]
        if not self._answers.endswith(b"\r\n") or last[3:4] != b" " or last.startswith(b"220"):
            return
        self._answers = b""
        if last.startswith(b"354"):
            self._transport.write(self._message)
        elif last.startswith(b"250"):
            self._next()
        else:
            self._end.set_exception(ConnectionError(f"the sink said {last!r}"))
            self._transport.abort()

    def _next(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self._end.set_result(None)
            self._transport.close()
            return
        self._transport.write(
            f"MAIL FROM:<bench@example.org>\r\nRCPT TO:<bare{number}@example.org>\r\nDATA\r\n".encode()
        )

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self._end.done():
            self._end.set_exception(ConnectionError("the sink hung up"))
