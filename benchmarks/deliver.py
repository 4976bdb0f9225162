"""How fast an issue leaves: claim → splice → SMTP → settled in the database, with an arm for every message.

    python -m benchmarks.deliver --recipients 20000 --topics 20 --articles 30 [--workers 2] [--json]
                                 [--database sqlite|postgresql] [--dkim]

Mail goes to a sink in a process of its own on this machine, which counts it. Beside it stand two others
against the same sink: a sender that does nothing but send (`benchmarks/bare.py`), with as many conversations
and up to 20,000 mails, and a naive one (`benchmarks/naive.py`), on a sample of the same issue.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine

from benchmarks.bare import bare_messages_per_s
from benchmarks.naive import naive_messages_per_s
from benchmarks.readers import NOW, Size, sending_issue
from benchmarks.telling import arguments, figures_table, tell
from benchmarks.workers import prepare_issue, settings_for, side_by_side
from digest.domain.deliveries import Claim, DeliveryId, DeliveryState
from digest.domain.issues import IssueId
from digest.domain.subscribers import SubscriberId
from digest.pipeline.personal_mail import mail_for
from digest.runtime import Runtime
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_by_edition, count_deliveries
from digest.store.schema import migrate
from tests.servers.postgres import PostgresServer

NAIVE_SAMPLE = 400
BARE_SAMPLE = 20_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What a send came to. CPU is the workers' alone; `peak_mb` is the largest worker's."""

    recipients: int
    workers: int
    sessions: int
    database: str
    dkim: str
    kb_per_message: float
    messages_per_s: float
    bare_messages_per_s: float
    naive_messages_per_s: float
    cpu_ms_per_message: float
    peak_mb: float


@contextmanager
def sink(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run the sink as a process; give its address and its log."""
    log = folder / "sink.jsonl"
    command = [sys.executable, "-m", "tests.servers.smtp_sink", "--port", "0", "--log", str(log), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"smtp://127.0.0.1:{int(process.stdout.readline())}", log
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database: a file, or a PostgreSQL server of our own with fsync on."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'digest.db'}"
        return
    server = PostgresServer(durable=True)
    try:
        server.start()
        yield server.url(server.create_database())
    finally:
        server.close()


def measure(size: Size, *, kind: str, workers: int, sessions: int, dkim: bool = False) -> Figures:
    """Send one issue and return the figures. Raises `AssertionError` when a mail is missing or doubled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        mail_url, log = stack.enter_context(sink(folder))
        database_url = stack.enter_context(database(kind, folder))
        engine = open_engine(database_url)
        stack.callback(engine.dispose)
        migrate(engine)
        issue_id = sending_issue(engine, size)
        key = _signing_key(folder) if dkim else None
        message = _specimen(database_url, mail_url, issue_id, key)
        each = (database_url, mail_url, issue_id, sessions, key)
        seconds, spent = side_by_side(prepare_issue, [each] * workers)
        received = _received(log)
        _check(engine, issue_id, size, received)
        sample = min(BARE_SAMPLE, size.readers)
        bare = bare_messages_per_s(mail_url, message, sample, workers=workers, sessions=sessions)
        naive = naive_messages_per_s(mail_url, min(NAIVE_SAMPLE, size.readers), size, workers=workers)
    return Figures(
        recipients=size.readers,
        workers=workers,
        sessions=sessions,
        database=kind,
        dkim="RSA-2048" if dkim else "",
        kb_per_message=round(sum(octets for _, octets in received) / len(received) / 1000, 1),
        messages_per_s=round(size.readers / seconds, 1),
        bare_messages_per_s=round(bare, 1),
        naive_messages_per_s=round(naive, 1),
        cpu_ms_per_message=round(sum(one.cpu_s for one in spent) * 1000 / size.readers, 3),
        peak_mb=round(max(one.peak_mb for one in spent), 1),
    )


def _received(log: Path) -> list[tuple[str, int]]:
    """Return address and octets of each mail that the sink took."""
    with log.open(encoding="utf-8") as lines:
        entries = map(json.loads, lines)
        return [(entry["recipients"][0], entry["octets"]) for entry in entries]


def _check(engine: Engine, issue_id: IssueId, size: Size, received: list[tuple[str, int]]) -> None:
    with reading(engine) as session:
        accepted = count_deliveries(session, issue_id)[DeliveryState.ACCEPTED]
    different = len({address for address, _ in received})
    assert accepted == size.readers == len(received) == different, "a mail is missing or doubled"


def _specimen(database_url: str, mail_url: str, issue_id: IssueId, key: Path | None) -> bytes:
    """Return one reader's mail of the issue, for the sender that sends the same to all."""
    runtime = Runtime(settings_for(database_url, mail_url, key))
    with reading(runtime.engine) as session:
        edition = next(iter(count_by_edition(session, issue_id)))
    claim = Claim(DeliveryId(1), 1, "bare@example.org", "<1.1@example.org>", edition, SubscriberId(1), 0, NOW)
    return mail_for(runtime, issue_id)(claim)[1]


def _signing_key(folder: Path) -> Path:
    """Write a new RSA-2048 key, the kind that every receiver can check."""
    pem = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "dkim.pem"
    file.write_bytes(pem)
    return file


def main() -> None:
    """Print a table, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--articles", type=int, default=30)
    parser.add_argument("--follows", type=int, default=5, help="topics each reader follows")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sessions", type=int, default=50, help="conversations of each worker")
    parser.add_argument("--dkim", action="store_true", help="sign with RSA-2048")
    options = parser.parse_args()
    size = Size(options.recipients, options.topics, options.articles, options.follows)
    figures = measure(
        size,
        kind=options.database,
        workers=options.workers,
        sessions=options.sessions,
        dkim=options.dkim,
    )
    table = figures_table(f"An issue to {figures.recipients:,} readers", figures)
    tell(figures, table, as_json=options.json)


if __name__ == "__main__":
    main()
