"""The server as a process: where it listens, how it ends, what it says when it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.domain.errors import Unavailable
from digest.web.app import _listening, serve
from tests.servers.processes import ServerProcess, free_port, is_listening
from tests.waiting import PATIENCE
from tests.web.conftest import SECRET, runtime_on

PROGRAM = """
import sys
from digest.runtime import open_runtime
from digest.web.app import serve

serve(
    open_runtime(),
    host=sys.argv[1],
    port=int(sys.argv[2]),
    on_listening=lambda address: print("you find it at", address, flush=True),
)
print("what comes after the server came")
"""


@contextmanager
def served(database: Path, output: Path, *, host: str = "127.0.0.1") -> Iterator[tuple[ServerProcess, int]]:
    port = free_port()
    nothing_set = output.with_name("digest.toml")
    nothing_set.touch()
    environment = {
        **os.environ,
        "DIGEST_DATABASE_URL": f"sqlite:///{database}",
        "DIGEST_SECRET_KEY": SECRET,
        "DIGEST_CONFIG": str(nothing_set),
    }
    process = ServerProcess(
        [sys.executable, "-c", PROGRAM, host, str(port)], output=output, environment=environment
    )
    try:
        process.wait_until(lambda: is_listening(port))
        yield process, port
    finally:
        process.end(signal.SIGKILL)


def ended_by(number: signal.Signals, database: Path, output: Path, *, host: str) -> str:
    """Ask a server whether it is ready, end it by a signal, and return what it printed."""
    with served(database, output, host=host) as (process, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE) as response:
            assert response.status == 200
        process.end(number)
        assert not is_listening(port)
    printed = output.read_text("utf-8")
    assert f"you find it at http://{host}:{port}/" in printed
    assert printed.count(f"http://{host}:{port}/") == 2, "it is in the log, too"
    assert "what comes after the server came" in printed, "`digest up` still has its worker to stop"
    assert "Traceback" not in printed
    assert "/readyz" not in printed, "addresses hold tokens and are not logged"
    return printed


def test_a_stop_ends_the_server_and_nothing_else(empty_database: Path, tmp_path: Path) -> None:
    printed = ended_by(signal.SIGTERM, empty_database, tmp_path / "output", host="127.0.0.1")
    assert "unencrypted" not in printed


def test_control_c_ends_it_too_and_listening_to_others_is_warned_of(
    empty_database: Path, tmp_path: Path
) -> None:
    printed = ended_by(signal.SIGINT, empty_database, tmp_path / "output", host="0.0.0.0")
    assert "passwords pass unencrypted here" in printed


def test_a_port_that_is_taken_is_told_in_words(empty_database: Path) -> None:
    runtime = runtime_on(f"sqlite:///{empty_database}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"cannot serve at 127.0.0.1 port {port}: .*--port"):
            serve(runtime, host="127.0.0.1", port=port)


def test_a_host_that_is_not_ours_is_told_in_words(empty_database: Path) -> None:
    runtime = runtime_on(f"sqlite:///{empty_database}")
    with pytest.raises(Unavailable, match=r"cannot serve at 192\.0\.2\.1 port 0"):
        serve(runtime, host="192.0.2.1", port=0)


def test_no_answer_waits_for_a_delayed_acknowledgement() -> None:
    with _listening("127.0.0.1", 0) as (listener, _), socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
