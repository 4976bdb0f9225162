"""Mail over SMTP (RFC 5321), pipelined (RFC 2920), with the final dot in our own hands.

aiosmtplib connects, upgrades to TLS and logs in. From there the conversation is ours, because its
`sendmail` writes message and dot in one go, and the dot must not leave before the arm is committed.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import aiosmtplib

from digest.deliver.answers import readable, trouble_in_words
from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Misconfigured, Refused, Unavailable

_END = b".\r\n"
_MAX_REPLY = 64 * 1024

_PIPELINING, _SMTPUTF8 = _EXTENSIONS = ("PIPELINING", "SMTPUTF8")
_NEEDS_SMTPUTF8 = (
    "{} has letters before the @ that need a mail server with SMTPUTF8, and this one has not; "
    "ask the subscriber for another address"
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. `password` is None when the server wants no log-in."""

    host: str
    port: int
    use_tls: bool = False
    start_tls: bool | None = None
    username: str | None = None
    password: str | None = None
    timeout: float = 60.0
    local_name: str | None = None

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Read `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS when offered) or `smtps://…` (TLS from the start).

        Raises `Misconfigured`, and never repeats the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise Misconfigured(
                f"mail_url: a '{parts.scheme}' address cannot take mail; "
                "use smtp://HOST:PORT, smtps://USER:PASSWORD@HOST or maildir:///FOLDER, or another form that "
                "docs/settings.md names"
            )
        try:
            port = parts.port
        except ValueError as exc:
            raise Misconfigured(
                f"mail_url: the port of {parts.hostname} is not a number up to 65535"
            ) from exc
        return cls(
            host=parts.hostname,
            port=port or (465 if parts.scheme == "smtps" else 25),
            use_tls=parts.scheme == "smtps",
            start_tls=False if parts.scheme == "smtps" else None,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @property
    def name(self) -> str:
        """The server as a person reads it, without the log-in."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered to one command: its code, and its lines joined by a space."""

    code: int
    text: str

    @property
    def is_ok(self) -> bool:
        """Whether the server goes along: 2xx, or 354 after DATA."""
        return 200 <= self.code < 400


class SmtpTransport:
    """Opens conversations with one SMTP server."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connect, greet, secure and log in; say goodbye at the end."""
        session = SmtpSession(*await _connect(self._server), timeout=self._server.timeout)
        try:
            yield session
        finally:
            await session.close()


async def _connect(server: SmtpServer) -> tuple[asyncio.Transport, frozenset[str]]:
    """Return a connection that is ready for MAIL, and those of `_EXTENSIONS` that the server has."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.use_tls,
        start_tls=server.start_tls,
        username=server.username,
        password=server.password,
        timeout=server.timeout,
        # The default asks DNS for our full name, which can hang for seconds on every connection.
        local_hostname=server.local_name or socket.gethostname(),
    )
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
    except aiosmtplib.SMTPAuthenticationError as exc:
        raise Refused(f"{server.name} refused the log-in: {trouble_in_words(exc)}. Check mail_url.") from exc
    except (aiosmtplib.SMTPException, OSError) as exc:
        client.close()
        raise Unavailable(f"{server.name} takes no mail: {trouble_in_words(exc)}") from exc
    transport = client.transport
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        raise Unavailable(f"{server.name} closed the connection after the greeting")
    return transport, frozenset(filter(client.supports_extension, _EXTENSIONS))


class SmtpSession:
    """A conversation after the log-in."""

    def __init__(self, transport: asyncio.Transport, extensions: Collection[str], *, timeout: float) -> None:
        self._wire = _Wire(transport)
        self._extensions = extensions
        self._timeout = timeout

    @property
    def is_open(self) -> bool:
        """Whether the server still listens."""
        return self._wire.is_open

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Send one message, its dot only after `arm`. See `MailSession.send`."""
        is_ascii = envelope.recipient.isascii()
        if not is_ascii and _SMTPUTF8 not in self._extensions:
            return Outcome(DeliveryState.FAILED, None, _NEEDS_SMTPUTF8.format(envelope.recipient))
        refusal = await self._offer(envelope, "" if is_ascii else " BODY=8BITMIME SMTPUTF8")
        if refusal is not None:
            return refusal
        self._wire.write(message)
        await self._before_dot(self._wire.drained())
        if not await arm():
            # There is no command that takes DATA back: only hanging up does.
            self._wire.abort()
            raise NotArmed
        if not self.is_open:
            raise Unavailable("the server hung up before the dot")
        self._wire.write(_END)
        try:
            async with asyncio.timeout(self._timeout):
                return _outcome(await self._wire.reply())
        except (ConnectionError, TimeoutError) as exc:
            self._wire.abort()
            return Outcome(DeliveryState.UNKNOWN, None, f"no answer after the dot: {exc or 'timed out'}")

    async def _offer(self, envelope: Envelope, parameters: str) -> Outcome | None:
        """Say MAIL, RCPT and DATA. None: the server waits for the message. Otherwise why it does not."""
        mail = f"MAIL FROM:<{envelope.return_path}>{parameters}"
        replies = await self._before_dot(self._converse(mail, f"RCPT TO:<{envelope.recipient}>", "DATA"))
        refused = next((reply for reply in replies if not reply.is_ok), None)
        if refused is None:
            return None
        is_about_sender = refused is replies[0]
        if len(replies) == 3 and replies[-1].code == 354:
            # A server may say 354 although it refused the recipient (RFC 2920 §3.1): end an empty message.
            self._wire.write(_END)
            await self._before_dot(self._wire.reply())
        elif self.is_open and refused.code != 421:
            await self._before_dot(self._converse("RSET"))
        if refused.code == 421:
            self._wire.abort()
        return _outcome(refused, is_about_us=is_about_sender)

    async def _converse(self, *commands: str) -> list[Reply]:
        """Return a reply for each command, or those up to the first refusal where nothing is pipelined."""
        if _PIPELINING in self._extensions:
            self._wire.write("".join(f"{command}\r\n" for command in commands).encode())
            return [await self._wire.reply() for _ in commands]
        replies: list[Reply] = []
        for command in commands:
            self._wire.write(f"{command}\r\n".encode())
            replies.append(await self._wire.reply())
            if not replies[-1].is_ok:
                break
        return replies

    async def _before_dot(self, step: Awaitable[_T]) -> _T:
        """Await a step before which and in which nothing can be accepted."""
        try:
            async with asyncio.timeout(self._timeout):
                return await step
        except (ConnectionError, TimeoutError) as exc:
            self._wire.abort()
            raise Unavailable(f"the conversation broke before the dot: {exc or 'timed out'}") from exc

    async def close(self) -> None:
        """Say goodbye and hang up. A server that does not answer is not waited for."""
        if self.is_open:
            self._wire.write(b"QUIT\r\n")
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._wire.reply()
        self._wire.abort()


def _outcome(reply: Reply, *, is_about_us: bool = False) -> Outcome:
    """Read a final reply: 2xx has accepted, 5xx has refused for good, all else may be tried again.

    So may what is refused because of us and not of the reader: the sender, a log-in that is missing, a
    policy (5.7.x, RFC 3463 §3.8). Once that is mended the mail can go, and nobody's address is to blame.
    """
    if 200 <= reply.code < 300:
        return Outcome(DeliveryState.ACCEPTED, reply.code, reply.text)
    is_about_us |= reply.code in _LOG_IN or _POLICY.match(reply.text) is not None
    if 500 <= reply.code < 600 and not is_about_us:
        return Outcome(DeliveryState.FAILED, reply.code, reply.text)
    return Outcome(DeliveryState.PENDING, reply.code, reply.text)


# RFC 4954 §6: what a server says to those who have not logged in, or not as it wants.
_LOG_IN = frozenset({530, 534, 535, 538})
_POLICY = re.compile(r"5\.7\.\d{1,3}\b")


class _Wire(asyncio.Protocol):
    """Bytes to replies. Takes over the connection that aiosmtplib opened."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost: ConnectionError | None = None
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            # Without it the dot waits for the acknowledgement of the body: 40 ms a message.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return self._lost is None and not self._transport.is_closing()

    def write(self, octets: bytes) -> None:
        self._transport.write(octets)

    async def drained(self) -> None:
        """Wait until the other side has taken most of what was written."""
        await self._writable.wait()
        if self._lost:
            raise self._lost

    async def reply(self) -> Reply:
        """Return the next reply. Raises `ConnectionError` when the connection is lost before it is whole."""
        while not self._replies:
            if self._lost:
                raise self._lost
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._replies.popleft()

    def abort(self) -> None:
        """Hang up without flushing: what was not acknowledged is withdrawn."""
        self._lost = self._lost or ConnectionResetError("hung up")
        self._transport.abort()

    def data_received(self, octets: bytes) -> None:
        self._buffer += octets
        if len(self._buffer) > _MAX_REPLY:
            self.connection_lost(ConnectionResetError("the server's answer does not end"))
            self._transport.abort()
            return
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._line(line.rstrip(b"\r").decode("utf-8", "replace"))

    def _line(self, line: str) -> None:
        self._lines.append(line[4:])
        if line[3:4] == "-" and len(self._lines) < 100:
            return
        code = int(line[:3]) if line[:3].isdigit() else 0
        self._replies.append(Reply(code, readable(" ".join(self._lines))))
        self._lines = []
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._lost or ConnectionResetError(str(exc or "the server hung up"))
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
