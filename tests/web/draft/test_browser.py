"""The draft in a real browser: dragged, moved by keys, written without a Save, and two editors at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from digest.domain.accounts import Role
from digest.pipeline.drafts import Draft, draft_of
from digest.store.database import reading
from tests.servers.browser import ChromiumBrowser
from tests.web.people import NAMES
from tests.web.site import Site
from tests.web.world import DRAFT

PATH = f"/issues/{DRAFT}/draft"


def drafted(site: Site) -> Draft:
    with reading(site.runtime.engine) as session:
        return draft_of(session, DRAFT)


@pytest.fixture
def two_under_one_topic(site: Site) -> list[int]:
    """The first two articles of the draft, under one topic."""
    first, second = (item.id for item in drafted(site).items[:2])
    topic = drafted(site).get(first).topic
    site.submit(f"{PATH}/fields/topic", to=str(topic), article=str(second))
    return [first, second]


def shown(page: Page) -> list[int]:
    return [int(card.get_attribute("data-id") or 0) for card in page.locator(".card").all()]


def test_an_editor_moves_articles_by_keys_and_by_dragging_and_goes_back(
    site: Site, page: Page, two_under_one_topic: list[int]
) -> None:
    first, second = two_under_one_topic
    page.goto(site.url + PATH)
    page.locator(f"#down-{first}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".card").first).to_have_attribute("data-id", str(second))
    expect(page.locator(f"#down-{first}")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("You moved")
    assert [item.id for item in drafted(site).items][:2] == [second, first]
    settled(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("it stands last in its topic already")
    page.locator(f"#article-{first} .grip").hover()
    page.mouse.down()
    page.locator(f"#article-{second} h3").hover(position={"x": 5, "y": 1})
    page.mouse.move(*_top_of(page, second))
    page.mouse.up()
    expect(page.locator("#bar")).to_contain_text("3 changes")
    assert [item.id for item in drafted(site).items][:2] == [first, second]
    settled(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".card").first).to_have_attribute("data-id", str(second))
    settled(page)
    page.locator(f"#drop-{second}").press("Enter")
    page.get_by_role("button", name="Bring back").wait_for()
    expect(page.locator("#undo")).to_be_focused()
    assert shown(page)[0] == first


def settled(page: Page) -> None:
    """Wait until the page's script hears what was put into the page last."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def _top_of(page: Page, article_id: int) -> tuple[float, float]:
    box = page.locator(f"#article-{article_id}").bounding_box()
    assert box
    return box["x"] + 30, box["y"] + 4


def test_what_is_typed_is_kept_without_a_save_and_two_editors_choose_between_their_texts(
    site: Site, page: Page
) -> None:
    page.goto(site.url + PATH)
    with site.seen_by(Role.EDITOR) as edith:
        edith.submit(f"{PATH}/fields/subject", to="Edith's")
        page.get_by_label("Subject").fill("Mine")
        page.get_by_label("Subject").blur()
        page.get_by_text(f"{NAMES[Role.EDITOR]} changed this").wait_for()
        assert drafted(site).issue.subject == "Edith's"
        assert page.get_by_label("Subject").input_value() == "Mine"
        page.get_by_role("button", name="Replace theirs with mine").click()
        page.get_by_text("Saved.").wait_for()
        assert drafted(site).issue.subject == "Mine"
    page.get_by_label("Subject").fill("Mine, once more")
    page.get_by_label("Preheader").focus()
    expect(page.locator("#bar")).to_contain_text("3 changes")
    assert drafted(site).issue.subject == "Mine, once more"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Subject")).to_have_value("Mine")


def test_a_draft_is_shaped_without_scripts(site: Site, browser: ChromiumBrowser) -> None:
    first = drafted(site).items[0].id
    with browser.page(width=375, scripts=False) as page:
        page.goto(site.url + PATH)
        page.locator(f"#pin-{first}").click()
        page.wait_for_url(f"**{PATH}#article-{first}")
        expect(page.locator(f"#pin-{first}")).to_contain_text("Unpin")
        page.get_by_role("link", name="Edit").first.click()
        page.get_by_label("Headline").fill("By hand")
        page.get_by_role("button", name="Save the headline").click()
        page.get_by_role("heading", name="By hand", level=1).wait_for()
    assert drafted(site).items[0].chosen.article_id == first
