"""What is not in a draft: seen with its reason, pinned from there, and added by its address."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from digest.domain.accounts import Role
from digest.pipeline.drafts import Draft, draft_of
from digest.store.database import reading
from tests.pipeline.press import prose
from tests.servers.processes import free_port
from tests.web.site import Site
from tests.web.world import DRAFT

PATH = f"/issues/{DRAFT}/draft"


def drafted(site: Site) -> Draft:
    with reading(site.runtime.engine) as session:
        return draft_of(session, DRAFT)


def test_what_is_left_out_is_told_with_its_reason_and_pinned_from_there(site: Site) -> None:
    first, second, *_ = drafted(site).items
    site.submit(f"{PATH}/articles/{first.id}", do="drop")
    page = html.unescape(site.get(f"{PATH}/others").text)
    assert first.candidate.stored.article.title in page
    assert "Ada Admin dropped it" in page
    assert second.candidate.stored.article.title not in page
    assert site.submit(f"{PATH}/articles/{first.id}", do="bring-back").status_code == 303
    assert "Nothing: every article of its days is in." in html.unescape(site.get(f"{PATH}/others").text)


def test_a_subject_is_suggested_and_taken_with_one_button(site: Site) -> None:
    suggested = drafted(site).subjects
    assert suggested
    assert suggested[0] in html.unescape(site.get(PATH).text)
    site.submit(f"{PATH}/fields/subject", to=suggested[0])
    assert drafted(site).issue.subject == suggested[0]
    assert suggested[0] not in drafted(site).subjects


@pytest.fixture
def press(httpserver: HTTPServer) -> HTTPServer:
    told = "".join(f"<p>{paragraph}</p>" for paragraph in prose("lighthouses"))
    body = f"<title>Lighthouses</title><article><h1>Lighthouses</h1>{told}</article>"
    page = f"<!doctype html><html lang=en>{body}</html>"
    for nothing in ("/robots.txt", "/.well-known/tdmrep.json", "/gone"):
        httpserver.expect_request(nothing).respond_with_data("", 404)
    httpserver.expect_request("/lighthouses").respond_with_data(page, content_type="text/html")
    return httpserver


def test_an_article_of_any_day_is_added_by_its_address_and_stands_in_the_draft(
    open_site: Callable[..., Site], filled_database: Path, press: HTTPServer
) -> None:
    site = open_site(filled_database, fetch_allow=(f"127.0.0.1:{press.port}",))
    url, gone = (f"http://127.0.0.1:{press.port}/{path}" for path in ("lighthouses", "gone"))
    answer = site.submit(f"{PATH}/articles", url=url, topic="cities")
    assert answer.status_code == 303
    first = drafted(site).items[0]
    assert (first.candidate.stored.article.url, first.topic) == (url, "cities")
    assert answer.headers["location"] == f"{PATH}#article-{first.id}"
    assert drafted(site).shape.pin(first.id) is not None
    for form, status, words in (
        ({"url": url, "topic": ""}, 422, "Choose a topic"),
        ({"url": "nowhere", "topic": "cities"}, 422, "nowhere"),
        ({"url": gone, "topic": "cities"}, 422, f'value="{gone}"'),
        ({"url": "http://xn--a/%zz", "topic": "food"}, 422, '<option value="food" selected>'),
        ({"url": f"http://127.0.0.1:{free_port()}/a", "topic": "food"}, 422, 'aria-invalid="true"'),
        ({"url": url, "topic": "fishing"}, 404, "no topic 'fishing'"),
    ):
        refused = site.submit(f"{PATH}/articles", **form)
        assert (refused.status_code, words in html.unescape(refused.text)) == (status, True), refused.text
    with site.seen_by(Role.VIEWER) as vera:
        assert vera.submit(f"{PATH}/articles", url=url, topic="cities").status_code == 403
        assert "Add it" not in vera.get(f"{PATH}/others").text
