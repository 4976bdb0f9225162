"""Bytes to replies, and how long they may take: on a real connection, with a server that speaks on cue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from digest.deliver.smtp.wire import Wire
from tests.waiting import PATIENCE

SHORT = 0.1
LATER = 0.5
"""After every alarm that a step allowed `SHORT` has set."""


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Wire, asyncio.StreamWriter]]:
    """A wire, and the other end of it."""
    there: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: there.put_nowait(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
    wire, writer = Wire(transport), await there.get()
    try:
        yield wire, writer
    finally:
        wire.abort()
        writer.close()
        server.close()


def within(work: Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected() as (wire, writer):
            await asyncio.wait_for(work(wire, writer), PATIENCE)

    asyncio.run(run())


def test_silence_ends_a_step_when_its_time_is_up() -> None:
    async def work(wire: Wire, _: asyncio.StreamWriter) -> None:
        wire.allow(SHORT)
        with pytest.raises(TimeoutError):
            await wire.reply()

    within(work)


def test_a_step_has_its_own_time_though_an_earlier_one_had_less() -> None:
    async def work(wire: Wire, server: asyncio.StreamWriter) -> None:
        wire.allow(SHORT)
        server.write(b"250 first\r\n")
        assert (await wire.reply()).text == "first"
        wire.allow(PATIENCE)
        asyncio.get_running_loop().call_later(LATER, server.write, b"250 second\r\n")
        assert (await wire.reply()).text == "second"

    within(work)


def test_a_step_has_its_own_time_though_an_earlier_one_had_more() -> None:
    async def work(wire: Wire, server: asyncio.StreamWriter) -> None:
        wire.allow(10 * PATIENCE)
        server.write(b"250 first\r\n")
        await wire.reply()
        wire.allow(SHORT)
        with pytest.raises(TimeoutError):
            await wire.reply()

    within(work)


def test_several_answers_have_one_time_together() -> None:
    async def work(wire: Wire, server: asyncio.StreamWriter) -> None:
        wire.allow(LATER)
        loop = asyncio.get_running_loop()
        began = loop.time()
        server.write(b"250 first\r\n")
        await wire.reply()
        with pytest.raises(TimeoutError):
            await wire.reply()
        assert loop.time() - began >= LATER

    within(work)


def test_who_waits_to_write_hears_of_the_end_of_its_time_and_of_the_connection() -> None:
    async def work(wire: Wire, server: asyncio.StreamWriter) -> None:
        server.transport.pause_reading()
        wire.write(bytes(50_000_000))
        wire.allow(SHORT)
        with pytest.raises(TimeoutError):
            await wire.drained()
        wire.allow(PATIENCE)
        asyncio.get_running_loop().call_soon(server.transport.abort)
        with pytest.raises(ConnectionError):
            await wire.drained()

    within(work)
