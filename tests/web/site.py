"""The real server in a thread, and a client that takes every status as a result."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import httpx2
import pytest
import uvicorn

from digest.admit.sessions import csrf_of
from digest.domain.accounts import Role
from digest.domain.newsletters import NewsletterId
from digest.pipeline.hooks import Hooks
from digest.runtime import Runtime
from digest.track.tokens import Purpose
from digest.web.app import make_app
from digest.web.ops import tallies
from tests.waiting import PATIENCE
from tests.web.people import TOKENS, add_session, cookie_header
from tests.web.world import SENDING, reader_id

ENDING_MOST = 4
_ending: deque[Thread] = deque()
"""Servers that were told to end."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site that serves `runtime` at its public address, to somebody of this role; None: to nobody known."""

    runtime: Runtime
    client: httpx2.Client
    role: Role | None = None

    @property
    def url(self) -> str:
        return self.runtime.settings.public_url

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(path)

    def post(self, path: str, **form: str | list[str]) -> httpx2.Response:
        return self.client.post(path, data=form)

    def submit(self, path: str, **form: str | list[str]) -> httpx2.Response:
        """Send a form of the desk, as its page would."""
        assert self.role
        return self.client.post(path, data={"csrf": csrf_of(TOKENS[self.role]), **form})

    def submit_and_look(self, path: str, **form: str | list[str]) -> str:
        """Send a form that makes something secret, and return the page that its answer leads to."""
        answer = self.submit(path, **form)
        assert answer.status_code == 303, answer.text
        cookies = [self.client.headers["cookie"], answer.headers["set-cookie"].partition(";")[0]]
        page = self.client.get(answer.headers["location"], headers={"cookie": "; ".join(cookies)})
        assert "digest-handed=" in page.headers["set-cookie"], "the browser forgets what was shown"
        assert "Max-Age=0" in page.headers["set-cookie"]
        return page.text

    @contextmanager
    def seen_by(self, role: Role | None) -> Iterator[Site]:
        """The same site as another sees it."""
        headers = {}
        if role:
            add_session(self.runtime, role)
            headers = cookie_header(self.runtime, role)
        with _client(str(self.client.base_url), headers) as client:
            yield Site(self.runtime, client, role)

    def link(self, purpose: Purpose, email: str, first: int = 1) -> str:
        """The path of a link as it stands in the reader's mail."""
        who = reader_id(self.runtime.engine, email)
        number = SENDING if purpose is Purpose.ONLINE else first
        tokens = self.runtime.tokens
        if purpose is Purpose.PREFERENCES:
            return f"/{purpose}/{tokens.sign_preferences(NewsletterId(number), who, email)}"
        return f"/{purpose}/{tokens.sign(purpose, number, who)}"


@contextmanager
def serving(
    runtime: Runtime, port: int, hooks: Hooks | None = None, *, role: Role | None = Role.ADMIN
) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        # However busy the machine is: a page shows what it would in time on one that is not.
        patch.setattr(tallies, "WAIT_SECONDS", PATIENCE)
        patch.setattr(tallies, "QUICK_SECONDS", PATIENCE)
        with _served(runtime, port, hooks, role) as site:
            yield site


@contextmanager
def _served(runtime: Runtime, port: int, hooks: Hooks | None, role: Role | None) -> Iterator[Site]:
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
        with _client(f"http://127.0.0.1:{port}", {}) as client:
            nobody = Site(runtime, client)
            if role is None:
                yield nobody
                return
            with nobody.seen_by(role) as site:
                yield site
    finally:
        server.should_exit = True
        # It takes 0.2 s to look up and end, which is longer than most tests: the next ones go on meanwhile.
        _ending.append(thread)
        while len(_ending) > ENDING_MOST:
            _ending.popleft().join(PATIENCE)


def _client(address: str, headers: dict[str, str]) -> httpx2.Client:
    # verify=False: reading the authorities' certificates takes longer than most tests here.
    return httpx2.Client(base_url=address, headers=headers, trust_env=False, verify=False, timeout=PATIENCE)
