"""Conversations with one server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from digest.deliver.smtp.connection import connect
from digest.deliver.smtp.conversation import SmtpSession
from digest.deliver.smtp.limits import USUAL, Limits
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.smtp.tls import Trust
from digest.deliver.transport import MailSession


class SmtpTransport:
    """Opens conversations with one SMTP server, `relay` for short.

    Raises `Misconfigured` when the server's `ca_file` is of no use.
    """

    def __init__(self, server: SmtpServer, *, relay: str = "", limits: Limits = USUAL) -> None:
        self.server = server
        self.relay = relay or server.name
        self._limits = limits
        self._trust = Trust(server.ca_file)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connect, greet, secure and log in; say goodbye at the end."""
        connection = await connect(self.server, self._trust)
        session = SmtpSession(connection, relay=self.relay, timeout=self.server.timeout, limits=self._limits)
        try:
            yield session
        finally:
            await session.close()

    async def look(self) -> bool:
        """Connect, greet, secure and log in, send nothing; return whether what is said is encrypted.

        Raises what `session` does.
        """
        connection = await connect(self.server, self._trust)
        is_encrypted = connection.transport.get_extra_info("ssl_object") is not None
        await SmtpSession(
            connection, relay=self.relay, timeout=self.server.timeout, limits=self._limits
        ).close()
        return is_encrypted
