"""The way to a conversation: connect, greet, secure, log in. aiosmtplib does all of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

import aiosmtplib

from digest.deliver.answers import trouble_in_words
from digest.deliver.smtp.server import SmtpServer
from digest.domain.errors import Refused, Unavailable


async def connect(
    server: SmtpServer, extensions: Collection[str]
) -> tuple[asyncio.Transport, frozenset[str]]:
    """Return a connection that is ready for MAIL, and those of `extensions` that the server has."""
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
    return transport, frozenset(filter(client.supports_extension, extensions))
