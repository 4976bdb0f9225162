"""Somebody at a browser, who finds things by what they are called, and every page they come to looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from digest.domain.accounts import Role
from tests.servers.browser import ChromiumBrowser
from tests.web.axe import CONTRAST, faults
from tests.web.people import add_session, sign_in_browser
from tests.web.site import Site
from tests.web.test_browser import overflow

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 800}


@dataclass(slots=True)
class Person:
    """A page of a browser, and how its person uses it. Each kind of page is looked at once."""

    page: Page
    url: str
    known: set[str] = field(default_factory=set)

    def opens(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.url + path)

    def follows(self, words: str) -> None:
        """Follow the first link that begins with these words."""
        self.page.get_by_role("link", name=re.compile(f"^{re.escape(words)}")).first.click()

    def presses(self, words: str) -> None:
        """Press the first button that begins with these words."""
        button = self.page.get_by_role("button", name=re.compile(f"^{re.escape(words)}")).first
        button.wait_for()
        self.page.wait_for_load_state()
        button.click()

    def opens_up(self, words: str) -> None:
        """Open what is folded away under these words."""
        self.page.locator("summary").get_by_text(words).first.click()

    def writes(self, text: str, *, into: str) -> Locator:
        """Write into the field of this name, in place of what is there."""
        found = self.page.get_by_label(into, exact=True).and_(self.page.locator(":visible"))
        found.wait_for()
        self.page.wait_for_load_state()  # before, no script hears what is typed
        found.fill(text)
        return found

    def comes_to(self, title: str | re.Pattern[str]) -> None:
        """Wait for the page of this title; then let axe and a phone look at it, light and dark."""
        expect(self.page).to_have_title(re.compile(re.escape(title)) if isinstance(title, str) else title)
        self.page.wait_for_load_state()
        self.looks_around()

    def reads(self, words: str | re.Pattern[str]) -> None:
        """Wait until the page says this."""
        expect(self.page.get_by_text(words).first).to_be_visible()

    def looks_around(self) -> None:
        """Fail for what somebody could not use: on a wide light screen, and dark on a phone."""
        kind = re.sub(r"\d+|[\w-]{30,}", "…", urlsplit(self.page.url).path)
        if kind in self.known:
            return
        self.known.add(kind)
        assert faults(self.page) == [], kind
        self.page.emulate_media(color_scheme="dark")
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert faults(self.page, CONTRAST) == [], f"{kind}, dark, on a phone"
        assert overflow(self.page) == 0, f"{kind} goes beyond the side of a phone"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]


@contextmanager
def signed_in(
    browser: ChromiumBrowser,
    site: Site,
    role: Role,
    *,
    width: int = 1280,
    dark: bool = False,
    scripts: bool = True,
) -> Iterator[Person]:
    """Somebody of this role, who is signed in."""
    add_session(site.runtime, role)
    with browser.page(width=width, dark=dark, scripts=scripts) as page:
        yield Person(sign_in_browser(page, role), site.url)
