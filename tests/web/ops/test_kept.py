"""What is kept, for how long, and what is stored of somebody: handed out and erased by admins alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from digest.domain.accounts import Role
from digest.pipeline.purging import purge
from digest.store.audit import list_entries, record
from digest.store.database import reading, writing
from digest.store.erasure_orders import add_order
from tests.servers.browser import ChromiumBrowser
from tests.stores_searched import columns_that_hold
from tests.web.axe import faults
from tests.web.ops.reading import buttons, follow, read, text_of
from tests.web.people import sign_in_browser
from tests.web.site import Site
from tests.web.test_browser import overflow
from tests.web.world import ADA, NOW

PAGE = "/ops/kept"


@pytest.fixture
def admin(open_site: Callable[..., Site], ops_database: Path) -> Iterator[Site]:
    with open_site(ops_database).seen_by(Role.ADMIN) as site:
        yield site


def test_everybody_sees_the_terms_and_what_went(ops: Site) -> None:
    told = read(ops, PAGE)
    assert "mails of issues that ended 180 days · keep_mail_days No worker has looked yet." in told
    assert "People who left everything 3 years · keep_left_days" in told
    assert "What is stored of somebody" not in told
    with writing(ops.runtime.engine) as session:
        record(session, by="Cy", what="issue.approved", about="issue 1", now=NOW - timedelta(days=800))
    purge(ops.runtime)
    told = read(ops, PAGE)
    assert "2 years · keep_record_days 1 went in 30 days. Last looked at on 23 November, 07:00 UTC." in told
    assert "Sign-ups that nobody confirmed 30 days · keep_unconfirmed_days None went in 30 days." in told


def test_an_admin_looks_somebody_up_and_hands_all_of_it_out(admin: Site) -> None:
    assert buttons(admin, PAGE) >= {"Look up"}
    shown = admin.submit(PAGE, email=f" {ADA} ")
    assert shown.status_code == 200
    assert ADA not in str(shown.url), "it is in no history and no log"
    told = text_of(shown.text)
    assert "subscriptions 1" in told
    assert "saturday: active" in told
    file = admin.submit(f"{PAGE}/data", email=ADA)
    assert file.headers["content-disposition"] == 'attachment; filename="reader.json"'
    assert file.headers["cache-control"] == "no-store"
    assert json.loads(file.text)["address"] == ADA


def test_an_admin_erases_somebody_for_good(admin: Site) -> None:
    assert f"Erase {ADA}" in admin.submit(PAGE, email=ADA).text
    assert "All that was stored of them is gone." in follow(admin, f"{PAGE}/erase", email=ADA)
    assert columns_that_hold(admin.runtime.engine, ADA) == []
    with reading(admin.runtime.engine) as session:
        assert "reader.erased" in {entry.what for entry in list_entries(session, limit=3)}
    again = admin.submit(PAGE, email=ADA)
    assert again.status_code == 404
    assert "This address was erased before" in text_of(again.text)


def test_one_that_goes_on_is_told_as_that(admin: Site) -> None:
    with writing(admin.runtime.engine) as session:
        add_order(session, ADA, by="Cy", now=NOW, lease_until=NOW + timedelta(minutes=5))
    assert "They are being erased." in follow(admin, f"{PAGE}/erase", email=ADA)


@pytest.mark.parametrize(
    ("email", "status", "said"),
    [
        ("", 422, "not an e-mail address"),
        ("nobody", 422, "not an e-mail address"),
        ("nobody@example.org", 404, "Nothing is stored of this address"),
        ("a@" + "b" * 400 + ".org", 422, ""),
    ],
)
def test_what_is_no_address_or_nobodys_is_told(admin: Site, email: str, status: int, said: str) -> None:
    for path in (PAGE, f"{PAGE}/data", f"{PAGE}/erase"):
        answer = admin.submit(path, email=email)
        assert answer.status_code == status, path
        assert said.lower() in text_of(answer.text).lower()
        assert "<script>" not in answer.text


def test_nobody_else_may(ops: Site) -> None:
    for path in (PAGE, f"{PAGE}/data", f"{PAGE}/erase"):
        assert ops.submit(path, email=ADA).status_code == 403
    assert columns_that_hold(ops.runtime.engine, ADA)


def test_it_is_done_by_keyboard_on_a_phone_and_asked_for_twice(admin: Site, browser: ChromiumBrowser) -> None:
    with browser.page(width=375, scripts=False) as page:
        sign_in_browser(page)
        page.goto(f"{admin.url}{PAGE}")
        page.get_by_label("Their address").fill(ADA)
        page.keyboard.press("Enter")
        erase = page.get_by_role("button", name=f"Erase {ADA}")
        assert erase.count() == 0, "it is not there before it is asked for"
        page.get_by_text("Erase for good …").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("cannot be brought back")).to_be_visible()
        assert overflow(page) == 0
        erase.click()
        expect(page.get_by_text("All that was stored of them is gone.")).to_be_visible()
    assert columns_that_hold(admin.runtime.engine, ADA) == []


def test_what_is_found_is_well_to_read_for_all(admin: Site, browser: ChromiumBrowser) -> None:
    with browser.page(dark=True) as page:
        sign_in_browser(page)
        page.goto(f"{admin.url}{PAGE}")
        page.get_by_label("Their address").fill(ADA)
        page.keyboard.press("Enter")
        page.get_by_text("Erase for good …").click()
        assert faults(page) == []
