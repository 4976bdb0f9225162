"""A mail server that delivers to nobody: each mail becomes a file to look at."""

from __future__ import annotations

import asyncio
import socket
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session


class MailCatcher:
    """Listens on a free loopback port; every mail becomes `ADDRESS.eml` and `ADDRESS.html` in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail-catcher", daemon=True)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.caught: list[Path] = []

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(
            self._loop.create_server(self._conversation, sock=self._socket), self._loop
        ).result()
        return self

    def _conversation(self) -> SMTP:
        # Without a name aiosmtpd asks DNS for ours, on every connection.
        return SMTP(self, hostname="localhost", loop=self._loop)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._socket.close()

    @property
    def url(self) -> str:
        """The address to send to, for `mail_url`."""
        host, port = self._socket.getsockname()
        return f"smtp://{host}:{port}"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message; aiosmtpd calls this after the final dot."""
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        file = self._folder / f"{_file_name(envelope.rcpt_tos[0])}.eml"
        file.write_bytes(envelope.content)
        html = message.get_body(("html",))
        if html is not None:
            (self._folder / f"{file.stem}.html").write_text(html.get_content(), "utf-8")
        self.caught.append(file)
        return "250 2.0.0 caught"


def _file_name(address: str) -> str:
    return "".join(c if c.isalnum() or c in "@.+_-" else "_" for c in address)
