"""Postfix's smtp-sink: somebody else's SMTP server, written in C, to measure and to check against."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from tests.servers.processes import ServerProcess, free_port, is_listening, program, unprivileged_user


class PostfixSink:
    """Accepts everything and throws it away; `options` are smtp-sink's own (`-w 1`: delay, `-q .`: drop)."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._output = Path(tempfile.mkstemp(prefix="digest-smtp-sink-", suffix=".log")[1])
        self._process: ServerProcess | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The address as the `DIGEST_MAIL_URL` setting takes it."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> PostfixSink:
        """Start, and return once it listens."""
        command = [program("smtp-sink", package="postfix"), *self._options, f"127.0.0.1:{self.port}", "1024"]
        self._process = ServerProcess(command, output=self._output, user=unprivileged_user())
        self._process.wait_until(lambda: is_listening(self.port))
        return self

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.end(signal.SIGTERM)
            self._process = None
        self._output.unlink(missing_ok=True)
