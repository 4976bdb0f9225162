"""Stand-ins on loopback for a collector of OpenTelemetry and for Sentry: they keep all they were sent."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import brotli

_UNPACKED: Mapping[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}
"""By what a body is packed with. One that is packed otherwise could not be searched, and fails the test."""


@dataclass(slots=True)
class Heard:
    """What was sent: addresses, headers and bodies, unpacked."""

    url: str
    paths: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def everything(self) -> bytes:
        return b"\n".join(
            [*(path.encode() for path in self.paths), *map(str.encode, self.headers), *self.bodies]
        )


@contextmanager
def listening(*, status: int = 200) -> Iterator[Heard]:
    """Take whatever is posted on a free port of this machine, and answer with `status`."""

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            heard.paths.append(self.path)
            heard.headers.append(str(self.headers))
            heard.bodies.append(_UNPACKED[self.headers["content-encoding"]](body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    heard = Heard(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
