"""A send that somebody watches, stops in its middle and lets go on: each reader has it once."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from digest.domain.accounts import Role
from digest.domain.deliveries import DeliveryState
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.subscribers import subscribe
from tests.journeys.person import signed_in
from tests.samples import CLIMATE, ITEMS
from tests.servers.browser import ChromiumBrowser
from tests.servers.faults import Faults
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.world import NOW, SENDING, THIS_WEEK, add_articles, add_sample_newsletter, send_to_all

READERS = 60
PATH = f"/ops/sends/{SENDING}"


@pytest.fixture
def site(empty_database: Path, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Site]:
    """An issue for sixty readers, addressed; nobody sends it yet."""
    file, port = shutil.copy(empty_database, tmp_path / "sending.db"), free_port()
    began = time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    settings = runtime_on(f"sqlite:///{file}", port, mail_url=smtp_sink.url, mail_sessions=2).settings
    runtime = Runtime(settings, clock=clock)
    newsletter = add_sample_newsletter(runtime.engine)
    add_articles(runtime.engine, newsletter, ITEMS[:3])
    with writing(runtime.engine) as session:
        for number in range(READERS):
            subscribe(session, newsletter.id, email=f"r{number}@example.org", follows=[CLIMATE], now=NOW)
    send_to_all(runtime, newsletter, THIS_WEEK)
    with serving(runtime, port) as site:
        yield site
    runtime.engine.dispose()


class Worker:
    """Sends whatever is to be sent, in a thread of its own, until it is left; it counts its rounds."""

    def __init__(self, runtime: Runtime) -> None:
        self.rounds = 0
        self._runtime = runtime
        self._stop = Event()
        self._thread = Thread(target=self._work, name="worker of a test", daemon=True)

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            for issue in open_issues(self._runtime):
                send_for_a_while(self._runtime, issue, should_stop=self._stop.is_set)
            self.rounds += 1

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def count(site: Site, *states: DeliveryState) -> int:
    with reading(site.runtime.engine) as session:
        found = session.scalar(select(func.count()).where(DeliveryRow.state.in_(states)))
    return found or 0


def test_a_running_send_is_watched_stopped_and_taken_up_again(
    site: Site, browser: ChromiumBrowser, smtp_sink: SmtpSink
) -> None:
    smtp_sink.slow_down(after=10, seconds=0.3)
    with signed_in(browser, site, Role.OPS, dark=True) as omar, Worker(site.runtime) as worker:
        omar.opens("/ops")
        omar.comes_to("Ops room")
        omar.follows("The Saturday Reader")
        omar.comes_to("The Saturday Reader – Digest")
        live = omar.page.locator("#live")
        smtp_sink.wait_for(12)
        expect(live).to_contain_text(re.compile(rf"\d\d of {READERS} done"))

        omar.opens_up("Pause …")
        omar.writes("the date in the subject is wrong", into="Why, for the others")
        omar.presses("Pause it")
        omar.reads("The send is paused.")
        omar.reads("the date in the subject is wrong")
        wait_until(lambda: count(site, DeliveryState.CLAIMED, DeliveryState.SENDING) == 0)
        sent, offered = smtp_sink.count(), smtp_sink.offered
        assert count(site, DeliveryState.ACCEPTED) == sent < READERS, "what was under way ended"
        rounds = worker.rounds
        wait_until(lambda: worker.rounds > rounds + 1)
        assert smtp_sink.offered == offered, "nothing new leaves while the worker looks again and again"
        assert count(site, DeliveryState.PENDING) == READERS - sent

        smtp_sink.faults = Faults()
        omar.presses("Go on")
        omar.reads("The send goes on where it was.")
        smtp_sink.wait_for(READERS)
        expect(live).to_contain_text(f"{READERS} of {READERS} done")
        expect(omar.page.get_by_text("Sent", exact=True).first).to_be_visible()
        omar.follows("Sends")
        omar.comes_to("Sends")
    assert smtp_sink.copies() == {f"r{number}@example.org": 1 for number in range(READERS)}
