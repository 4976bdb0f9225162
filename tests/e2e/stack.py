"""Digest's own services, run as the Compose file says but as processes of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.compose import services
from tests.servers.processes import ServerProcess, free_port

BIN = Path(sys.executable).parent
SECRET = "0123456789abcdef" * 4


class Stack:
    """The services of `docker-compose.yml` that run our own code, on the given servers.

    Each runs in `folder`, which is its home too, and writes its log there. `environment` comes on top of
    what the Compose file gives.
    """

    def __init__(
        self, folder: Path, *, hosts: Mapping[str, str], redis_password: str, environment: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.web_port = free_port()
        self.services = services(
            variables={
                "DIGEST_SECRET_KEY": SECRET,
                "POSTGRES_PASSWORD": "trusted-here",
                "REDIS_PASSWORD": redis_password,
            },
            hosts={"8000": str(self.web_port), **hosts},
        )
        self._environment = environment
        self._running: dict[str, ServerProcess] = {}

    def environment(self, name: str) -> dict[str, str]:
        """What a service finds in its environment: nothing of ours but the way to the programs."""
        return {
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
            "HOME": str(self.folder),
            "HOSTNAME": socket.gethostname(),
            "PYTHONUNBUFFERED": "1",
            **self.services[name].environment,
            **self._environment,
        }

    def run(self, command: Sequence[str], *, service: str = "worker") -> subprocess.CompletedProcess[str]:
        """Run a command to its end in a service's environment."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(service),
            capture_output=True,
            text=True,
            timeout=600,
        )

    def digest(self, *arguments: str) -> str:
        """Run the `digest` command; return what it says, or fail with its complaint."""
        done = self.run(["digest", *arguments])
        assert done.returncode == 0, f"digest {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def start(self, name: str, *extra: str, alias: str = "") -> ServerProcess:
        """Start a service with its own command. `alias` names a second one of the same kind."""
        command = ["env", f"--chdir={self.folder}", *self.services[name].command, *extra]
        process = ServerProcess(
            command,
            output=self.folder / f"{alias or name}.log",
            environment=self.environment(name),
            death_signal=signal.SIGTERM,
        )
        self._running[alias or name] = process
        return process

    def is_healthy(self, name: str) -> bool:
        """Ask a service's own health check."""
        return self.run(self.services[name].check, service=name).returncode == 0

    def log(self, name: str) -> str:
        """What a service has written so far."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def all_logs(self) -> str:
        """The end of every log, for the message of a test that fails."""
        return "\n".join(f"--- {name}\n{self.log(name)[-3000:]}" for name in self._running)

    def stop(self) -> None:
        """End everything that runs."""
        for process in self._running.values():
            process.end(signal.SIGKILL)
