"""The log-in (RFC 4954): CRAM-MD5, PLAIN and LOGIN by aiosmtplib, XOAUTH2 by a token that is read anew."""

from __future__ import annotations

import base64
import binascii
import json

import aiosmtplib

from digest.deliver.answers import readable, trouble_in_words
from digest.deliver.smtp.server import SmtpServer
from digest.deliver.smtp.tokens import Token
from digest.domain.errors import Refused, Unavailable

_CONTINUE, _WELL = 334, 235


async def log_in(client: aiosmtplib.SMTP, server: SmtpServer) -> None:
    """Log in, where `server` has a name to do so with.

    Raises `Refused` when the server knows no such user, and `Unavailable` when it cannot tell now or there is
    no token; nothing that is told holds a password or a token.
    """
    if server.username is None:
        return
    if server.token is not None:
        await _by_token(client, server, server.username, server.token)
        return
    _require_offer(client, server, ("plain", "login", "cram-md5"))
    try:
        await client.login(server.username, server.password or "")
    except aiosmtplib.SMTPAuthenticationError as exc:
        raise _refusal(server, exc.code, trouble_in_words(exc), server.password or "") from exc


def _require_offer(client: aiosmtplib.SMTP, server: SmtpServer, usable: tuple[str, ...]) -> None:
    if not set(usable) & set(client.server_auth_methods):
        offered = readable(", ".join(client.server_auth_methods).upper()) or "none at all"
        before = "" if client.get_transport_info("sslcontext") else " without TLS"
        raise Refused(
            f"{server.name} offers no log-in that is known here{before}: it has {offered}, and wanted is "
            f"{' or '.join(usable).upper()}. Check mail_url."
        )


async def _by_token(client: aiosmtplib.SMTP, server: SmtpServer, username: str, source: Token) -> None:
    """Log in as Google's and Microsoft's servers want it (XOAUTH2)."""
    _require_offer(client, server, ("xoauth2",))
    token = await source.read()
    words = base64.b64encode(f"user={username}\x01auth=Bearer {token}\x01\x01".encode())
    reply = await client.execute_command(b"AUTH", b"XOAUTH2", words)
    why = ""
    if reply.code == _CONTINUE:
        # What is wrong stands in the challenge; the refusal itself follows when that was taken note of.
        why = _challenge_in_words(reply.message)
        reply = await client.execute_command(b"")
    if reply.code != _WELL:
        said = readable(f"{reply.code} {reply.message} {why}".strip())
        told = f"{said}. The token may have expired, or be for another server"
        raise _refusal(server, reply.code, told, token)


def _challenge_in_words(challenge: str) -> str:
    """Return what a challenge of XOAUTH2 says: JSON in base64, such as `{"status": "401", …}`."""
    try:
        told = json.loads(base64.b64decode(challenge, validate=True))
    except (binascii.Error, ValueError):
        return ""
    if not isinstance(told, dict):
        return ""
    return f"({', '.join(f'{key} {value}' for key, value in told.items() if isinstance(value, str))})"


def _refusal(server: SmtpServer, code: int, told: str, secret: str) -> Refused | Unavailable:
    """Put a log-in that failed into words; a 4xx is the server's own trouble (RFC 4954 §6)."""
    hidden = told.replace(secret, "***") if secret else told
    if 400 <= code < 500:
        return Unavailable(f"{server.name} cannot say now whether the log-in is right: {hidden}")
    return Refused(f"{server.name} refused the log-in: {hidden}. Check mail_url.")
