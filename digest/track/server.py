"""A mail server for return paths alone: LMTP and SMTP on one port, and nothing is taken before it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from digest.domain.errors import DigestError, Refused
from digest.track.returns import ReturnPaths

log = structlog.get_logger(__name__)

SIZE_MAX = 2 * 1024 * 1024
"""Octets of one mail. A report gives back the mail it is about, which is far below that."""

_RECIPIENTS_MAX = 50
_CONNECTIONS_MAX = 100
_AT_ONCE = 4
"""How many mails are recorded at the same time: each needs a connection to the database."""

Take = Callable[[bytes, str], None]
"""Record a mail that came to a return path, committed on return. Raises `DigestError` when it cannot be."""


class ReturnServer:
    """Takes mail for return paths that we signed, and answers 250 when it is recorded."""

    def __init__(self, take: Take, paths: ReturnPaths) -> None:
        self._handler = _Handler(take, paths)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> Sequence[tuple[str, int]]:
        """Listen; return the addresses that are listened at. Port 0 takes a free one. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._conversation, host, port)
        return [socket.getsockname()[:2] for socket in self._server.sockets]

    async def stop(self) -> None:
        """Listen no more, and let what is being recorded end. What is not acknowledged comes again."""
        if self._server is not None:
            self._server.close()
        await self._handler.idle()
        for transport in tuple(self._handler.transports):
            transport.close()

    def _conversation(self) -> SMTP:
        # Without a name aiosmtpd asks DNS for ours, on every connection.
        return _Conversation(
            self._handler,
            data_size_limit=SIZE_MAX,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Digest",
            timeout=120,
        )


class _Conversation(SMTP):
    """One connection, which begins with LHLO (LMTP, RFC 2033) or with EHLO."""

    # Servers that report bounces do not all keep to 998 characters.
    line_length_limit = 64 * 1024
    speaks_lmtp = False

    def connection_made(self, transport: Any) -> None:
        handler: _Handler = self.event_handler
        handler.transports.add(transport)
        if len(handler.transports) > _CONNECTIONS_MAX:
            transport.write(b"421 4.3.2 too many connections: try again later\r\n")
            transport.close()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.transports.discard(self.transport)
        super().connection_lost(error)

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd calls it by the command's name
        """Greet as LMTP: from here on every recipient gets an answer of its own."""
        self.speaks_lmtp = True
        await self.smtp_EHLO(arg)


class _Handler:
    """What aiosmtpd asks at each step."""

    def __init__(self, take: Take, paths: ReturnPaths) -> None:
        self._take = take
        self._paths = paths
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[asyncio.Task[str]] = set()
        self.transports: set[Any] = set()

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take what we signed and nothing else: this is nobody's mailbox, and no relay."""
        if len(envelope.rcpt_tos) >= _RECIPIENTS_MAX:
            return "452 4.5.3 too many recipients"
        try:
            self._paths.read(address)
        except Refused:
            return "550 5.1.1 this is no return path of ours"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: _Conversation, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Record the mail for each recipient, and only then answer."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        recipients = dict.fromkeys(envelope.rcpt_tos)
        answers = {address: await self._answer(content, address) for address in recipients}
        if server.speaks_lmtp:
            return "\r\n".join(answers[address] for address in envelope.rcpt_tos)
        return next((answer for answer in answers.values() if not answer.startswith("2")), "250 2.0.0 taken")

    async def handle_exception(self, error: Exception) -> str:
        """Answer a fault of ours so that the mail is kept and comes again."""
        log.error("bounces.failed", exc_info=error)
        return "451 4.3.0 a fault here: try again later"

    async def idle(self) -> None:
        """Wait until nothing is being recorded."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _answer(self, content: bytes, address: str) -> str:
        task = asyncio.create_task(self._recorded(content, address))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        # A client that hangs up does not stop what is being recorded.
        return await asyncio.shield(task)

    async def _recorded(self, content: bytes, address: str) -> str:
        async with self._slots:
            try:
                await asyncio.to_thread(self._take, content, address)
            except DigestError as exc:
                log.warning("bounces.not_recorded", reason=str(exc))
                return "451 4.3.0 cannot be recorded now: try again later"
            except Exception as exc:  # noqa: BLE001 - whatever it is, the mail has to come again
                return await self.handle_exception(exc)
        return "250 2.0.0 taken"
