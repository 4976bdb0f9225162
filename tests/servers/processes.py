"""Starting a server's process so that it ends with its parent, and knowing when it is ready."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.waiting import PATIENCE


class MissingProgram(RuntimeError):
    """A server that tests need is not installed; the message says how to get it."""


class NotReady(RuntimeError):
    """A server did not answer in time; the message holds the end of what it printed."""


def program(*names: str, package: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin"):
            return path
    raise MissingProgram(
        f"{names[0]} is not installed: run tools/test-servers.sh, or install the package {package}"
    )


def free_port() -> int:
    """A TCP port of the loopback that nothing listens on, and that is given to nobody else for a minute.

    A connection on it was closed from its own side, so it is in TIME-WAIT: the kernel picks it neither for
    others who ask for a free port nor for outgoing connections, while a server that names it may have it
    (with SO_REUSEADDR, which all of ours set). Only picked, it could be gone before its server has started.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            probe.accept()[0].close()
            client.recv(1)
    return port


def is_listening(port: int) -> bool:
    """Whether a connection to this port of the loopback is taken."""
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        return client.connect_ex(("127.0.0.1", port)) == 0


def unprivileged_user() -> str | None:
    """Whom servers that refuse to be root shall run as; None when we are not root ourselves."""
    return "nobody" if os.geteuid() == 0 else None


class ServerProcess:
    """A child process that the kernel ends with `death_signal` when the thread that started it dies.

    So nothing outlives the tests, not even when they are killed. What it prints goes to `output`. With
    `user`, it runs as that user, which only root may ask for.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: Path,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.output = output
        leave = ["setpriv", "--pdeathsig", death_signal.name.removeprefix("SIG")]
        if user is not None:
            leave += ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]
        with output.open("ab") as sink:
            self._process = subprocess.Popen(
                [*leave, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                start_new_session=True,  # Ctrl-C goes to the tests, which then stop the server in order
            )

    @property
    def pid(self) -> int:
        """The process id of the server itself: setpriv becomes the command, it does not stay around."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if not self.is_running or time.monotonic() > deadline:
                printed = self.output.read_text("utf-8", "replace")[-2000:]
                self.end(signal.SIGKILL)
                raise NotReady(
                    f"{self._process.args!r} did not become ready in {seconds:g} s; it printed:\n{printed}"
                )
            time.sleep(0.01)

    def end(self, number: signal.Signals, *, seconds: float = PATIENCE) -> None:
        """Send the signal and wait for the end; kill what does not end in time."""
        if self.is_running:
            self._process.send_signal(number)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
