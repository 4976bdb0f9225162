"""Debian's Chromium through Playwright, kept away from the network and out of other tests' way."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.servers.processes import program
from tests.waiting import PATIENCE

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without windows: a page costs it a quarter of the processor time."""

ARGUMENTS = [
    "--no-sandbox",  # containers have no user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # One process for the pages of a site, and none in reserve: to start one costs more than most tests.
    "--disable-site-isolation-trials",
    "--process-per-site",
    # Whatever a page or the browser itself asks for, by name or by number. A route of Playwright's does the
    # same at twice the processor time of a page: each request goes by three processes, and nothing is cached.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def photograph(page: Page, file: Path, *, whole: bool = False) -> None:
    """Keep a picture of what is on the page's screen, or of the whole page, as a PNG packed in haste.

    Playwright's own `screenshot` has Chromium pack as tight as it can: half of what a picture costs.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    session = page.context.new_cdp_session(page)
    options: dict[str, object] = {"format": "png", "optimizeForSpeed": True}
    if whole:
        size = session.send("Page.getLayoutMetrics")["cssContentSize"]
        options |= {"clip": {**size, "scale": 1}, "captureBeyondViewport": True}
    taken = session.send("Page.captureScreenshot", options)
    session.detach()
    file.write_bytes(b64decode(taken["data"]))


class ChromiumBrowser:
    """One browser for many tests.

    Playwright's synchronous interface leaves its event loop marked as running in this thread between calls,
    and then `asyncio.run` fails in every later test. So the loop is set aside between pages: only inside
    `page()` can no other loop run. Pages of several people may be open at once, one inside the other.
    """

    def __init__(self) -> None:
        self._open = 0
        # What is waited for comes in time on a quiet machine; on a busy one nobody knows when.
        expect.set_options(timeout=PATIENCE * 1000)
        self._manager = sync_playwright()
        playwright: Playwright = self._manager.__enter__()
        self._chromium: Browser = playwright.chromium.launch(
            executable_path=program(*PROGRAMS, package="chromium-headless-shell"),
            args=ARGUMENTS,
            timeout=PATIENCE * 1000,
        )
        self._set_aside()

    @contextmanager
    def page(
        self, *, width: int = 1280, height: int = 800, dark: bool = False, scripts: bool = True
    ) -> Iterator[Page]:
        """A page of a fresh profile; what is not on the loopback it cannot load."""
        if not self._open:
            self._take_up()
        self._open += 1
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            service_workers="block",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE * 1000)
        try:
            yield context.new_page()
        finally:
            context.close()
            self._open -= 1
            if not self._open:
                self._set_aside()

    def stop(self) -> None:
        """End the browser and Playwright's driver."""
        self._take_up()
        self._chromium.close()
        self._manager.__exit__()

    def _set_aside(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        if self._task is not None:
            asyncio.tasks._leave_task(self._loop, self._task)
        asyncio._set_running_loop(None)

    def _take_up(self) -> None:
        asyncio._set_running_loop(self._loop)
        if self._task is not None:
            asyncio.tasks._enter_task(self._loop, self._task)
