"""Sources on the managing pages: how they stand, found, added, changed, tried, in lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx2
import pytest
from pytest_httpserver import HTTPServer

from digest.domain.accounts import Role
from digest.domain.sources import Source, SourceState
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter
from digest.store.polls import record_standing
from digest.store.sources import list_sources
from tests.web.manage.forms import filled_in
from tests.web.manage.test_newsletters import audited
from tests.web.site import Site
from tests.web.test_editor import read, text_of
from tests.web.world import NOW, contents

LIST = "/manage/newsletters/saturday/sources"
FIRST = f"{LIST}/1"


def sources_of(site: Site) -> dict[int, Source]:
    with reading(site.runtime.engine) as session:
        newsletter = get_newsletter(session, "saturday")
        return {source.id: source for source in list_sources(session, newsletter.id)}


def fail(site: Site, number: int, error: str) -> None:
    source = sources_of(site)[number]
    standing = replace(
        source.standing,
        polled_at=NOW,
        last_error=error,
        failing_since=NOW - timedelta(days=2),
        failures=9,
        next_poll_at=NOW + timedelta(hours=3),
    )
    with writing(site.runtime.engine) as session:
        record_standing(session, source, standing, reservation="")


def test_sources_that_fail_stand_first_with_what_is_wrong_and_when_they_are_asked_again(site: Site) -> None:
    fail(site, 3, "the server answers 500")
    name = sources_of(site)[3].name
    told = read(site, LIST)
    assert f"{name} The server answers 500 Never read · next in 3 hours" in told
    assert "Failing for 2 days" in told
    assert all(told.index(name) <= told.index(one.name) for one in sources_of(site).values())
    assert "1 source cannot be read" in read(site, "/manage")
    fail(site, 3, "http://meridian.example.org/feed is not a feed")
    assert f"{name} http://meridian.example.org/feed is not a feed" in read(site, LIST), "as it is written"


def test_a_list_says_what_each_source_brought_and_how_much_of_it_was_used(still_site: Site) -> None:
    told = read(still_site, LIST)
    assert "articles in 4 weeks, 100% used" in told
    assert "Not read yet" in told


def test_who_has_no_source_is_told_how_to_begin(empty_site: Site) -> None:
    from tests.web.manage.test_newsletters import NEW

    empty_site.submit("/manage/new", **NEW)
    told = read(empty_site, "/manage/newsletters/harbour-week/sources")
    assert "Begin with a site you read" in told
    assert "No source yet" in told
    assert empty_site.get("/manage/newsletters/harbour-week/sources/export").status_code == 422


def test_a_source_is_added_with_all_that_a_form_says(site: Site) -> None:
    answer = site.submit(
        f"{LIST}/new",
        url="https://tide.example.org/feed.xml",
        name="Tide Gazette",
        kind="feed",
        topics=["climate", "space"],
        weight="2",
        excerpt="headline",
        language="en",
        link_pattern="",
    )
    assert answer.headers["location"] == f"{LIST}?done=source-added"
    added = next(one for one in sources_of(site).values() if one.name == "Tide Gazette")
    assert (added.topics, added.weight, added.excerpt, added.language) == (
        ("climate", "space"),
        2.0,
        "headline",
        "en",
    )
    assert audited(site)[0] == (
        "Ada Admin",
        "source.added",
        "saturday: Tide Gazette",
        "https://tide.example.org/feed.xml",
    )


@pytest.mark.parametrize(
    ("given", "status", "problem"),
    [
        ({"url": "tide.example"}, 422, "is not an http(s) URL"),
        ({"url": ""}, 422, "The address is empty"),
        ({"weight": "11"}, 422, "The weight 11 is not between 0.1 and 10"),
        ({"link_pattern": "("}, 422, "The link pattern '(' is not a regular expression"),
        ({"topics": "gulls"}, 422, "No topic 'gulls'; there is:"),
        ({"url": "http://feeds.example.org/0.xml"}, 409, "is a source already, as"),
    ],
)
def test_what_cannot_be_a_source_is_refused_beside_its_field(
    site: Site, given: dict[str, str], status: int, problem: str
) -> None:
    form = {"url": "https://new.example.org/", "kind": "feed", "weight": "1", "excerpt": "takeaways", **given}
    before = contents(site.runtime.engine)
    answer = site.submit(f"{LIST}/new", **form)
    assert answer.status_code == status
    assert problem.lower() in text_of(answer.text).lower()
    assert contents(site.runtime.engine) == before


def test_a_source_is_changed_paused_resumed_and_removed(site: Site) -> None:
    form = filled_in(site, FIRST, FIRST, weight="0.5", topics=["food"])
    assert site.submit(FIRST, **form).status_code == 303
    assert (sources_of(site)[1].weight, sources_of(site)[1].topics) == (0.5, ("food",))
    assert audited(site)[0][3] == "topics: – → food\nweight: 1 → 0.5"
    assert "nobody reads it" in read(site, site.submit(f"{FIRST}/pause").headers["location"])
    assert sources_of(site)[1].state is SourceState.PAUSED
    site.submit(f"{FIRST}/resume")
    assert sources_of(site)[1].state is SourceState.ACTIVE
    site.submit(f"{FIRST}/remove")
    assert 1 not in sources_of(site)
    assert site.get(FIRST).status_code == 404
    assert [one[1] for one in audited(site)[:3]] == ["source.removed", "source.resumed", "source.paused"]


def test_two_editors_of_a_source_see_each_others_change(site: Site) -> None:
    mine = filled_in(site, FIRST, FIRST, name="Mine")
    site.submit(FIRST, **filled_in(site, FIRST, FIRST, name="Theirs", weight="3"))
    answer = site.submit(FIRST, **mine)
    assert answer.status_code == 409
    assert "Somebody set this to Theirs" in text_of(answer.text)
    assert 'value="Mine"' in answer.text
    assert 'value="3"' in answer.text, "what I did not touch is as they left it"
    assert sources_of(site)[1].name == "Theirs"


def test_the_name_of_another_source_is_refused(site: Site) -> None:
    other = sources_of(site)[2].name
    answer = site.submit(FIRST, **filled_in(site, FIRST, FIRST, name=other))
    assert answer.status_code == 409
    assert "has that name or address" in text_of(answer.text)


def test_a_list_is_imported_line_by_line_and_exported(site: Site) -> None:
    opml = b"""<opml version="2.0"><body>
<outline text="Food"><outline text="Plates" xmlUrl="https://plates.example.org/rss"/></outline>
<outline text="Known" xmlUrl="https://feeds.example.org/0.xml"/>
<outline text="Gulls"><outline text="Wings" xmlUrl="https://wings.example.org/rss"/></outline>
<outline text="Broken" xmlUrl="htp://x"/>
</body></opml>"""
    answer = _import(site, "mine.opml", opml)
    assert answer.status_code == 200
    told = text_of(answer.text)
    assert "Added (2) Plates Wings" in told
    assert "There already (1) Known" in told
    assert "Left out (1) line 5" in told
    assert "called like no topic" in told
    plates = next(one for one in sources_of(site).values() if one.name == "Plates")
    assert plates.topics == ("food",)
    exported = site.get(f"{LIST}/export")
    assert exported.headers["content-disposition"] == 'attachment; filename="saturday.opml"'
    assert b"https://plates.example.org/rss" in exported.content


def _import(site: Site, name: str, body: bytes) -> httpx2.Response:
    from digest.admit.sessions import csrf_of
    from tests.web.people import TOKENS

    form = {"csrf": csrf_of(TOKENS[Role.ADMIN])}
    return site.client.post(f"{LIST}/import", data=form, files={"file": (name, body)})


def test_a_file_that_is_no_list_adds_nothing(site: Site) -> None:
    before = contents(site.runtime.engine)
    answer = _import(site, "mine.opml", b"no list")
    assert answer.status_code == 422
    assert "mine.opml" in text_of(answer.text)
    answer = site.submit(f"{LIST}/import")
    assert answer.status_code == 422
    assert "No file was chosen" in text_of(answer.text)
    assert _import(site, "large.opml", b"x" * 1_100_000).status_code == 413
    assert contents(site.runtime.engine) == before


def feed(*titles: str) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://tide.example.org/{number}</link>"
        f"<pubDate>{format_datetime(NOW - timedelta(hours=number))}</pubDate></item>"
        for number, title in enumerate(titles, 1)
    )
    return f'<rss version="2.0"><channel><title>Tide Gazette</title>{items}</channel></rss>'


@pytest.fixture
def tide(
    httpserver: HTTPServer, open_site: Callable[..., Site], filled_database: Path
) -> tuple[Site, HTTPServer]:
    """A site that may fetch from the test's own server, which serves a page that names a feed."""
    httpserver.expect_request("/robots.txt").respond_with_data("", status=404)
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
    httpserver.expect_request("/").respond_with_data(page, content_type="text/html")
    httpserver.expect_request("/feed.xml").respond_with_data(feed(), content_type="application/rss+xml")
    host = f"{httpserver.host}:{httpserver.port}"
    return open_site(filled_database, fetch_allow=[host, f"127.0.0.1:{httpserver.port}"]), httpserver


def test_the_feeds_of_a_site_are_found_and_added_by_two_presses(tide: tuple[Site, HTTPServer]) -> None:
    site, server = tide
    answer = site.submit(f"{LIST}/find", site=server.url_for("/"))
    assert answer.status_code == 200, text_of(answer.text)
    assert "Tide Gazette" in answer.text
    query = answer.text.partition(f'href="{LIST}/new?')[2].partition('"')[0].replace("&amp;", "&")
    path = f"{LIST}/new?{query}"
    assert site.submit(f"{LIST}/new", **filled_in(site, path, f"{LIST}/new")).status_code == 303
    added = next(one for one in sources_of(site).values() if one.name == "Tide Gazette")
    assert added.url == server.url_for("/feed.xml")
    tried = site.submit(f"{LIST}/{added.id}/try")
    assert tried.status_code == 200
    assert "It answers, and lists no article" in text_of(tried.text)
    assert sources_of(site)[added.id].standing.succeeded_at == NOW


def test_a_source_that_cannot_be_read_says_so_when_it_is_tried(tide: tuple[Site, HTTPServer]) -> None:
    site, server = tide
    server.expect_request("/gone.xml").respond_with_data("", status=500)
    with_url = filled_in(site, FIRST, FIRST, url=server.url_for("/gone.xml"))
    assert site.submit(FIRST, **with_url).status_code == 303
    tried = text_of(site.submit(f"{FIRST}/try").text)
    assert "It cannot be read:" in tried
    assert "500" in tried


def test_a_search_that_finds_nothing_says_what_was_tried_and_offers_the_address(site: Site) -> None:
    answer = site.submit(f"{LIST}/find", site="http://127.0.0.1:9/")
    assert answer.status_code == 422
    assert "Add the address as it is" in answer.text
    assert site.submit(f"{LIST}/find", site="").status_code == 422


def test_who_only_looks_changes_no_source(site: Site) -> None:
    with site.seen_by(Role.VIEWER) as viewer:
        page = viewer.get(FIRST)
        assert page.status_code == 200
        assert "Try it now" not in page.text
        assert "Remove this source" not in page.text
        assert viewer.get(LIST).status_code == 200
        assert "Look for feeds" not in viewer.get(LIST).text
