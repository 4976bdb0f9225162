"""Accounts in a real browser: from the first link to a second key, on pages that anybody can use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from digest.admit.entering import make_first_link, make_link
from digest.admit.totp import code_at, step_at
from digest.domain.accounts import Role
from digest.store.accounts import get_account
from digest.store.database import writing
from tests.servers.browser import ChromiumBrowser
from tests.servers.mail_tools import PACKAGES
from tests.servers.processes import free_port
from tests.web.people import email_of
from tests.web.site import Site, serving
from tests.web.test_browser import overflow
from tests.web.test_sign_in import at
from tests.web.world import NOW

PASSWORD, OTHER = "four calm words here", "five other words stand here"

FINDINGS = """async () => {
  const { violations } = await axe.run(document);
  return violations.map(one => `${one.id}: ${one.nodes[0].html}`);
}"""


@pytest.fixture
def fresh(empty_database: Path, tmp_path: Path) -> Iterator[Site]:
    with serving(at(empty_database, tmp_path), free_port(), role=None) as site:
        yield site


def test_from_the_first_link_to_a_second_key_by_keyboard_alone(fresh: Site, page: Page) -> None:
    page.context.clear_cookies()
    url = str(fresh.client.base_url)
    token = make_first_link(fresh.runtime.engine, now=NOW)

    def type_into(*fields: str) -> None:
        # The field that one begins in may have the focus a moment after its page is there.
        page.locator("input:focus").wait_for()
        for number, text in enumerate(fields):
            if number:
                page.keyboard.press("Tab")
            page.keyboard.type(text)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    page.goto(f"{url}/enter/{token}")
    type_into("Ada Ilves", "ada@example.org", "short but the browser minds")
    assert page.locator("nav[aria-label=Places]").is_visible(), "she is in"
    page.goto(f"{url}/account")
    with page.expect_navigation():
        page.get_by_role("button", name="Set up").press("Enter")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.get_by_label("Code").focus()
    type_into(code_at(secret, step_at(NOW) - 1))
    assert len(page.locator(".codes code").all()) == 10
    page.goto(f"{url}/account")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").press("Enter")
    assert page.title() == "Sign in – Digest"
    page.goto(f"{url}/audit?by=Ada+Ilves")
    type_into("ada@example.org", "short but the browser minds")
    assert page.title() == "Your phone’s code – Digest"
    type_into(code_at(secret, step_at(NOW)))
    assert page.url == f"{url}/audit?by=Ada+Ilves", "where she wanted to go"
    assert "account second factor added" in page.locator("main").inner_text()


def test_a_wrong_password_is_told_and_the_address_kept(fresh: Site, page: Page) -> None:
    page.context.clear_cookies()
    page.goto(f"{fresh.client.base_url}/sign-in")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("not this one")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text().startswith("This address and this password do not belong")
    assert page.get_by_label("E-mail address").input_value() == "ada@example.org"
    assert page.get_by_label("Password").evaluate("e => e === document.activeElement")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_and_nothing_lies_beside_a_phone(
    dark: bool, open_site: Callable[..., Site], empty_database: Path, browser: ChromiumBrowser
) -> None:
    site = open_site(empty_database)
    axe = (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")
    with writing(site.runtime.engine) as session:
        token = make_link(session, get_account(session, email_of(Role.ADMIN)), by="Ada", now=NOW)
    with browser.page(width=375, dark=dark) as page:

        def look(name: str) -> None:
            page.evaluate(f"() => {{ {axe} }}")
            assert page.evaluate(FINDINGS) == [], name
            assert overflow(page) == 0, name

        for path in (
            "/account",
            "/accounts",
            "/audit",
            "/audit?what=issue",
            f"/enter/{token}",
            "/enter/used",
        ):
            page.goto(site.url + path)
            look(path)
        page.goto(f"{site.url}/accounts")
        page.get_by_text("More").first.click()
        page.get_by_label("E-mail address").fill("nele@example.org")
        page.get_by_role("button", name="Make account and link").click()
        look("link")
        page.goto(f"{site.url}/account")
        page.get_by_role("button", name="Set up").click()
        look("phone")
        secret = re.sub(r"\s", "", page.locator("code").inner_text())
        page.get_by_label("Code").fill(code_at(secret, step_at(NOW)))
        page.get_by_role("button", name="Ask for it from now on").click()
        look("codes")
        page.goto(f"{site.url}/account")
        look("with a phone")
        page.context.clear_cookies()
        page.goto(f"{site.url}/account")
        look("sign in")
