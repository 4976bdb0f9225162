"""The worker inside another process, as `digest up` and `digest demo` have it."""

from __future__ import annotations

import re
import signal

import pytest

from benchmarks.readers import Size, approved_issue, plain_address
from digest.domain.deliveries import DeliveryState
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_deliveries
from tests.servers.faults import Faults
from tests.servers.processes import ServerProcess, free_port, is_listening
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until
from tests.worker.conftest import Launch

READERS = 400

TWICE = """
import time
from digest.embedded import embedded_worker
for _ in range(2):
    with embedded_worker():
        time.sleep(0.5)
        left = time.monotonic()
    print(f"stopped in {time.monotonic() - left:.2f} s", flush=True)
"""

WITHOUT = """
import sys, time
from digest.domain.errors import Unavailable
from digest.embedded import embedded_worker
from digest.runtime import open_runtime
{fault}
open_runtime()
try:
    with embedded_worker():
        time.sleep(60)
except Unavailable as exc:
    print(exc, flush=True)
    sys.exit(1)
"""

FAULTS = {
    "beat": """
from worker.beat import Scheduler
def tick(self):
    raise RuntimeError("no clock")
Scheduler.tick = tick
""",
    "worker": """
from celery.worker.consumer import Consumer
def start(self):
    raise RuntimeError("no ear")
Consumer.start = start
""",
}

STUCK = """
import time
import digest.embedded, worker.tasks
from digest.embedded import embedded_worker
digest.embedded.TELL_SECONDS, digest.embedded.STOP_SECONDS = 0.5, 1.0
begun = []
def never_ends(runtime):
    begun.append(True)
    time.sleep(600)
worker.tasks.due_occurrences = never_ends
with embedded_worker():
    while not begun:
        time.sleep(0.05)
print("ended by itself", flush=True)
"""

UP_BEFORE_ITS_PAGES = """
import sys, time
import digest.web.app
from digest.cli.main import run
digest.web.app.make_app = lambda runtime: time.sleep(600)
sys.exit(run(sys.argv[1:]))
"""


def printed(process: ServerProcess) -> str:
    return process.output.read_text("utf-8")


def wait_for_end(process: ServerProcess) -> None:
    wait_until(lambda: not process.is_running, why=lambda: printed(process))


def test_an_idle_one_stops_at_once_and_can_start_again(launch: Launch, sqlite_url: str) -> None:
    process = launch(("python", "-c", TWICE), database_url=sqlite_url)
    wait_for_end(process)
    assert process.exit_code == 0, printed(process)
    took = [float(seconds) for seconds in re.findall(r"stopped in ([\d.]+) s", printed(process))]
    assert len(took) == 2
    # Were it not woken, each would wait for messages for two seconds more; a busy machine delays only one.
    assert min(took) < 2
    assert printed(process).count("worker.ready") == 2


@pytest.mark.parametrize("part", FAULTS)
def test_a_process_does_not_go_on_without_its_worker_or_beat(
    launch: Launch, sqlite_url: str, part: str
) -> None:
    process = launch(("python", "-c", WITHOUT.format(fault=FAULTS[part])), database_url=sqlite_url)
    wait_for_end(process)
    assert process.exit_code == 1, printed(process)
    assert f"the {part} in this process ended by itself" in printed(process)
    assert "RuntimeError: no " in printed(process)


def test_a_task_that_never_ends_is_named_and_left_behind(launch: Launch, sqlite_url: str) -> None:
    process = launch(("python", "-c", STUCK), database_url=sqlite_url)
    wait_for_end(process)
    assert process.exit_code == 1, printed(process)
    told = printed(process)
    assert told.index("embedded.waiting") < told.index("embedded.left_behind")
    assert "worker.tasks.tick" in told
    assert "never_ends" in told
    assert "ended by itself" not in told


@pytest.mark.parametrize("when", ["while it serves", "before it serves"])
def test_stopping_digest_up_in_the_middle_of_a_send_leaves_nothing_unknown(
    launch: Launch, sqlite_url: str, smtp_sink: SmtpSink, when: str
) -> None:
    smtp_sink.slow_down(after=READERS // 8)
    engine = open_engine(sqlite_url)
    issue_id = approved_issue(engine, Size(READERS))
    port = free_port()
    up = ("up", "--port", str(port))
    program = ("python", "-c", UP_BEFORE_ITS_PAGES) if when == "before it serves" else ("digest",)
    settings = {"database_url": sqlite_url, "mail_url": smtp_sink.url, "mail_sessions": "4"}
    first = launch((*program, *up), **settings)
    smtp_sink.wait_for(READERS // 8)
    if when == "while it serves":
        wait_until(lambda: is_listening(port), why=lambda: printed(first))
    first.end(signal.SIGTERM)
    assert first.exit_code == 0, printed(first)

    with reading(engine) as session:
        counts = count_deliveries(session, issue_id)
    sent = smtp_sink.count()
    assert READERS // 8 <= sent < READERS
    assert counts[DeliveryState.ACCEPTED] == sent
    assert counts[DeliveryState.PENDING] == READERS - sent

    smtp_sink.faults = Faults()
    launch(("digest", *up), **settings)
    smtp_sink.wait_for(READERS)
    assert smtp_sink.copies() == {plain_address(number): 1 for number in range(READERS)}
    engine.dispose()
