"""Conversations with one server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from digest.deliver.smtp.connection import connect
from digest.deliver.smtp.conversation import EXTENSIONS, SmtpSession
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.transport import MailSession


class SmtpTransport:
    """Opens conversations with one SMTP server."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connect, greet, secure and log in; say goodbye at the end."""
        session = SmtpSession(*await connect(self._server, EXTENSIONS), timeout=self._server.timeout)
        try:
            yield session
        finally:
            await session.close()
