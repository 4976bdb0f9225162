"""How many people can sign up in a second, and how long each of them waits.

    python -m benchmarks.signup [--rate 500] [--seconds 60] [--database sqlite|postgresql] [--json]

Forms are sent at an even rate over the loopback, each by another person, to a server in a process of its own,
while a worker in another takes them in. How long somebody waits is counted from the moment they were due, so
that a server that falls behind does not look quick. Beside it stands what is often written: the form's own
handler looks the address up, stores it and queues the mail, in a transaction for each.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urlsplit

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool

from benchmarks.deliver import database
from benchmarks.readers import NOW
from benchmarks.telling import arguments, figures_table, tell
from digest.domain.letters import LetterKind
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.domain.topics import Topic, TopicSlug
from digest.pipeline.sign_ups import take_in_sign_ups
from digest.runtime import Runtime, utc_now
from digest.settings import Settings
from digest.store.database import open_engine, reading, writing
from digest.store.letters import LetterRow, queue_letter
from digest.store.newsletters import add_newsletter, add_topic, get_newsletter
from digest.store.schema import migrate
from digest.store.sign_ups import SignUpRow
from digest.store.subscribers import find_subscription, subscribe
from digest.web.app import serve

CONVERSATIONS = 100
"""Connections that the people use: more than are ever waited for at once."""

NAIVE_SECONDS = 10
TOPICS = 20
SLUG = "measured"
DRAINING = 120.0


@dataclass(frozen=True, slots=True)
class Figures:
    """`per_s` sign-ups were answered in a second, 95 of 100 within `p95_ms`.

    After the last a worker took `taken_in_s` to have all of them taken in, with `letters` to be sent. At the
    same rate, for ten seconds, the usual way answered `naive_per_s`.
    """

    database: str
    wanted_per_s: int
    seconds: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int
    taken_in_s: float
    letters: int
    naive_per_s: float
    naive_p95_ms: float


def measure(kind: str, *, rate: int, seconds: int) -> Figures:
    """Return the figures. Raises `AssertionError` when a sign-up that was answered is lost."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        url = stack.enter_context(_newsletter(kind, folder))
        address = stack.enter_context(_process(_serve, url))
        stack.enter_context(_process(_work, url))
        waits, spent = asyncio.run(_people(address, rate=rate, count=rate * seconds))
        letters, taken_in = _drained(url)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        url = stack.enter_context(_newsletter(kind, folder))
        address = stack.enter_context(_process(_serve_naively, url))
        naive, naive_spent = asyncio.run(_people(address, rate=rate, count=rate * NAIVE_SECONDS))
    assert letters == len(waits), f"{len(waits)} were answered, and {letters} are mailed"
    return Figures(
        database=kind,
        wanted_per_s=rate,
        seconds=seconds,
        per_s=round(len(waits) / spent, 1),
        p50_ms=_percentile(waits, 0.5),
        p95_ms=_percentile(waits, 0.95),
        p99_ms=_percentile(waits, 0.99),
        failed=rate * seconds - len(waits),
        taken_in_s=round(taken_in, 1),
        letters=letters,
        naive_per_s=round(len(naive) / naive_spent, 1),
        naive_p95_ms=_percentile(naive, 0.95),
    )


async def _people(address: str, *, rate: int, count: int) -> tuple[list[float], float]:
    """Have `count` people sign up at an even rate; return the ms each answer took, and the seconds of all."""
    loop, place = asyncio.get_running_loop(), urlsplit(address)
    began = loop.time() + 0.5
    numbers = iter(range(count))
    waits: list[float] = []

    async def converse() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for number in numbers:
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(_request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            if head.split(b" ", 2)[1] == str(HTTPStatus.SEE_OTHER.value).encode():
                waits.append((loop.time() - due) * 1000)
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
        writer.close()

    await asyncio.gather(*(converse() for _ in range(CONVERSATIONS)))
    return waits, loop.time() - began


def _request(number: int) -> bytes:
    body = urlencode(
        {"email": f"person{number}@d{number % 997}.example.org", "topic": "topic-3", "from": "form"}
    ).encode()
    return (
        f"POST /subscribe/{SLUG} HTTP/1.1\r\nHost: digest.example.org\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _percentile(waits: list[float], share: float) -> float:
    return round(sorted(waits)[int(share * (len(waits) - 1))], 1) if waits else 0.0


def _drained(url: str) -> tuple[int, float]:
    """Wait until a worker has taken all in; return how many letters wait then, and how long that took."""
    engine = open_engine(url)
    began = time.perf_counter()
    while time.perf_counter() - began < DRAINING:
        with reading(engine) as session:
            if not session.scalar(select(func.count()).select_from(SignUpRow)):
                break
        time.sleep(0.2)
    spent = time.perf_counter() - began
    with reading(engine) as session:
        letters = session.scalar(select(func.count()).select_from(LetterRow)) or 0
    engine.dispose()
    return letters, spent


@contextmanager
def _newsletter(kind: str, folder: Path) -> Iterator[str]:
    with database(kind, folder) as url:
        engine = open_engine(url)
        migrate(engine)
        with writing(engine) as session:
            made = add_newsletter(
                session,
                Newsletter(NewsletterId(0), SLUG, "Measured", "Measured", "desk@news.example.org", "1 Quay"),
                now=NOW,
            )
            for number in range(TOPICS):
                add_topic(session, made.id, Topic(TopicSlug(f"topic-{number}"), f"Topic {number}"))
        engine.dispose()
        yield url


def _runtime(url: str) -> Runtime:
    return Runtime(
        Settings(
            database_url=url,
            secret_key="a key that signs links of this benchmark alone",
            public_url="https://digest.example.org",
            sign_ups_per_domain_hour=0,
            sign_ups_per_newsletter_hour=0,
        )
    )


Part = Callable[[str, Connection, Any], None]


@contextmanager
def _process(part: Part, url: str) -> Iterator[str]:
    """Run a part of the system in a process of its own; give what it says first."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    ends = spawn.Event()
    process = spawn.Process(target=part, args=(url, theirs, ends))
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ends.set()
        if part is not _work:
            process.terminate()
        process.join()


def _serve(url: str, listening: Connection, _ends: Any) -> None:
    serve(_runtime(url), host="127.0.0.1", port=0, on_listening=listening.send)


def _work(url: str, ready: Connection, ends: Any) -> None:
    """Look every two seconds whether there is something to take in, as sweeps do."""
    runtime = _runtime(url)
    ready.send("")
    while not ends.wait(2.0):
        take_in_sign_ups(runtime, should_stop=ends.is_set)


def _serve_naively(url: str, listening: Connection, _ends: Any) -> None:
    runtime, app = _runtime(url), FastAPI()

    def store(email: str, topic: str) -> None:
        with writing(runtime.engine) as session:
            newsletter = get_newsletter(session, SLUG)
            if find_subscription(session, newsletter.id, email) is not None:
                return
            made = subscribe(
                session,
                newsletter.id,
                email=email,
                follows=[TopicSlug(topic)],
                state=SubscriptionState.PENDING,
                now=utc_now(),
            )
            queue_letter(session, LetterKind.CONFIRMATION, newsletter.id, made.subscriber.id, now=utc_now())

    @app.post(f"/subscribe/{SLUG}")
    async def ask(request: Request) -> RedirectResponse:
        form = await request.form()
        await run_in_threadpool(store, str(form["email"]), str(form["topic"]))
        return RedirectResponse("/asked", HTTPStatus.SEE_OTHER)

    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None))

    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        host, port = listener.getsockname()
        listening.send(f"http://{host}:{port}/")
        server.run(sockets=[listener])


def main() -> None:
    """Print a table, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--rate", type=int, default=500, help="sign-ups a second")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    figures = measure(options.database, rate=options.rate, seconds=options.seconds)
    title = f"{figures.wanted_per_s} sign-ups a second for {figures.seconds} s, {figures.database}"
    tell(figures, figures_table(title, figures), as_json=options.json)


if __name__ == "__main__":
    main()
