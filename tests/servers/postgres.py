"""A PostgreSQL of our own: a temporary cluster on a free port, trusted from the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.servers.processes import MissingProgram, ServerProcess, free_port, program, unprivileged_user
from tests.waiting import PATIENCE

ROLE = "digest"


def binaries() -> Path:
    """The folder with initdb and postgres, of the newest version installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name)
    )
    return found[-1].parent if found else Path(program("initdb", package="postgresql")).resolve().parent


class PostgresServer:
    """A cluster that can be stopped, crashed and started again with its data and port.

    It runs without fsync, which only a crash of the machine would notice; `durable=True` turns it on.
    PostgreSQL refuses to run as root: then it runs as nobody.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._user = unprivileged_user()
        self._folder = Path(tempfile.mkdtemp(prefix="digest-postgres-"))
        self._process: ServerProcess | None = None
        self.port = free_port()
        try:
            self._make_cluster()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._process is not None and self._process.is_running

    def start(self) -> PostgresServer:
        """Start, and return once it takes connections."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self._tuning(),
        }
        settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        self._process = ServerProcess(
            [str(binaries() / "postgres"), "-D", str(self._folder / "data"), *settings],
            output=self._folder / "postgres.log",
            user=self._user,
            death_signal=signal.SIGQUIT,
        )
        self._process.wait_until(self._answers)
        return self

    def stop(self) -> None:
        """Shut down in order, ending open sessions."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Stop at once without a checkpoint: the next start recovers from the log, as after a power cut."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """Stop, and remove the cluster."""
        self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address as SQLAlchemy takes it."""
        return f"postgresql+psycopg://{ROLE}@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "template0") -> str:
        """Make a database with a new name, empty or a copy of `template` (which nobody may be using)."""
        name = f"test_{uuid4().hex[:12]}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with self.connect() as admin:
            admin.execute(statement)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, ending the sessions that use it."""
        with self.connect() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A session of the owner's, in autocommit."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            dbname=database,
            autocommit=True,
            connect_timeout=int(PATIENCE),
        )

    def _make_cluster(self) -> None:
        if self._user is not None:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        data = str(self._folder / "data")
        options = ["--auth=trust", f"--username={ROLE}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        made = subprocess.run(
            [str(binaries() / "initdb"), "-D", data, *options],
            user=self._user,
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise MissingProgram(f"initdb cannot make a cluster in {data}:\n{made.stderr}")

    def _tuning(self) -> dict[str, object]:
        if self._durable:
            return {}
        return {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number)
            self._process = None
