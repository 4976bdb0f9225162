"""The way to a conversation: connect, greet, secure, log in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import aiosmtplib

from digest.deliver.answers import trouble_in_words
from digest.deliver.smtp.log_in import log_in
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.smtp.tls import Trust, tls_trouble
from digest.domain.errors import Refused, Unavailable


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that is ready for MAIL. `offers` has EHLO's keywords in capitals, and their parameters."""

    transport: asyncio.Transport
    offers: Mapping[str, str]


async def connect(server: SmtpServer, trust: Trust) -> Connection:
    """Return a connection, secured and logged in as `server` says.

    Raises `Unavailable` when the server cannot be reached or made sure of, `Refused` when it refuses the
    log-in or has none.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.use_tls,
        start_tls=False,
        tls_context=await trust.context() if server.use_tls else None,
        timeout=server.timeout,
        # The default asks DNS for our full name, which can hang for seconds on every connection.
        local_hostname=server.local_name or socket.gethostname(),
    )
    try:
        await client.connect()
        await _greet(client)
        if not server.use_tls:
            await _secure(client, server, trust)
        await log_in(client, server)
        return _connection(client, server)
    except (aiosmtplib.SMTPException, OSError) as exc:
        client.close()
        told = tls_trouble(exc, server) or trouble_in_words(exc)
        raise Unavailable(f"{server.name} takes no mail: {told}{_hint(server, exc)}") from exc
    except BaseException:
        client.close()
        raise


async def _greet(client: aiosmtplib.SMTP) -> None:
    """Say EHLO, or HELO to a server of old."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


async def _secure(client: aiosmtplib.SMTP, server: SmtpServer, trust: Trust) -> None:
    """Ask for TLS as `server` wants it, and greet anew: nothing said before it counts (RFC 3207 §4.2)."""
    if server.start_tls is False:
        return
    if client.supports_extension("starttls"):
        await client.starttls(tls_context=await trust.context())
        await _greet(client)
    elif server.start_tls:
        raise Refused(
            f"{server.name} offers no STARTTLS, and mail_url demands it: the log-in or the mail could be "
            "read on the way. See whether somebody takes the offer out; smtps:// or port 587 may be what the "
            "server wants, or ?tls=none in mail_url if the way is safe."
        )


def _connection(client: aiosmtplib.SMTP, server: SmtpServer) -> Connection:
    transport = client.transport
    if not isinstance(transport, asyncio.Transport) or transport.is_closing():
        raise Unavailable(f"{server.name} closed the connection after the greeting")
    return Connection(transport, {key.upper(): value for key, value in client.esmtp_extensions.items()})


def _hint(server: SmtpServer, trouble: Exception) -> str:
    """Return what silence on the port of implicit TLS most likely means."""
    if isinstance(trouble, aiosmtplib.SMTPTimeoutError) and server.port == 465 and not server.use_tls:
        return ". Port 465 speaks TLS from the start: write smtps://"
    return ""
