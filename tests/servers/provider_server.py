"""A mail provider's HTTP API on the loopback, in four dialects, that does what it is told.

    with ProviderServer(dialects.Postmark()) as server:
        server.will(status(429, Retry_After="1"), takes)

Each POST takes the next behaviour; the last one stays. Without any, mail is taken. GETs, which ask for the
account, are answered as `greets` says. What was taken is in `taken`, whatever was answered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Protocol

from tests.servers import told_server
from tests.servers.told_server import ToldServer


@dataclass(frozen=True)
class Taken:
    """A mail that the provider has: whom it is for, as MIME where that was handed over, else its fields."""

    recipient: str
    message: bytes = b""
    fields: dict[str, Any] = field(default_factory=dict)


class Dialect(Protocol):
    """How one provider speaks."""

    scheme: str
    key: str
    is_raw: bool

    def mail_url(self, base: str) -> str:
        """Return the setting that leads to a server at `base`."""
        ...

    def standing(self, call: Call) -> tuple[int, bytes]:
        """Answer the question for the account: status and body."""
        ...

    def read(self, call: Call) -> Taken:
        """Return the mail of a request; AssertionError says what is wrong with it."""
        ...

    def thanks(self, number: int) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers for mail that was taken."""
        ...

    def trouble(self, code: int, words: str) -> bytes:
        """Return the body of a refusal, in the provider's form."""
        ...

    def no_such_reader(self) -> tuple[int, bytes]:
        """Return status and body for a mail whose reader cannot be."""
        ...


@dataclass
class Call(told_server.Call):
    """A request to a provider. The body is read when it is first asked for."""

    method: str
    server: ProviderServer
    _body: bytes | None = None

    @property
    def body(self) -> bytes:
        if self._body is None:
            self._body = self.handler.rfile.read(int(self.headers.get("content-length", 0)))
        return self._body


Behaviour = Callable[[Call], None]


class ProviderServer(ToldServer[Call]):
    """A provider's server."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(self._handler(), by_itself=takes)
        self.dialect = dialect
        self.taken: list[Taken] = []
        self.posts: list[Call] = []
        self.greetings: list[Call] = []
        self.complaints: list[str] = []
        self._greets: Behaviour = well

    @property
    def mail_url(self) -> str:
        return self.dialect.mail_url(self.url)

    def greets(self, behaviour: Behaviour) -> None:
        """Answer the question for the account so."""
        self._greets = behaviour

    def take(self, call: Call) -> int:
        """Have the mail; return its number."""
        try:
            taken = self.dialect.read(call)
        except AssertionError as exc:
            self.complaints.append(f"{exc}")
            call.hang_up()
            raise ConnectionError from exc
        with self._lock:
            self.taken.append(taken)
            return len(self.taken)

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        super().__exit__(_, __, ___)
        assert self.complaints == []

    def _next(self, call: Call) -> Behaviour:
        with self._lock:
            self.posts.append(call)
            return self._next_behaviour()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                call = self._call()
                server.greetings.append(call)
                with suppress(ConnectionError):
                    server._greets(call)

            def do_POST(self) -> None:
                call = self._call()
                behaviour = server._next(call)
                with suppress(ConnectionError):
                    behaviour(call)

            def _call(self) -> Call:
                headers = {name.lower(): value for name, value in self.headers.items()}
                return Call(self.path, headers, server.stopping, self, self.command, server)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler


def well(call: Call) -> None:
    """The account is in order."""
    call.send(*call.server.dialect.standing(call))


def takes(call: Call) -> None:
    """Have the mail, and say so."""
    status, body, headers = call.server.dialect.thanks(call.server.take(call))
    call.send(status, body, **headers)


def takes_and_sends(content: bytes, code: int = 200, **headers: str) -> Behaviour:
    """Have the mail, and say something else."""

    def behave(call: Call) -> None:
        call.server.take(call)
        call.send(code, content, **headers)

    return behave


def takes_and_hangs_up(call: Call) -> None:
    """Have the mail, and end the connection without a word."""
    call.server.take(call)
    call.hang_up()


def takes_and_breaks_off(call: Call) -> None:
    """Have the mail, and end the connection in the middle of the answer."""
    call.server.take(call)
    call.send(200, b'{"MessageI', Content_Length="500")
    call.hang_up()


def takes_and_is_silent(call: Call) -> None:
    """Have the mail, and say nothing."""
    call.server.take(call)
    call.wait(30)
    call.hang_up()


def takes_and_drips(call: Call) -> None:
    """Have the mail, and send a byte from time to time, so that no single read takes long."""
    call.server.take(call)
    call.send(200, b"", Content_Length="100000")
    while not call.server.stopping.is_set():
        call.handler.wfile.write(b" ")
        call.handler.wfile.flush()
        call.wait(0.02)


def silent(call: Call) -> None:
    """Read nothing of the body, and say nothing."""
    call.wait(30)
    call.hang_up()


def resets(call: Call) -> None:
    """Cut the connection before the body is read."""
    call.reset()


def status(code: int, words: str = "no", **headers: str) -> Behaviour:
    """Refuse, in the provider's form."""

    def behave(call: Call) -> None:
        _ = call.body
        call.send(code, call.server.dialect.trouble(code, words), **headers)

    return behave


def sends(code: int, content: bytes, **headers: str) -> Behaviour:
    """Refuse with these bytes."""

    def behave(call: Call) -> None:
        _ = call.body
        call.send(code, content, **headers)

    return behave


def knows_no_such_reader(call: Call) -> None:
    """Refuse the reader's address for good."""
    _ = call.body
    call.send(*call.server.dialect.no_such_reader())


def points_to(other: str, code: int = 307) -> Behaviour:
    """Send whoever asks elsewhere."""
    return sends(code, b"", Location=other)
