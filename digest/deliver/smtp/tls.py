"""TLS on the way to the server: which certificates are believed, and what is said of one that is not."""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path

from digest.deliver.smtp.server import SmtpServer
from digest.domain.errors import Misconfigured

_WRONG_NAME = frozenset({62, 64})
_EXPIRED, _NOT_YET = 10, 9
"""OpenSSL's numbers (x509_vfy.h): the name or the address is another; too late, too early."""


def new_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return what verifies certificates and names, by the system's list or by `ca_file` alone.

    Raises `Misconfigured` for a file that cannot be read or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as exc:
        raise Misconfigured(f"mail_url: ca_file {ca_file} holds no certificate in PEM form") from exc
    except OSError as exc:
        raise Misconfigured(f"mail_url: ca_file {ca_file}: {exc.strerror or exc}") from exc


class Trust:
    """Which certificates are believed, read once: the system's list takes some 20 ms.

    `ca_file` is read at once, so that a wrong one is told before anything is sent. The list can wait.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._context = new_context(ca_file) if ca_file else None
        self._lock = threading.Lock()

    async def context(self) -> ssl.SSLContext:
        """Return what verifies."""
        return await asyncio.to_thread(self._read) if self._context is None else self._context

    def _read(self) -> ssl.SSLContext:
        # Many conversations begin at once, in several threads.
        with self._lock:
            if self._context is None:
                self._context = new_context(None)
            return self._context


def tls_trouble(trouble: BaseException, server: SmtpServer) -> str:
    """Return in words why TLS did not come about, and what to do; '' when TLS is not the reason."""
    cause = trouble if isinstance(trouble, ssl.SSLError) else trouble.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        said = cause.verify_message.rstrip(".")
        return f"its certificate is not believed: {said}. {_advice(cause)}{_way_out(server)}"
    if isinstance(cause, ssl.SSLError):
        what = "TLS from the start" if server.use_tls else "TLS after STARTTLS"
        advice = ". Port 465 wants smtps://, ports 25 and 587 smtp://" if server.use_tls else ""
        return f"it does not speak {what} ({cause.reason or cause}){advice}"
    return ""


def _advice(trouble: ssl.SSLCertVerificationError) -> str:
    if trouble.verify_code in _WRONG_NAME:
        return "Put the name that the certificate is for into mail_url, if that is the same server"
    if trouble.verify_code == _EXPIRED:
        return "Have it renewed by whoever runs the server"
    if trouble.verify_code == _NOT_YET:
        return "See whether this machine's clock is right"
    return (
        "If the server is yours, name the file with the certificate of who signed it, or with its own, by "
        "?ca_file=FILE in mail_url"
    )


def _way_out(server: SmtpServer) -> str:
    """Return what else can be done where nobody sits between."""
    can_go_without = server.is_here and not server.use_tls
    return "; or write ?tls=none, as the server is on this machine" if can_go_without else ""
