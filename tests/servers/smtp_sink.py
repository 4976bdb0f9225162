"""An SMTP server that keeps what identifies each mail and fails on demand.

In a test it runs in a thread, so its plan of faults may be changed at any time. For a benchmark it runs as a
process of its own, driven by the recipients' addresses alone (see `tests.servers.faults`):

    python -m tests.servers.smtp_sink --port 0 --log FILE [--quiet]

The first line it prints is its port. The log gets one JSON line a mail, written before the 250 leaves, so it
is the truth about what the sink accepted, whoever is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tests.servers.faults import ConnectionFault, DelayReply, Faults, RecipientFault, WithholdReply
from tests.servers.smtp_log_in import LogIns
from tests.servers.smtp_protocol import EXTENSIONS, SIZE_LIMIT, Rules, SmtpConversation
from tests.servers.smtp_received import Received
from tests.waiting import PATIENCE

BACKLOG = 1024
WAITING_ROOM = 64 * 1024
"""How many octets of a connection the system holds for the sink unread.

By itself it may hold tens of millions: a client would be done with a long mail before it can have heard what
was said at its start."""
Result = TypeVar("Result")


class Intake:
    """What a sink has accepted, in memory and in its log; also the connections it has seen.

    `keep_content` holds the mails themselves too (`contents`), for tests that read them.
    """

    def __init__(
        self,
        *,
        log: Path | None = None,
        faults: Faults | None = None,
        rules: Rules | None = None,
        keep_content: bool = False,
    ) -> None:
        self.faults = faults or Faults()
        self.rules = rules or Rules()
        self.received: list[Received] = []
        self.kept_contents: list[bytes] = []
        self.open: set[SmtpConversation] = set()
        self.connections = 0
        self.most_open = 0
        self.offered = 0
        self._keep_content = keep_content
        self._log = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def connected(self, conversation: SmtpConversation) -> ConnectionFault | None:
        """Count the connection, and ask the plan about it."""
        self.open.add(conversation)
        self.connections += 1
        self.most_open = max(self.most_open, len(self.open))
        return self.faults.on_connection(self.connections)

    def disconnected(self, conversation: SmtpConversation) -> None:
        """Forget the connection."""
        self.open.discard(conversation)

    def fault_for(self, address: str) -> RecipientFault | None:
        """Count the attempt, and ask the plan about it."""
        self.offered += 1
        return self.faults.for_recipient(address)

    def accept(self, mail: Received, content: bytes) -> None:
        """Write the log first: a mail in memory is a mail in the log."""
        if self._log is not None:
            os.write(self._log, mail.as_json().encode() + b"\n")
        if self._keep_content:
            self.kept_contents.append(content)
        self.received.append(mail)

    def close(self) -> None:
        """End all connections and the log."""
        for conversation in tuple(self.open):
            conversation.transport.abort()
        if self._log is not None:
            os.close(self._log)
            self._log = None


class SmtpSink:
    """A sink in a thread of this process. Use it as a context manager, or start and stop it.

    With a `certificate` (a file with the key, too) it has TLS, with `log_ins` it wants one: see `Rules`.
    `commands` are all that were said, but for what a log-in asks for.
    """

    def __init__(
        self,
        *,
        log: Path | None = None,
        faults: Faults | None = None,
        extensions: tuple[str, ...] = EXTENSIONS,
        keep_content: bool = True,
        certificate: Path | None = None,
        is_tls_first: bool = False,
        log_ins: LogIns | None = None,
        size_limit: int = SIZE_LIMIT,
    ) -> None:
        self.commands: list[str] = []
        rules = Rules(extensions, _context(certificate), is_tls_first, log_ins, size_limit, self.commands)
        self._intake = Intake(log=log, faults=faults, rules=rules, keep_content=keep_content)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-sink", daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0

    # --- where it is

    @property
    def host(self) -> str:
        """The loopback address it listens on."""
        return "127.0.0.1"

    @property
    def url(self) -> str:
        """The address as the `DIGEST_MAIL_URL` setting takes it."""
        return f"smtp{'s' if self._intake.rules.is_tls_first else ''}://{self.host}:{self.port}"

    def start(self) -> SmtpSink:
        """Listen on a free port, the same one until `stop`."""
        self._thread.start()
        self.accept_connections()
        return self

    def stop(self) -> None:
        """Close everything; what was received can still be asked for."""
        if self._loop.is_closed():
            return
        self.refuse_connections()
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> SmtpSink:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- what goes wrong

    @property
    def faults(self) -> Faults:
        """The plan; assign to its fields, or assign a new plan, at any time."""
        return self._intake.faults

    @faults.setter
    def faults(self, plan: Faults) -> None:
        self._intake.faults = plan

    def slow_down(self, *, after: int, seconds: float = 2.0) -> None:
        """Once `after` mails are here, answer each further one only after `seconds`.

        So a test that does something in the middle of a send is in its middle, however busy the machine.
        A new plan of faults ends it.
        """

        def late(_address: str, _attempt: int) -> RecipientFault | None:
            return DelayReply(seconds) if self.count() >= after else None

        self.faults = Faults(on_recipient=late)

    def withhold(self, *, after: int) -> None:
        """Once `after` mails are here, keep each further one and answer none, until there is a new plan.

        So a send stands still in its middle for as long as a test needs.
        """
        plan = Faults()
        held = WithholdReply(lambda: self.faults is not plan)
        plan.on_recipient = lambda _address, _attempt: held if self.count() >= after else None
        self.faults = plan

    def refuse_connections(self) -> None:
        """Stop listening: the operating system refuses connections. Those that are open go on."""
        if self._server is not None:
            self._run(self._close_listener(self._server))
            self._server = None

    def accept_connections(self) -> None:
        """Listen again, on the same port."""
        if self._server is None:
            self._server = self._run(self._listen())

    def drop_connections(self) -> None:
        """Reset every open connection, wherever its conversation stands."""
        self._run(self._reset_all())

    # --- what it received

    def messages(self) -> list[Received]:
        """Every accepted mail, in the order of acceptance."""
        return list(self._intake.received)

    def contents(self) -> list[bytes]:
        """The mails themselves, in the same order; [] without `keep_content`."""
        return list(self._intake.kept_contents)

    def count(self) -> int:
        """How many mails were accepted."""
        return len(self._intake.received)

    def copies(self) -> Counter[str]:
        """How often each recipient got a mail."""
        return copies(self._intake.received)

    def wait_for(self, count: int, *, seconds: float = PATIENCE) -> list[Received]:
        """Return the mails once there are `count` of them; TimeoutError says how many came instead."""
        deadline = time.monotonic() + seconds
        while self.count() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.count()} of {count} mails reached the sink in {seconds:g} s")
            time.sleep(0.01)
        return self.messages()

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._intake.connections

    @property
    def offered(self) -> int:
        """How many recipients were offered, accepted or not."""
        return self._intake.offered

    @property
    def waiting(self) -> int:
        """How many connections wait for an answer that comes late, or not at all."""
        return sum(conversation.waiting for conversation in tuple(self._intake.open))

    @property
    def most_open(self) -> int:
        """How many connections were open at once, at most."""
        return self._intake.most_open

    # --- in the thread

    def _run(self, work: Coroutine[object, object, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=PATIENCE)

    async def _listen(self) -> asyncio.Server:
        server = await listen(self._intake, self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _close_listener(self, server: asyncio.Server) -> None:
        server.close()

    async def _reset_all(self) -> None:
        for conversation in tuple(self._intake.open):
            conversation.reset()

    async def _close(self) -> None:
        self._intake.close()


def _context(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def listen(intake: Intake, port: int) -> asyncio.Server:
    """Serve the intake on a port of the loopback; 0 picks a free one."""
    loop = asyncio.get_running_loop()
    context = intake.rules.context if intake.rules.is_tls_first else None
    server = await loop.create_server(
        lambda: SmtpConversation(intake),
        "127.0.0.1",
        port,
        backlog=BACKLOG,
        ssl=context,
        start_serving=False,
    )
    for listener in server.sockets:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING_ROOM)  # inherited by its connections
    await server.start_serving()
    return server


def copies(received: Iterable[Received]) -> Counter[str]:
    """How often each recipient got a mail."""
    return Counter(recipient for mail in received for recipient in mail.recipients)


def read_log(path: Path) -> list[Received]:
    """The mails a sink's log names, in the order of acceptance."""
    lines = path.read_text("utf-8").splitlines()
    return [
        Received(**{**entry, "recipients": tuple(entry["recipients"])}) for entry in map(json.loads, lines)
    ]


async def serve(port: int, log: Path, *, quiet: bool) -> None:
    """Serve until SIGTERM or SIGINT, with a line a second about progress unless `quiet`."""
    intake = Intake(log=log)
    server = await listen(intake, port)
    print(server.sockets[0].getsockname()[1], flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    told = 0
    while not stopped.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), timeout=1)
        if not quiet and len(intake.received) != told:
            told = len(intake.received)
            print(f"{told} mails on {intake.connections} connections", file=sys.stderr, flush=True)
    server.close()
    intake.close()


def main() -> None:
    """Run a sink as a process."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.smtp_sink", description="An SMTP sink.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) picks a free one")
    parser.add_argument("--log", type=Path, required=True, help="one JSON line for each accepted mail")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.log, quiet=options.quiet))


if __name__ == "__main__":
    main()
