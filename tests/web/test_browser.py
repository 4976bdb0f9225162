"""The pages in a real browser: nothing runs that should not, everything can be read, reached and pressed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import update

from digest.domain.subscribers import SubscriptionState
from digest.domain.topics import Topic, TopicSlug
from digest.store.database import writing
from digest.store.revisions import RevisionRow
from digest.store.subscribers import SubscriberRow, subscribe
from digest.track.tokens import Purpose
from tests.compose.screens import looks_of
from tests.compose.test_hostile_text import HOSTILE
from tests.samples import CITIES, CLIMATE, ITEMS
from tests.servers.browser import ChromiumBrowser
from tests.web.axe import faults
from tests.web.site import Site
from tests.web.world import (
    ADA,
    CLEO,
    DRAFT,
    NOW,
    SENDING,
    THIS_WEEK,
    add_articles,
    add_sample_newsletter,
    follows_of,
    reader_id,
    send_to_all,
    state_of,
)

OWNED = "document.title='owned';parent.document.title='owned'"
POISON = " ".join(text.replace("alert(1)", "document.title=`owned`") for text in HOSTILE[:14])


@pytest.fixture
def site(open_site: Callable[..., Site], mailed_database: Path) -> Site:
    return open_site(mailed_database)


def pages_of(site: Site) -> dict[str, str]:
    return {
        "front": "/",
        "issue": f"/issues/{SENDING}",
        "draft": f"/issues/{DRAFT}",
        "board": f"/issues/{DRAFT}/draft",
        "article": f"/issues/{DRAFT}/draft/articles/13",
        "others": f"/issues/{DRAFT}/draft/others",
        "history": f"/issues/{DRAFT}/draft/history",
        "preview": f"/issues/{DRAFT}/preview?topic=space",
        "text": f"/issues/{SENDING}/preview?part=text",
        "source": f"/issues/{SENDING}/preview?part=source",
        "nothing to show": f"/issues/{SENDING}/preview?as={CLEO}",
        "unsubscribe": site.link(Purpose.UNSUBSCRIBE, ADA),
        "preferences": site.link(Purpose.PREFERENCES, ADA),
        "mute": site.link(Purpose.PREFERENCES, ADA) + f"/mute/{CLIMATE}",
        "fewer": site.link(Purpose.PREFERENCES, ADA) + f"/fewer/{SENDING}/0",
        "useful": site.link(Purpose.PREFERENCES, ADA) + f"/useful/{SENDING}/0",
        "online": site.link(Purpose.ONLINE, ADA),
        "not there": "/nowhere",
        "forged": "/unsubscribe/forged",
    }


def overflow(page: Page) -> int:
    """How many pixels of the page lie beside the screen."""
    beside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert isinstance(beside, int)
    return beside


# --- nothing runs


def test_a_script_inside_a_mail_runs_neither_in_the_frame_nor_alone(site: Site, page: Page) -> None:
    script = f'<script>{OWNED}</script><img src=x onerror="{OWNED}"><form action=/><button>x</button></form>'
    with writing(site.runtime.engine) as session:
        row = session.get_one(RevisionRow, (SENDING, 1))
        rendered = json.loads(row.rendered)
        rendered["opening"]["html"] = rendered["opening"]["html"].replace("</h1>", f"</h1>{script}")
        session.execute(update(RevisionRow).values(rendered=json.dumps(rendered)))
    assert script in site.get(f"/issues/{SENDING}/preview/mail").text, "the templates did let it through"
    page.goto(f"{site.url}/issues/{SENDING}/preview", wait_until="load")
    assert "16–22 November" in page.title()
    frame = page.frame_locator("iframe")
    assert frame.locator("h1").text_content() == "The Saturday Reader"
    assert page.frames[1].title() != "owned"
    for path in (f"/issues/{SENDING}/preview/mail", site.link(Purpose.ONLINE, ADA)):
        page.goto(site.url + path, wait_until="load")
        assert page.title() != "owned"
    page.goto("about:blank")
    page.set_content(site.get(f"/issues/{SENDING}/preview/mail").text)
    assert page.title() == "owned", "the control: outside frame and headers the same mail does run"


@pytest.fixture
def poisoned(open_site: Callable[..., Site], empty_database: Path) -> Site:
    """A site in which everything that people and feeds write is hostile."""
    site = open_site(empty_database)
    topics = [Topic(CLIMATE, POISON, POISON), Topic(CITIES, "w" * 200), Topic(TopicSlug("x"), "\u202egnp")]
    newsletter = add_sample_newsletter(
        site.runtime.engine, topics, name=POISON, sender_name=POISON, postal_address=POISON
    )
    item = replace(ITEMS[0], title=POISON, takeaways=(POISON, "w" * 10_000), source=POISON[:200])
    add_articles(site.runtime.engine, newsletter, [item])
    email = "a'onmouseover='b@example.org"
    with writing(site.runtime.engine) as session:
        subscribe(session, newsletter.id, email=email, name=POISON, follows=[CLIMATE], now=NOW)
        subscribe(session, newsletter.id, email=ADA, follows=[CLIMATE], now=NOW)
    send_to_all(site.runtime, newsletter, THIS_WEEK)
    return site


def test_hostile_names_and_articles_are_text_on_every_page(poisoned: Site, page: Page) -> None:
    paths = [
        "/",
        f"/issues/{SENDING}",
        f"/issues/{SENDING}/preview",
        f"/issues/{SENDING}/preview?topic=%22%3E%3Cscript%3Edocument.title=1%3C/script%3E",
        f"/issues/{SENDING}/preview?as=%22%3E%3Cimg%20src=x%20onerror=document.title=1%3E@example.org",
        "/?newsletter=%3Cscript%3Edocument.title='owned'%3C/script%3E",
        poisoned.link(Purpose.UNSUBSCRIBE, ADA),
        poisoned.link(Purpose.PREFERENCES, ADA),
        *(
            poisoned.link(Purpose.PREFERENCES, ADA) + way
            for way in ("/mute/climate", "/fewer/1/0", "/useful/1/0")
        ),
    ]
    page.set_viewport_size({"width": 375, "height": 800})
    for path in paths:
        page.goto(poisoned.url + path, wait_until="load")
        assert page.title() not in {"owned", "1"}, path
        foreign = page.locator("body script, svg, main img, [onerror], [onload], [onmouseover]")
        assert foreign.count() == 0, path
        assert overflow(page) == 0, path
    page.goto(poisoned.url, wait_until="load")
    assert page.get_by_role("heading", level=2).text_content() == " ".join(POISON.split())


# --- everything can be read and reached


def test_no_page_scrolls_sideways(still_mailed_site: Site, page: Page) -> None:
    for name, path in pages_of(still_mailed_site).items():
        page.goto(still_mailed_site.url + path)
        for width in (320, 375, 768, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert overflow(page) == 0, f"{name} at {width} pixels"


def test_all_text_can_be_read_in_the_light_and_in_the_dark(still_mailed_site: Site, page: Page) -> None:
    for name, path in pages_of(still_mailed_site).items():
        page.goto(still_mailed_site.url + path)
        for scheme, is_dark in (("light", False), ("dark", True)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            looks = looks_of(page, smallest=13)
            assert looks.texts >= 2, name
            assert (looks.pale, looks.small) == ([], []), (name, scheme)
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (max(map(int, background[4:-1].split(","))) < 64) is is_dark, (name, scheme)


def test_every_page_has_one_heading_and_a_name_for_each_field(still_mailed_site: Site, page: Page) -> None:
    for name, path in pages_of(still_mailed_site).items():
        page.goto(still_mailed_site.url + path)
        assert page.title(), name
        assert page.get_by_role("heading", level=1).count() == 1, name
        for field in page.locator("input:not([type=hidden]), iframe").all():
            named = field.evaluate("e => (e.labels && e.labels.length) || e.title.length")
            assert named, name


def test_what_is_pressed_with_a_finger_is_large_enough(
    still_mailed_site: Site, browser: ChromiumBrowser
) -> None:
    with browser.page(width=375) as page:
        paths = pages_of(still_mailed_site)
        for name, path in paths.items():
            if name not in ("unsubscribe", "preferences", "mute", "fewer", "useful", "preview"):
                continue
            page.goto(still_mailed_site.url + path)
            assert page.locator("button.mute:visible").count() == 2 * (name == "preferences"), (
                "as many as ticked"
            )
            for button in page.locator("button:visible").all():
                box = button.bounding_box()
                assert box, name
                assert box["height"] >= 44, name
            for choice in page.locator("label.tick:visible").all():
                box = choice.bounding_box()
                assert box, name
                assert box["height"] >= 36, name


# --- journeys


def test_a_reader_unsubscribes_and_comes_back_with_the_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.url + site.link(Purpose.UNSUBSCRIBE, ADA))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.UNSUBSCRIBED
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Welcome back").wait_for()
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


def test_a_reader_who_leaves_says_why_and_nothing_is_in_the_way(site: Site, browser: ChromiumBrowser) -> None:
    with browser.page(width=375) as page:
        page.goto(site.url + site.link(Purpose.UNSUBSCRIBE, ADA))
        page.get_by_role("button", name="Unsubscribe", exact=True).click()
        page.get_by_role("heading", name="You are unsubscribed").wait_for()
        assert overflow(page) == 0
        page.get_by_label("It came too often").check()
        page.get_by_label("In your own words").fill("Every week is too much for me.")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert faults(page) == []
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("status").wait_for()
        assert page.get_by_label("It came too often").is_checked()


def test_a_reader_asks_for_less_from_their_mail_and_takes_it_back(site: Site, page: Page) -> None:
    page.goto(site.url + site.link(Purpose.ONLINE, ADA))
    page.get_by_role("link", name="Fewer like this").first.click()
    page.get_by_role("button", name="One article of Climate & energy at most").click()
    page.get_by_role("button", name="All of Climate & energy again").wait_for()
    page.get_by_role("link", name="All your choices").click()
    page.get_by_role("heading", name="Less of").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="End it Climate & energy").click()
    page.get_by_role("heading", name="Less of").wait_for(state="detached")
    page.go_back()
    page.goto(site.url + site.link(Purpose.ONLINE, ADA))
    page.get_by_role("link", name="Mute this topic").first.click()
    page.get_by_role("button", name="Mute it for a month").click()
    page.get_by_role("button", name="End it now").wait_for()


def test_less_and_nothing_in_every_language_by_keyboard_on_a_phone_without_scripts(
    site: Site, browser: ChromiumBrowser
) -> None:
    mine = site.link(Purpose.PREFERENCES, ADA)
    begin, end = (
        {
            f"{mine}/mute/{CLIMATE}": f"[name=act][value={mute}]",
            f"{mine}/fewer/{SENDING}/0": f"[name=act][value={single}]",
            f"{mine}/useful/{SENDING}/0": f"[name=say][value={useful}]",
            mine: f"[name=save][value='{save}:food']",
            site.link(Purpose.UNSUBSCRIBE, ADA): f"form{form} button",
        }
        for mute, single, useful, save, form in (
            ("mute", "single", "useful", "mute", "[action$=on-the-page]"),
            ("end", "every", "nothing", "unmute", "[action$='/undo']"),
        )
    )
    with browser.page(width=375, scripts=False) as phone, browser.page(width=375) as seen:
        for language in ("de", "es", "fr"):
            with writing(site.runtime.engine) as session:
                session.get_one(SubscriberRow, reader_id(site.runtime.engine, ADA)).language = language
            for path, button in begin.items():
                press(phone, site.url + path, button)
            assert state_of(site.runtime.engine, ADA) is SubscriptionState.UNSUBSCRIBED
            for path, button in end.items():
                seen.goto(site.url + path)
                assert seen.locator("html").get_attribute("lang") == language
                assert overflow(seen) == 0, (language, path)
                assert faults(seen) == [], (language, path)
                press(phone, site.url + path, button)
            assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


def press(page: Page, url: str, button: str) -> None:
    """Open a page, go to its button by the keyboard alone, and press it."""
    page.goto(url)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(f"{button}:focus").count():
            break
    else:
        raise AssertionError(f"no {button} is reached on {url}")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_reader_goes_from_the_mail_online_to_other_topics(site: Site, page: Page) -> None:
    page.goto(site.url + site.link(Purpose.ONLINE, ADA))
    page.get_by_role("link", name="Choose your topics").click()
    page.get_by_label("Climate & energy").uncheck()
    page.get_by_label("Cities").check()
    page.get_by_label("Hour").select_option("8")
    page.get_by_role("button", name="Show the next issue").click()
    page.get_by_role("heading", name="The next issue with these choices").wait_for()
    assert follows_of(site.runtime.engine, ADA) == {"climate", "food"}, "it was only looked at"
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").wait_for()
    assert follows_of(site.runtime.engine, ADA) == {"cities", "food"}
    assert page.get_by_label("Hour").input_value() == "8"
    page.get_by_role("link", name="Unsubscribe from all of it").click()
    page.wait_for_url(f"{site.url}/unsubscribe/*")
