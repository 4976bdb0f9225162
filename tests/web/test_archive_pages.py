"""Pages of the public archive: how they lead on, and what they say to machines."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from sqlalchemy import event

from digest.store.database import writing
from tests.samples import ITEMS, issue_in
from tests.web.archive_pages import FEEDS, PAGES, schema_of
from tests.web.archived import HOME, THIRD, add_issues, retell
from tests.web.site import Site


def test_pages_lead_through_all_issues_and_back(own_archive: Site) -> None:
    add_issues(own_archive, 50)
    page, seen = HOME, [own_archive.get(HOME).text]
    while older := re.search(r'rel="next" href="([^"]+)"', seen[-1]):
        page = html.unescape(older[1])
        seen.append(own_archive.get(page).text)
    numbers = [int(number) for text in seen for number in re.findall(r'<li value="(\d+)">', text)]
    assert numbers == list(range(53, 0, -1))
    newer = re.search(r'rel="prev" href="([^"]+)"', seen[-1])
    assert newer
    back = own_archive.get(html.unescape(newer[1])).text
    assert re.findall(r'<li value="(\d+)">', back) == re.findall(r'<li value="(\d+)">', seen[-2])
    assert 'content="noindex, follow"' in seen[1]
    assert 'content="noindex' not in seen[0]


def test_ten_thousand_issues_ask_the_database_no_more_than_three(own_archive: Site) -> None:
    asked: list[str] = []
    event.listen(own_archive.runtime.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def questions(path: str) -> int:
        asked.clear()
        assert own_archive.get(path).status_code == 200, path
        return len([question for question in asked if question.startswith("SELECT")])

    paths = [HOME, f"{HOME}?topic=climate", f"{HOME}?before=3", f"{HOME}/2", f"{HOME}/topics", FEEDS[0]]
    few = [questions(path) for path in paths]
    add_issues(own_archive, 10_000)
    assert [questions(path) for path in paths] == few
    assert max(few) <= 8


def test_search_engines_are_told_what_an_issue_is(archive: Site) -> None:
    told = schema_of(archive.get(f"{HOME}/{THIRD}").text)
    assert told["@type"] == "PublicationIssue"
    assert told["issueNumber"] == 3
    assert told["url"] == f"{archive.url}{HOME}/3"
    assert told["isPartOf"]["name"] == "The Saturday Reader"
    assert {part["headline"] for part in told["hasPart"]} == {item.title for item in ITEMS}
    listed = schema_of(archive.get(HOME).text)
    assert listed["@type"] == "Periodical"
    assert [part["issueNumber"] for part in listed["hasPart"]] == [3, 2, 1]


def test_pages_may_be_kept_and_listed_and_hold_no_script(archive: Site) -> None:
    for path in PAGES:
        response = archive.get(path)
        assert response.headers["cache-control"] == "public, max-age=300"
        assert response.headers["x-robots-tag"] == "all"
        assert "set-cookie" not in response.headers
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self' https:; ")
        assert "script-src" not in policy
        assert (
            re.findall(r"<script(?! type=\"application/ld\+json\")|<style|\sstyle=|\son\w+=", response.text)
            == []
        )
    mixed = archive.get(f"{HOME}/3?topic=food&topic=space").text
    assert '<meta name="robots" content="noindex, follow">' in mixed


def test_links_say_which_language_they_lead_to(archive: Site) -> None:
    page = archive.get(f"{HOME}/{THIRD}").text
    assert '<article id="a' in page
    assert re.search(r'<article id="a\d+" lang="fr" dir="auto">', page)
    assert 'hreflang="fr">À Brest' in page


def test_a_newsletter_from_right_to_left_reads_so(own_archive: Site) -> None:
    content = replace(issue_in("ar", 3), number=3)
    with writing(own_archive.runtime.engine) as session:
        retell(session, content)
    page = own_archive.get(f"{HOME}/{THIRD}").text
    assert '<div class="intro" lang="ar" dir="auto">' in page
    assert re.search(r'<h2 id="topic-climate" lang="ar" dir="auto">المناخ', page)
