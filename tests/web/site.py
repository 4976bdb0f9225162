"""The real server in a thread, and a client that takes every status as a result."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import httpx2
import uvicorn

from digest.pipeline.hooks import Hooks
from digest.runtime import Runtime
from digest.track.tokens import Purpose
from digest.web.app import make_app
from tests.waiting import PATIENCE
from tests.web.world import SENDING, reader_id


@dataclass(frozen=True, slots=True)
class Site:
    """A site that serves `runtime` at its public address."""

    runtime: Runtime
    client: httpx2.Client

    @property
    def url(self) -> str:
        return self.runtime.settings.public_url

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(path)

    def post(self, path: str, **form: str | list[str]) -> httpx2.Response:
        return self.client.post(path, data=form)

    def link(self, purpose: Purpose, email: str, first: int = 1) -> str:
        """The path of a link as it stands in the reader's mail."""
        who = reader_id(self.runtime.engine, email)
        number = SENDING if purpose is Purpose.ONLINE else first
        return f"/{purpose}/{self.runtime.tokens.sign(purpose, number, who)}"


@contextmanager
def serving(runtime: Runtime, port: int, hooks: Hooks | None = None) -> Iterator[Site]:
    app = make_app(runtime, hooks=hooks)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, access_log=False, log_config=None, server_header=False
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, name="test site", daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive(), "the server ended before it served"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.005)
    try:
        address = f"http://127.0.0.1:{port}"
        # verify=False: reading the authorities' certificates takes longer than most tests here.
        with httpx2.Client(base_url=address, trust_env=False, verify=False, timeout=PATIENCE) as client:
            yield Site(runtime, client)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
