"""Conversations with one server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from digest.deliver.smtp.connection import connect
from digest.deliver.smtp.conversation import SmtpSession
from digest.deliver.smtp.limits import USUAL, Limits
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.smtp.tls import new_context
from digest.deliver.transport import MailSession


class SmtpTransport:
    """Opens conversations with one SMTP server, `relay` for short.

    Raises `Misconfigured` when the server's `ca_file` is of no use. The certificates are read once.
    """

    def __init__(self, server: SmtpServer, *, relay: str = "", limits: Limits = USUAL) -> None:
        self.server = server
        self.relay = relay or server.name
        self._limits = limits
        self._context: ssl.SSLContext | None = new_context(server.ca_file) if server.ca_file else None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connect, greet, secure and log in; say goodbye at the end."""
        if self._context is None:
            # The system's list takes 20 ms to read: once, and only where mail is sent.
            self._context = await asyncio.to_thread(new_context, None)
        server = self.server
        connection = await connect(server, self._context)
        session = SmtpSession(connection, relay=self.relay, timeout=server.timeout, limits=self._limits)
        try:
            yield session
        finally:
            await session.close()
