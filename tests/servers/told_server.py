"""What HTTP servers on the loopback have in common that answer each request as they are told to."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Generic, Self, TypeVar


@dataclass
class Call:
    """One request, and the ways to answer it."""

    path: str
    headers: dict[str, str]
    stopping: threading.Event = field(repr=False)
    handler: BaseHTTPRequestHandler = field(repr=False)

    def send(self, status: int, content: bytes, **headers: str) -> None:
        """Answer with these bytes; `Content-Length` is true unless given."""
        given = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.handler.send_response_only(status)
        for name, value in given.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(content)
        self.handler.wfile.flush()

    def hang_up(self) -> None:
        """End the connection after what was sent."""
        self.handler.close_connection = True

    def reset(self) -> None:
        """Cut the connection, as a host does that dies."""
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.connection.close()
        self.hang_up()

    def wait(self, seconds: float) -> None:
        """Keep silent, no longer than the server lives."""
        self.stopping.wait(seconds)


CallT = TypeVar("CallT", bound=Call)


class ToldServer(Generic[CallT]):
    """A server in threads. Each request takes the next behaviour; the last one stays."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], *, by_itself: Callable[[CallT], None]) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._by_itself = by_itself
        self._behaviours: deque[Callable[[CallT], None]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will(self, *behaviours: Callable[[CallT], None]) -> None:
        """Behave so from now on: the first once, …, the last for ever."""
        with self._lock:
            self._behaviours = deque(behaviours)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next_behaviour(self) -> Callable[[CallT], None]:
        """Return what is to be done now. The lock is held."""
        if len(self._behaviours) > 1:
            return self._behaviours.popleft()
        return self._behaviours[0] if self._behaviours else self._by_itself
