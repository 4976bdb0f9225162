"""A sender as it is often written: a Celery task, MJML, an EmailMessage and a connection for each reader."""

from __future__ import annotations

import smtplib
import threading
import time
from urllib.parse import urlsplit

from celery import Celery

from benchmarks.readers import TEMPLATE, Size, content_of, plain_address
from benchmarks.render import naive_sender
from digest.compose.render import compile_template


def naive_messages_per_s(url: str, readers: int, size: Size, *, workers: int) -> float:
    """Send to `readers` of the issue of `size` and return messages a second.

    The broker is in memory and every worker a thread: a broker and processes of their own would cost more.
    """
    app = Celery("naive", broker="memory://", set_as_current=False)
    app.conf.update(task_ignore_result=True, broker_transport_options={"polling_interval": 0.01})
    compiled = naive_sender(content_of(size), compile_template(TEMPLATE))
    server = urlsplit(url)
    done = threading.Semaphore(0)

    @app.task(name="send_one")  # type: ignore[untyped-decorator]
    def send_one(address: str) -> None:
        message = compiled()
        with smtplib.SMTP(server.hostname or "", server.port or 25) as connection:
            connection.sendmail("bench@example.org", [address], message)
        done.release()

    worker = app.WorkController(
        pool_cls="threads",
        concurrency=workers,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
    )
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    start = time.perf_counter()
    for number in range(readers):
        send_one.delay(plain_address(number))
    for _ in range(readers):
        done.acquire()
    seconds = time.perf_counter() - start
    worker.stop()
    return readers / seconds
