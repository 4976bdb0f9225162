"""The feeds of an archive, read by our own parsers and by feedparser."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import feedparser
import httpx2
import pytest
from lxml import etree
from sqlalchemy import update

from digest.domain.newsletters import NewsletterId
from digest.gather.feeds.formats import Feed, read_feed
from digest.gather.feeds.listing import advertised_feeds
from digest.store.base import storable
from digest.store.contents import ContentRow, content_to_json
from digest.store.database import writing
from digest.store.hiding import hide_issue, hide_item
from digest.store.newsletters import change_newsletter
from digest.web.archive_feeds import feed_of
from digest.web.archives import feed_issues
from digest.web.templating import Pages
from tests.compose.test_hostile_text import HOSTILE
from tests.samples import CLIMATE, ITEMS, sample_issue
from tests.web.archived import FIRST, HOME, SUBJECT, THIRD, retell
from tests.web.conftest import runtime_on
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.test_responses import TEMPLATES
from tests.web.world import NOW

FORMS = ("atom", "rss", "json")
PAGES = [HOME, f"{HOME}/3", f"{HOME}?topic=space", f"{HOME}/topics"]


def read_by_us(site: Site, path: str) -> Feed:
    """What gather makes of a feed: nothing in it may be a problem."""
    response = site.get(path)
    assert response.status_code == 200, response.text
    url = site.url + path
    feed = read_feed(response.content, url=url, content_type=response.headers["content-type"], now=NOW)
    assert feed.problems == (), path
    return feed


def parsed(site: Site, path: str) -> feedparser.FeedParserDict:
    feed = feedparser.parse(site.get(path).content, sanitize_html=False, resolve_relative_uris=False)
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


def items_of(site: Site, path: str) -> list[dict[str, object]]:
    told = json.loads(site.get(path).content)
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    return list(told["items"])


def ids_of(site: Site, path: str) -> list[str]:
    if path.partition("?")[0].endswith(".json"):
        return [str(item["id"]) for item in items_of(site, path)]
    return [entry.id for entry in parsed(site, path).entries]


# --- what they say


@pytest.mark.parametrize("form", FORMS)
def test_every_article_is_an_entry_with_all_its_takeaways(form: str, archive: Site) -> None:
    feed = read_by_us(archive, f"{HOME}/articles.{form}")
    assert feed.format == {"atom": "Atom 1.0", "rss": "RSS 2.0", "json": "JSON Feed 1.1"}[form]
    assert feed.title == "The Saturday Reader"
    assert feed.url == f"{archive.url}{HOME}"
    assert feed.language == "en"
    assert len(feed.entries) == 24
    entries = {entry.title: entry for entry in feed.entries}
    for item in ITEMS:
        entry = entries[item.title]
        told = html.unescape(entry.html)
        assert all(takeaway in told for takeaway in item.takeaways)
        assert f"{archive.url}{HOME}/3" in told, "where it stood"
        assert entry.author == item.source
        assert entry.published_at == NOW, "when its issue went out: then it is new here"
        assert entry.language == (None if form == "rss" else item.language)
        assert len(entry.categories) == len(item.topics)
        assert entry.url == item.url


def test_the_first_entries_are_those_of_the_newest_issue(archive: Site) -> None:
    newest = {item.title for item in ITEMS}
    for form in FORMS:
        titles = [entry.title for entry in read_by_us(archive, f"{HOME}/articles.{form}").entries]
        assert set(titles[:12]) == newest
        assert not set(titles[12:]) & newest


@pytest.mark.parametrize("form", FORMS)
def test_every_issue_is_an_entry_with_all_its_articles(form: str, archive: Site) -> None:
    feed = read_by_us(archive, f"{HOME}/issues.{form}")
    assert [entry.title for entry in feed.entries] == [
        "Issue 3, 16–22 November 2026",
        f"Issue 2, 9–15 November 2026: {SUBJECT}",
        "Issue 1, 2–8 November 2026",
    ]
    assert [entry.url for entry in feed.entries] == [f"{archive.url}{HOME}/{number}" for number in (3, 2, 1)]
    told = html.unescape(feed.entries[0].html)
    assert all(item.title in told and takeaway in told for item in ITEMS for takeaway in item.takeaways)


@pytest.mark.parametrize("form", FORMS)
def test_a_mix_of_topics_has_feeds_of_its_own(form: str, archive: Site) -> None:
    one, other = (
        f"{HOME}/articles.{form}?topic=space&topic=food",
        f"{HOME}/articles.{form}?topic=food&topic=space",
    )
    assert archive.get(one).content == archive.get(other).content
    feed = read_by_us(archive, one)
    assert feed.title == "The Saturday Reader: Space, Food"
    assert feed.url == f"{archive.url}{HOME}?topic=food&topic=space"
    assert {"Space", "Food"} & {name for entry in feed.entries for name in entry.categories}
    assert all({"Space", "Food"} & set(entry.categories) for entry in feed.entries)
    issues = read_by_us(archive, one.replace("articles", "issues"))
    assert "Rewetted peat" not in issues.entries[0].html
    assert "Kelp" in issues.entries[0].html


def test_feedparser_reads_them_too(archive: Site) -> None:
    for form in ("atom", "rss"):
        for kind, count in (("articles", 24), ("issues", 3)):
            path = f"{HOME}/{kind}.{form}"
            feed = parsed(archive, path)
            assert len(feed.entries) == count
            assert feed.feed.title == "The Saturday Reader"
            own = [link.href for link in feed.feed.links if link.rel == "self"]
            assert own == [archive.url + path]
            for entry in feed.entries:
                assert entry.id.startswith("urn:uuid:")
                assert entry.content[0].value
                assert entry.published_parsed[:5] == (2026, 11, 23, 7, 0)
                assert "self" not in entry.link


# --- that entries stay themselves


def test_an_entry_has_one_id_in_every_format_and_mix(archive: Site) -> None:
    atom, rss, told = (ids_of(archive, f"{HOME}/articles.{form}") for form in FORMS)
    assert atom == rss == told
    assert len(set(atom)) == 24
    assert set(ids_of(archive, f"{HOME}/articles.rss?topic=space")) < set(atom)
    issues = ids_of(archive, f"{HOME}/issues.atom")
    mixed = ids_of(archive, f"{HOME}/issues.atom?topic=space")
    assert len({*atom, *issues, *mixed}) == 24 + 3 + 3, "an issue of other articles is another entry"


def test_ids_stay_when_the_site_moves_and_the_newsletter_is_renamed(
    open_site: Callable[..., Site], archive_database: Path
) -> None:
    site = open_site(archive_database)
    before = ids_of(site, f"{HOME}/articles.atom"), ids_of(site, f"{HOME}/issues.rss")
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), name="Another name")
    elsewhere = runtime_on(
        site.runtime.settings.database_url, public_url="https://elsewhere.example.org/digest"
    )
    pages = Pages(TEMPLATES / "web")
    fed = feed_issues(elsewhere, pages.phrases, "saturday", [], "articles")
    feed = feed_of(fed, pages, kind="articles", form="atom")
    assert feed.title == "Another name"
    assert feed.address == "https://elsewhere.example.org/digest/archive/saturday/articles.atom"
    assert [entry.id for entry in feed.entries] == before[0]
    assert ids_of(site, f"{HOME}/issues.rss") == before[1]


def test_ids_of_other_entries_stay_when_an_article_is_taken_out(own_archive: Site) -> None:
    before = ids_of(own_archive, f"{HOME}/articles.json")
    with writing(own_archive.runtime.engine) as session:
        hide_item(session, THIRD, 0, by="Ada", now=NOW)
    after = ids_of(own_archive, f"{HOME}/articles.json")
    assert len(after) == 23
    assert set(after) < set(before)


# --- that they cost little


@pytest.mark.parametrize(
    "path", [f"{HOME}/articles.atom", f"{HOME}/issues.json?topic=food", HOME, f"{HOME}/3"]
)
def test_who_has_it_is_told_so_and_no_more(path: str, archive: Site) -> None:
    first = archive.get(path)
    etag, modified = first.headers["etag"], format_datetime(NOW, usegmt=True)
    assert "last-modified" not in first.headers

    def asked(**headers: str) -> httpx2.Response:
        return archive.client.get(path, headers={name.replace("_", "-"): it for name, it in headers.items()})

    for headers in (
        {"if_none_match": etag},
        {"if_none_match": f'"other", W/{etag}'},
        {"if_none_match": "*"},
        {"if_none_match": etag, "if_modified_since": "Sat, 01 Jan 2000 00:00:00 GMT"},
    ):
        answer = asked(**headers)
        assert (answer.status_code, answer.content) == (304, b""), headers
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "public, max-age=300"
    for headers in (
        {"if_none_match": '"other"'},
        {"if_none_match": '"other"', "if_modified_since": modified},
        {"if_modified_since": modified},
        {"if_modified_since": "yesterday"},
    ):
        assert asked(**headers).status_code == 200, headers


def test_what_an_editor_takes_out_is_a_change(own_archive: Site) -> None:
    path = f"{HOME}/articles.rss"
    before = own_archive.get(path)
    with writing(own_archive.runtime.engine) as session:
        hide_issue(session, FIRST, by="Ada", now=NOW + timedelta(hours=2))
    after = own_archive.client.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    built = etree.fromstring(after.content).findtext("channel/lastBuildDate", "")
    assert parsedate_to_datetime(built) == NOW + timedelta(hours=2)


def test_a_feed_ends_with_the_issue_that_fills_it(own_archive: Site) -> None:
    items = tuple(
        replace(ITEMS[0], position=n, title=f"Article {n}", url=f"https://example.org/{n}") for n in range(90)
    )
    with writing(own_archive.runtime.engine) as session:
        told = content_to_json(sample_issue(items=items, number=3))
        session.execute(update(ContentRow).where(ContentRow.issue_id != FIRST).values(told=told))
    assert len(ids_of(own_archive, f"{HOME}/articles.atom")) == 180
    assert len(ids_of(own_archive, f"{HOME}/issues.atom")) == 3


# --- that they are found, and hold


def test_pages_name_their_feeds(archive: Site) -> None:
    for path in PAGES:
        page = archive.get(path)
        mix = "?topic=space" if "topic=" in path else ""
        expected = {
            f"{archive.url}{HOME}/{kind}.{form}{mix}" for kind in ("articles", "issues") for form in FORMS
        }
        assert set(advertised_feeds(page.content, url=archive.url + path)) == expected
    links = re.findall(r'<link rel="alternate" type="([^"]+)" hreflang="en" title="([^"]+)"', page.text)
    assert ("application/feed+json", "The Saturday Reader, articles (JSON Feed)") in links
    types = {form: archive.get(f"{HOME}/issues.{form}").headers["content-type"] for form in FORMS}
    assert types == {
        "atom": "application/atom+xml; charset=utf-8",
        "rss": "application/rss+xml; charset=utf-8",
        "json": "application/feed+json; charset=utf-8",
    }


def test_hostile_words_stay_words(own_archive: Site) -> None:
    poison = " ".join((*HOSTILE, "]]>", "<![CDATA[", "<!--", "&amp;", "\x0b\x1f\ufffe\uffff"))
    item = replace(ITEMS[0], position=0, title=poison, source=poison, takeaways=(poison,), url="javascript:x")
    content = sample_issue(items=(item,), newsletter=poison, subject=poison, intro=poison, number=3)
    topics = tuple(replace(topic, name=poison) for topic in content.topics if topic.slug == CLIMATE)
    with writing(own_archive.runtime.engine) as session:
        retell(session, replace(content, topics=topics))
        change_newsletter(session, NewsletterId(1), name=storable(poison)[:200])
    for kind in ("articles", "issues"):
        for form in ("atom", "rss"):
            root = etree.fromstring(own_archive.get(f"{HOME}/{kind}.{form}").content)
            assert {etree.QName(node).localname for node in root.iter()} <= _KNOWN, (
                "no element of a stranger's"
            )
            assert len(parsed(own_archive, f"{HOME}/{kind}.{form}").entries) >= 3
        for entry in items_of(own_archive, f"{HOME}/{kind}.json"):
            content_html = str(entry["content_html"])
            assert "<script" not in content_html
            assert not re.search(r'(?:href|src)="(?!https?://)', content_html)
        assert "alert(1)" in text_of(str(items_of(own_archive, f"{HOME}/{kind}.json")[0]["content_html"]))
    first = items_of(own_archive, f"{HOME}/articles.json")[0]
    assert str(first["url"]).endswith(f"{HOME}/3#a1"), "its own link is not safe to follow"


_KNOWN = {
    *("feed", "id", "title", "subtitle", "updated", "link", "author", "name", "entry", "published"),
    *("category", "summary", "content", "rss", "channel", "description", "language", "lastBuildDate"),
    *("item", "guid", "pubDate", "creator", "encoded"),
}


def test_an_archive_without_an_issue_has_feeds_already(own_archive: Site) -> None:
    with writing(own_archive.runtime.engine) as session:
        for issue_id in range(1, 4):
            hide_issue(session, issue_id, by="Ada", now=datetime(2026, 11, 24, tzinfo=UTC))
    for kind in ("articles", "issues"):
        for form in FORMS:
            assert read_by_us(own_archive, f"{HOME}/{kind}.{form}").entries == ()
    assert "Nothing was sent yet." in text_of(own_archive.get(HOME).text)
