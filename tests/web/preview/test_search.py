"""A subscriber to preview as, found by a part of their address, with and without scripts."""

from __future__ import annotations

import re

from digest.domain.newsletters import NewsletterId
from digest.store.database import writing
from digest.store.subscribers import subscribe
from tests.servers.browser import ChromiumBrowser
from tests.web.people import sign_in_browser
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import ADA, DRAFT, EVE, NOW, SENDING

PAGE = f"/issues/{SENDING}/preview"


def found_on(page: str) -> list[str]:
    at = page.partition('id="readers"')[2].partition("</div>")[0]
    return re.findall(r">([^<>]+@[^<>]+)</a>", at)


def test_readers_are_found_by_how_their_address_begins_and_what_it_holds(still_site: Site) -> None:
    assert found_on(still_site.get(f"{PAGE}?q=A").text) == [ADA]
    assert found_on(still_site.get(f"{PAGE}?q=eve%40ex").text) == [EVE]
    assert "eve@example.org paused" in read(still_site, f"{PAGE}?q=eve%40ex")
    assert len(found_on(still_site.get(f"{PAGE}?q=%40example").text)) == 6


def test_a_whole_address_leads_to_its_preview(still_site: Site) -> None:
    answer = still_site.get(f"{PAGE}?q=ADA%40example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?as=ada%40example.org#mail")


def test_many_are_told_a_page_at_a_time(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        for number in range(30):
            email = f"zoe{number:02}@example.org"
            subscribe(session, NewsletterId(1), email=email, follows=[], now=NOW)
    found: list[str] = []
    path = f"{PAGE}?q=zoe"
    while path:
        page = site.get(path).text
        found += found_on(page)
        more = re.search(r'href="([^"]+)">More of them', page)
        path = more[1].replace("&amp;", "&") if more else ""
    assert found == [f"zoe{number:02}@example.org" for number in range(30)]


def test_nobody_is_told_so_and_hostile_text_is_text(still_site: Site) -> None:
    assert "Nobody’s address has “nobody@”." in read(still_site, f"{PAGE}?q=nobody%40")
    page = still_site.get(f"{PAGE}?q=%22%3E%3Cscript%3E").text
    assert "<script>" not in page
    assert "Nobody’s address has" in text_of(page)
    for text in ("%00", "a%0Ab", "x" * 400):
        assert still_site.get(f"{PAGE}/readers?q={text}").status_code == 422, text


def test_the_list_fills_itself_while_somebody_types(still_site: Site, browser: ChromiumBrowser) -> None:
    with browser.page() as page:
        sign_in_browser(page)
        page.goto(f"{still_site.url}/issues/{DRAFT}/preview")
        page.get_by_label("A subscriber").press_sequentially("be")
        page.get_by_role("link", name="ben@example.org").click()
        page.get_by_text("ben@example.org would get this issue.").wait_for()
