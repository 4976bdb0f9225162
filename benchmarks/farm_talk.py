"""One request to the farm and what is sent for it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

LAST_MODIFIED = "Sun, 22 Nov 2026 20:00:00 GMT"
_BROTLI: ModuleType | None = import_module("brotli") if find_spec("brotli") else None


@dataclass(slots=True)
class Sent:
    """What the farm did in one poll."""

    requests: int = 0
    bytes_sent: int = 0
    unchanged: int = 0
    forbidden: int = 0
    inward: int = 0


class Talk:
    """A request and its answer, every byte counted. `poll` is the number of the poll it belongs to."""

    def __init__(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: Sent, poll: int
    ) -> None:
        first, *rest = head.decode("latin-1").split("\r\n")
        self.path = first.split(" ")[1].partition("?")[0]
        lines = (line.partition(":") for line in rest)
        self.headers = {name.lower(): value.strip() for name, _, value in lines}
        self._reader, self.writer, self.poll = reader, writer, poll
        self._sent = sent

    @property
    def host(self) -> str:
        """The host that was asked, without its port."""
        return self.headers.get("host", "").partition(":")[0]

    async def send(self, content: bytes) -> None:
        """Send bytes as they are, at the pace they are taken."""
        self._sent.bytes_sent += len(content)
        self.writer.write(content)
        await self.writer.drain()

    @property
    def has_hung_up(self) -> bool:
        """Whether the other side is gone: what it would have sent next is read by nobody meanwhile."""
        return bool(self._reader.at_eof())

    def close(self) -> None:
        """End the connection once what was sent is out."""
        self.writer.close()

    async def start(self, *, length: int | None) -> None:
        """Send the headers of a body that follows."""
        told = "" if length is None else f"Content-Length: {length}\r\n"
        await self.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n{told}\r\n".encode())

    async def answer(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "text/html; charset=utf-8",
        coding: str = "",
        etag: str = "",
        headers: Mapping[str, str] = {},
    ) -> None:
        """Send a whole answer. With `etag` it may be a 304, without `coding` it is compressed."""
        if etag and etag in self.headers.get("if-none-match", ""):
            self._sent.unchanged += 1
            await self.send(f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode())
            return
        if not coding:
            coding, body = self._compressed(body)
        lines = {"Content-Type": content_type, "Content-Length": str(len(body))} | dict(headers)
        lines |= {"Content-Encoding": coding} if coding else {}
        lines |= {"ETag": etag, "Last-Modified": LAST_MODIFIED} if etag else {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"HTTP/1.1 {status} Farm\r\n{head}\r\n".encode() + body)

    def _compressed(self, body: bytes) -> tuple[str, bytes]:
        asked = self.headers.get("accept-encoding", "")
        if len(body) < 500:
            return "", body
        if "br" in asked and _BROTLI:
            return "br", _BROTLI.compress(body, quality=2)
        return ("gzip", gzip.compress(body, 1)) if "gzip" in asked else ("", body)
