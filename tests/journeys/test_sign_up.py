"""From the sign-up page by the mail that asks, to a digest with only the chosen topics. No script runs."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from digest.address.steps import address_issue
from digest.compose.steps import compose
from digest.domain.newsletters import NewsletterId
from digest.pipeline.letters import post_all_letters
from digest.pipeline.run import approve_issue
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime
from digest.store.consents import consents_of
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.web.sign_up import offers
from tests.journeys.person import Person
from tests.samples import ITEMS
from tests.servers.browser import ChromiumBrowser
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.web.axe import CONTRAST, faults
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.test_browser import overflow
from tests.web.world import (
    NEXT_WEEK,
    NOW,
    THIS_WEEK,
    a_week_later,
    add_articles,
    add_readers,
    add_sample_newsletter,
    reader_id,
    send_to_all,
)

EMAIL = "grace@gmail.com"
PAGE = "/subscribe/saturday"


@pytest.fixture
def site(
    empty_database: Path, tmp_path: Path, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """A newsletter that went out once, on a clock that goes, and its mail server."""
    monkeypatch.setattr(offers, "FRESH_SECONDS", -1.0)
    file, port = shutil.copy(empty_database, tmp_path / "sign-up.db"), free_port()
    began = time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began)

    settings = runtime_on(f"sqlite:///{file}", port, mail_url=smtp_sink.url).settings
    runtime = Runtime(settings, clock=clock)
    newsletter = add_sample_newsletter(runtime.engine, cadences=("every", "monthly"))
    add_articles(runtime.engine, newsletter, ITEMS)
    add_readers(runtime.engine, newsletter)
    send_to_all(runtime, newsletter, THIS_WEEK)
    with serving(runtime, port, role=None) as site:
        yield site
    runtime.engine.dispose()


@pytest.fixture
def somebody(browser: ChromiumBrowser, site: Site) -> Iterator[Person]:
    """Somebody who has never been here."""
    with browser.page() as page:
        yield Person(page, site.url)


def mails_to(sink: SmtpSink, email: str) -> list[EmailMessage]:
    mails = [message_from_bytes(octets, policy=policy.default) for octets in sink.contents()]
    return [mail for mail in mails if email in str(mail["to"])]


def beside(work: Callable[[], None]) -> None:
    """Do what a worker does, in a thread: the browser's own has a loop that goes on."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def look_at(page: Page) -> None:
    """Have axe and a phone look at a page, light and dark."""
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0
        page.emulate_media(color_scheme="light")
        assert faults(page) == []
        page.emulate_media(color_scheme="dark")
        assert faults(page, CONTRAST) == []
    page.set_viewport_size({"width": 1280, "height": 800})


def test_from_the_page_to_a_digest_of_the_chosen_topics(
    site: Site, somebody: Person, smtp_sink: SmtpSink
) -> None:
    page = somebody.page
    somebody.opens(PAGE)
    sample = page.locator(".sample")
    expect(sample.get_by_text("Tick topics to see what they had in it.")).to_be_visible()
    assert sample.locator("li:visible").count() == 0
    look_at(page)
    page.get_by_role("checkbox", name=re.compile("^Space")).check()
    expect(sample.get_by_text("Tick topics")).to_be_hidden()
    shown = sample.locator("li:visible")
    assert 0 < shown.count() <= 3
    somebody.writes("grace@gmial.com", into="Your address")
    somebody.writes("Grace", into="Your name, if you like")
    page.wait_for_timeout(2_100)  # nobody fills the page in faster
    somebody.presses("Subscribe")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean grace@gmail.com?")
    assert page.get_by_role("checkbox", name=re.compile("^Space")).is_checked()
    look_at(page)
    page.wait_for_timeout(2_100)
    somebody.presses("Use grace@gmail.com")
    expect(page).to_have_url(re.compile(r"/subscribe/saturday/asked"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    look_at(page)

    beside(lambda: post_all_letters(site.runtime, put_off_too=False, on_settled=lambda _: None))
    (asks,) = mails_to(smtp_sink, EMAIL)
    assert "Space" in text_of(asks)
    assert "Climate" not in text_of(asks)
    link = re.search(r"http://\S+/confirm/\S+", text_of(asks))
    assert link
    page.goto(link[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your subscription")
    look_at(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed")
    look_at(page)
    somebody.follows("Change topics")
    expect(page.get_by_role("checkbox", name=re.compile("^Space"))).to_be_checked()

    with reading(site.runtime.engine) as session:
        who = reader_id(site.runtime.engine, EMAIL)
        acts = [one.act.value for one in consents_of(session, NewsletterId(1), who)]
    assert acts == ["asked", "confirmed"]
    beside(lambda: send_next_week(site.runtime))
    _, digest = mails_to(smtp_sink, EMAIL)
    told = text_of(digest)
    assert "SPACE" in told.upper()
    assert "CLIMATE & ENERGY" not in told.upper()


def send_next_week(runtime: Runtime) -> None:
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
    add_articles(runtime.engine, newsletter, map(a_week_later, ITEMS))
    issue = compose(runtime.engine, newsletter, NEXT_WEEK, now=NOW).issue
    assert issue
    approve_issue(runtime, issue.id, by="Edith", despite_errors=True)
    address_issue(runtime.engine, issue.id, now=NOW)
    for issue_id in open_issues(runtime):
        send_for_a_while(runtime, issue_id)


def test_the_form_for_other_sites_leads_here_from_elsewhere(
    site: Site, somebody: Person, smtp_sink: SmtpSink
) -> None:
    page = somebody.page
    somebody.opens(f"{PAGE}/form")
    copied = page.get_by_label("HTML to copy").input_value()
    look_at(page)
    page.goto("about:blank")
    page.set_content(f"<title>Another site</title>{copied}")
    page.get_by_label("Space").check()
    page.get_by_label("Your address").fill("grace@example.org")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    beside(lambda: post_all_letters(site.runtime, put_off_too=False, on_settled=lambda _: None))
    assert len(mails_to(smtp_sink, "grace@example.org")) == 1


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_the_page_in_other_languages_fits_a_phone(language: str, site: Site, somebody: Person) -> None:
    for path in (PAGE, f"{PAGE}/asked"):
        somebody.opens(f"{path}?language={language}")
        assert somebody.page.locator("html").get_attribute("lang") == language
        look_at(somebody.page)


def test_all_of_it_is_done_by_keyboard(site: Site, somebody: Person) -> None:
    page = somebody.page
    somebody.opens(PAGE)
    page.wait_for_timeout(2_100)
    page.get_by_label("Your address").focus()
    page.keyboard.type("grace@example.org")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.value") == "climate":
            break
    page.keyboard.press("Space")
    page.get_by_label("Your address").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
