"""TCP servers on loopback that answer byte for byte as a test likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class RawServer:
    """What a running server saw: its port, how many connections it took, and which are open now."""

    port: int = 0
    taken: int = 0
    open: set[int] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def all_closed(self) -> bool:
        """Wait up to 2 s for the clients to close every connection."""
        for _ in range(100):
            if not self.open:
                return True
            await asyncio.sleep(0.02)
        return False


@asynccontextmanager
async def raw_server(serve: Serve) -> AsyncIterator[RawServer]:
    """Run a server; a connection is open until the client has closed it too."""
    seen = RawServer()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.taken += 1
        number = seen.taken
        seen.open.add(number)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
            if writer.can_write_eof():
                writer.write_eof()
            await reader.read()
        seen.open.discard(number)
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0, limit=1 << 20)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()


def answering(*answers: bytes) -> Serve:
    """Answer each request of a connection with the next of `answers`, the last for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for turn in range(10**9):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answers[min(turn, len(answers) - 1)])
            await writer.drain()

    return serve


def once(answer: bytes) -> Serve:
    """Answer one request, and close."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return serve


def endless(head: bytes, again: bytes, *, pause: float = 0.0) -> Serve:
    """Answer with `head`, and then `again` and again."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while True:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause)

    return serve


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a connection and never say a word."""
    await reader.read()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break off in the middle of a header."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await writer.drain()
    writer.transport.abort()
