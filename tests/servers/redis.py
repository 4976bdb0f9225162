"""A Redis of our own, with a password, on a free port."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers.processes import ServerProcess, free_port, program
from tests.waiting import PATIENCE

PASSWORD = "only-for-tests"
NEVER_AGAIN = Retry(NoBackoff(), 0)


class RedisServer:
    """A server that can be stopped, killed and started again on its port.

    Without `appendonly` it forgets everything when it goes, as in the worst case; with it, it keeps what it
    has written to its log (synced each second, so a kill of the process alone loses nothing).
    """

    def __init__(self, *, appendonly: bool = False) -> None:
        self._appendonly = appendonly
        self._folder = Path(tempfile.mkdtemp(prefix="digest-redis-"))
        self._process: ServerProcess | None = None
        self.port = free_port()

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.is_running

    @property
    def url(self) -> str:
        """The address as Celery takes it, with the password."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> RedisServer:
        """Start, and return once it answers and has read its log."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "requirepass": PASSWORD,
            "save": "",
            "appendonly": "yes" if self._appendonly else "no",
            "dir": self._folder,
        }
        arguments = [argument for name, value in options.items() for argument in (f"--{name}", str(value))]
        self._process = ServerProcess(
            [program("redis-server", package="redis-server"), *arguments], output=self._folder / "redis.log"
        )
        self._process.wait_until(self._answers)
        return self

    def stop(self) -> None:
        """Shut down in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop, and remove its files."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def client(self) -> redis.Redis:
        """A client of the server's database 0, which does not try again by itself."""
        return redis.Redis.from_url(self.url, socket_timeout=PATIENCE, retry=NEVER_AGAIN)

    def flush(self) -> None:
        """Forget all keys."""
        with self.client() as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number)
            self._process = None
