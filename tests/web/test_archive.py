"""The public archive: what everybody may read, and nothing else."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, update

from digest.compose.markup import outline
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.topics import Topic, TopicSlug
from digest.store.articles import ArticleRow
from digest.store.base import storable
from digest.store.contents import ContentRow, IssueTopicRow, content_to_json
from digest.store.database import writing
from digest.store.hiding import hide_issue, hide_item
from digest.store.issues import IssueRow, change_issue
from digest.store.newsletters import add_topic, change_newsletter, change_topic, remove_topic
from digest.store.subscribers import SubscriberRow
from digest.track.tokens import Purpose
from tests.compose.test_hostile_text import HOSTILE
from tests.samples import CITIES, CLIMATE, FOOD, ITEMS, SPACE, issue_in, sample_issue
from tests.servers.processes import free_port
from tests.web.archived import DRAFT, FIRST, INTRO, SECOND, SUBJECT, THIRD, in_week, populate_archive
from tests.web.conftest import make_schema, runtime_on
from tests.web.site import Site, serving
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, FOLLOWS, NOW, contents

HOME = "/archive/saturday"
FEEDS = [f"{HOME}/{kind}.{form}" for kind in ("articles", "issues") for form in ("atom", "rss", "json")]
PAGES = [HOME, f"{HOME}?topic=space", f"{HOME}/topics", f"{HOME}/2", f"{HOME}/3?topic=space&topic=food"]


def titles_on(site: Site, path: str) -> list[str]:
    """The headlines of articles on a page, in its order."""
    found = re.findall(r"<h3>(.*?)</h3>", site.get(path).text)
    return [text_of(title) for title in found]


def canonical_of(page: str) -> str:
    (address,) = re.findall(r'<link rel="canonical" href="([^"]+)">', page)
    return html.unescape(address)


def told_on(site: Site, path: str) -> str:
    """What a person reads of a page, without what it tells machines."""
    response = site.get(path)
    assert response.status_code == 200, path
    return text_of(re.sub(r"<script.*?</script>", "", response.text, flags=re.DOTALL))


# --- what is there


def test_an_archive_is_there_only_for_the_newsletter_that_wants_it(own_archive: Site) -> None:
    unknown = own_archive.get("/archive/nobody")
    assert unknown.status_code == 404
    assert own_archive.get(HOME).status_code == 200
    with writing(own_archive.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), archive=False)
    for path in [*PAGES, *FEEDS]:
        closed = own_archive.get(path)
        assert closed.status_code == 404, path
        assert closed.text == unknown.text, "nobody learns which newsletters there are"


def test_issues_are_listed_newest_first_with_their_first_articles(archive: Site) -> None:
    told = told_on(archive, HOME)
    third, second, first = (told.index(f"Issue {number}") for number in (3, 2, 1))
    assert third < second < first
    assert "16–22 November 2026 Issue 3 · 12 articles" in told
    assert f"{SUBJECT} Issue 2 · 9–15 November 2026 · 6 articles" in told
    assert "and 9 more" in told
    assert "again" not in told, "the draft's articles"


def test_an_issue_is_shown_whole_as_it_was_sent(archive: Site) -> None:
    page = archive.get(f"{HOME}/{THIRD}").text
    told = text_of(page)
    for item in ITEMS:
        assert item.title in told
        assert f'href="{html.escape(item.url)}"' in page
        for takeaway in item.takeaways:
            assert takeaway in told
    assert "Climate & energy" in told
    second = told_on(archive, f"{HOME}/{SECOND}")
    assert SUBJECT in second
    assert " ".join(INTRO.split()) in second


def test_no_issue_but_one_that_goes_out_is_there(own_archive: Site) -> None:
    assert own_archive.get(f"{HOME}/{DRAFT}").status_code == 404
    for state in (IssueState.PAUSED, IssueState.CANCELLED):
        with writing(own_archive.runtime.engine) as session:
            change_issue(session, THIRD, state, now=NOW)
        assert own_archive.get(f"{HOME}/{THIRD}").status_code == 404, state
        assert "16–22 November" not in told_on(own_archive, HOME)
        assert "16–22 November" not in own_archive.get(f"{HOME}/issues.rss").text


def test_what_was_frozen_is_shown_whatever_became_of_the_articles(own_archive: Site) -> None:
    before = own_archive.get(f"{HOME}/{THIRD}").text
    with writing(own_archive.runtime.engine) as session:
        session.execute(update(ArticleRow).values(title="Changed since", url=ArticleRow.url + "/moved"))
        change_topic(session, NewsletterId(1), Topic(SPACE, "Renamed"))
        remove_topic(session, NewsletterId(1), FOOD)
    assert own_archive.get(f"{HOME}/{THIRD}").text == before


def test_nothing_of_any_reader_is_on_any_page(archive: Site) -> None:
    for path in [*PAGES, *FEEDS]:
        page = archive.get(path).text
        for secret in (*FOLLOWS, "/online/", "/unsubscribe/", "/preferences/", "{{"):
            assert secret not in page, (path, secret)


def test_articles_used_for_their_headline_alone_have_no_takeaways_here_either(
    open_site: Callable[..., Site], archive_database: Path
) -> None:
    site = open_site(archive_database)
    bare = replace(ITEMS[0], position=0, takeaways=())
    content = sample_issue(items=(bare,), number=3)
    with writing(site.runtime.engine) as session:
        session.execute(
            update(ContentRow).where(ContentRow.issue_id == THIRD).values(told=content_to_json(content))
        )
    page = site.get(f"{HOME}/{THIRD}").text
    assert bare.title in page
    assert "<li>" not in page.partition("<section")[2].partition("</section>")[0]


# --- topics


def test_a_mix_shows_only_its_topics_whatever_their_order(archive: Site) -> None:
    one, other = f"{HOME}/3?topic=space&topic=food", f"{HOME}/3?topic=food&topic=space&topic=food"
    assert archive.get(one).content == archive.get(other).content
    assert canonical_of(archive.get(other).text) == f"{archive.url}{HOME}/3?topic=food&topic=space"
    shown = [item.title for item in ITEMS if {SPACE, FOOD} & set(item.topics)]
    assert sorted(titles_on(archive, one)) == sorted(shown)
    assert "Issue 3 · 7 articles about Space, Food , show all" in told_on(archive, one)


def test_a_list_of_a_mix_has_the_issues_with_any_of_it_and_counts_its_articles(archive: Site) -> None:
    told = told_on(archive, f"{HOME}?topic=space&topic=nothing")
    assert "Issues about Space" in told
    assert "Issue 3 · 3 articles of these topics" in told
    assert canonical_of(archive.get(f"{HOME}?topic=space&topic=nothing").text).endswith("?topic=space")
    assert "No issue has an article of these topics." in told_on(archive, f"{HOME}?topic=oceans")


@pytest.mark.parametrize("topic", ["nothing", "%00", "Space", "%3Cscript%3E", "../..", "a" * 9_000])
def test_topics_that_never_were_are_no_page(topic: str, archive: Site) -> None:
    for path in (HOME, *FEEDS):
        response = archive.get(f"{path}?topic={topic}")
        assert response.status_code == 404, path
        assert "There is no such page" in response.text


def test_an_issue_without_a_topic_says_so_and_leads_on(archive: Site) -> None:
    response = archive.get(f"{HOME}/3?topic=oceans")
    assert response.status_code == 404
    assert "It has no article of the topics asked for." in response.text
    assert f'href="{HOME}/3"' in response.text


def test_topics_are_listed_with_their_newest_issue_and_feeds(archive: Site) -> None:
    told = told_on(archive, f"{HOME}/topics")
    assert "Space Moons, comets, telescopes and those who build them 3 issues, the newest number 3" in told
    assert "Oceans" not in told, "nothing was ever sent about it"
    assert f'href="{HOME}/articles.atom?topic=space"' in archive.get(f"{HOME}/topics").text


def test_a_topic_that_was_dropped_goes_on_for_what_was_sent(own_archive: Site) -> None:
    with writing(own_archive.runtime.engine) as session:
        remove_topic(session, NewsletterId(1), FOOD)
    assert "Issues about Food" in told_on(own_archive, f"{HOME}?topic=food")
    assert "Kelp" in own_archive.get(f"{HOME}/articles.atom?topic=food").text
    assert "Food 3 issues" in told_on(own_archive, f"{HOME}/topics")


# --- pages


def test_pages_lead_through_all_issues_and_back(own_archive: Site) -> None:
    many(own_archive, 50)
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


def many(site: Site, count: int) -> None:
    """Store further issues of one article, about food or the climate by turns."""
    told = {topic: content_to_json(sample_issue(items=(item,))) for topic, item in _BY_TOPIC.items()}
    rows = [
        {
            "id": 100 + number,
            "newsletter_id": 1,
            "window_start": NOW + timedelta(days=number),
            "window_end": NOW + timedelta(days=number + 1),
            "state": "sent",
            "subject": "",
            "preheader": "",
            "intro": "",
            "revision": 1,
            "content_hash": f"{number:064}",
            "note": "",
            "approved_by": "ed",
            "created_at": NOW,
            "sending_at": NOW,
            "number": 3 + number,
            "hidden_by": "",
        }
        for number in range(1, count + 1)
    ]
    topics = [FOOD if number % 100 else CLIMATE for number in range(1, count + 1)]
    with writing(site.runtime.engine) as session:
        session.execute(insert(IssueRow), rows)
        session.execute(
            insert(ContentRow),
            [{"issue_id": row["id"], "told": told[topic]} for row, topic in zip(rows, topics, strict=True)],
        )
        session.execute(
            insert(IssueTopicRow),
            [
                {"issue_id": row["id"], "slug": topic, "name": topic, "articles": 1}
                for row, topic in zip(rows, topics, strict=True)
            ],
        )


_BY_TOPIC = {FOOD: replace(ITEMS[9], position=0), CLIMATE: replace(ITEMS[0], position=0)}


def test_ten_thousand_issues_ask_the_database_no_more_than_three(own_archive: Site) -> None:
    asked: list[str] = []
    event.listen(own_archive.runtime.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def questions(path: str) -> int:
        asked.clear()
        assert own_archive.get(path).status_code == 200, path
        return len([question for question in asked if question.startswith("SELECT")])

    paths = [HOME, f"{HOME}?topic=climate", f"{HOME}?before=3", f"{HOME}/2", f"{HOME}/topics", FEEDS[0]]
    few = [questions(path) for path in paths]
    many(own_archive, 10_000)
    assert [questions(path) for path in paths] == few
    assert max(few) <= 8


# --- what an editor takes out


def test_a_hidden_issue_is_on_no_page_and_in_no_feed(own_archive: Site) -> None:
    with writing(own_archive.runtime.engine) as session:
        hide_issue(session, SECOND, by="Ada", now=NOW)
    assert own_archive.get(f"{HOME}/{SECOND}").status_code == 404
    assert "This issue is not in the archive" in own_archive.get(f"{HOME}/{SECOND}").text
    for path in [HOME, f"{HOME}/topics", *FEEDS]:
        page = own_archive.get(path).text
        assert "(1)" not in page, path
        assert "kindnesses" not in page, path
    assert f'rel="prev" href="{HOME}/{FIRST}"' in own_archive.get(f"{HOME}/{THIRD}").text


def test_a_hidden_article_is_on_no_page_and_in_no_feed(own_archive: Site) -> None:
    article = next(
        number
        for number, title in enumerate(titles_by_anchor(own_archive), start=1)
        if title == ITEMS[5].title
    )
    with writing(own_archive.runtime.engine) as session:
        hide_item(session, THIRD, article - 1, by="Ada", now=NOW)
    for path in [HOME, f"{HOME}/{THIRD}", f"{HOME}/{THIRD}?topic=space", *FEEDS]:
        assert f"{ITEMS[5].title}<" not in own_archive.get(path).text, path
    assert "Issue 3 · 11 articles" in told_on(own_archive, HOME)
    assert own_archive.get(own_archive.link(Purpose.ONLINE, BEN)).status_code == 200


def titles_by_anchor(site: Site) -> list[str]:
    page = site.get(f"{HOME}/{THIRD}").text
    found = re.findall(r'<article id="a(\d+)".*?<h3>(.*?)</h3>', page, re.DOTALL)
    return [text_of(title) for _, title in sorted(found, key=lambda one: int(one[0]))]


# --- for machines


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


def schema_of(page: str) -> dict:  # type: ignore[type-arg]
    (told,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(told)


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
        session.execute(
            update(ContentRow).where(ContentRow.issue_id == THIRD).values(told=content_to_json(content))
        )
    page = own_archive.get(f"{HOME}/{THIRD}").text
    assert '<div class="intro" lang="ar" dir="auto">' in page
    assert re.search(r'<h2 id="topic-climate" lang="ar" dir="auto">المناخ', page)


# --- bad input

_ADDRESSES = [
    "/archive",
    "/archive/",
    "/archive//",
    "/archive/%00",
    "/archive/saturday%00",
    "/archive/SATURDAY",
    "/archive/..%2F..%2Fetc",
    "/archive/%3Cscript%3Ealert(1)%3C/script%3E",
    "/archive/" + "a" * 9_000,
    "/archive/saturday/0",
    "/archive/saturday/-1",
    "/archive/saturday/1.5",
    "/archive/saturday/99999999999999999999",
    f"/archive/saturday/{2**31}",
    "/archive/saturday/２",
    "/archive/saturday/feed.exe",
    "/archive/saturday/articles.xml",
    "/archive/saturday/1/2/3",
]


@pytest.mark.parametrize("path", _ADDRESSES)
def test_addresses_that_lead_nowhere_are_told_so_in_words(path: str, archive: Site) -> None:
    response = archive.get(path)
    assert response.status_code == 404
    assert "not in the archive" in response.text or "There is no such page" in response.text
    assert 'href="/"' not in response.text, "the desk is not for visitors"
    assert "alert(1)" not in response.text


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (f"{HOME}/", HOME),
        (f"{HOME}//?topic=space&topic=food", f"{HOME}?topic=space&topic=food"),
        (f"{HOME}/topics/", f"{HOME}/topics"),
        (f"{HOME}/3/?topic=space", f"{HOME}/3?topic=space"),
        (f"{HOME}/issues.atom/", f"{HOME}/issues.atom"),
    ],
)
def test_a_slash_at_the_end_leads_to_the_page_itself(path: str, to: str, archive: Site) -> None:
    for asked in (archive.client.get, archive.client.head):
        response = asked(path)
        assert (response.status_code, response.headers["location"]) == (308, to)
    assert archive.get(to).status_code == 200
    assert archive.client.post(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/archive//evil.example.org/",
        "/archive/%2F%2Fevil.example.org/",
        "/archive/saturday%3Ftopic=x%23y/",
        "/archive/%E2%80%AE/?%00",
    ],
)
def test_a_slash_at_the_end_leads_to_nobody_elses_site(path: str, archive: Site) -> None:
    response = archive.get(path)
    assert response.status_code == 308
    assert response.headers["location"].isascii()
    assert response.headers["location"].startswith("/archive/")
    assert archive.get(response.headers["location"]).status_code == 404


def test_a_slash_at_the_end_leads_on_below_a_path_too(
    open_site: Callable[..., Site], archive_database: Path
) -> None:
    site = open_site(archive_database, public_url="https://example.org/letters")
    for path in (f"{HOME}/", f"/letters{HOME}/"):
        assert site.get(path).headers["location"] == f"/letters{HOME}"


@pytest.mark.parametrize("query", ["before=0", "before=x", f"after={2**31}", "before=-3", "after=%00"])
def test_numbers_that_are_none_are_refused_in_words(query: str, archive: Site) -> None:
    response = archive.get(f"{HOME}?{query}")
    assert response.status_code == 422
    assert "That address is not complete" in response.text


def test_an_archive_can_only_be_read(archive: Site) -> None:
    for path in [*PAGES, *FEEDS]:
        assert archive.client.post(path).status_code == 405
        head = archive.client.head(path)
        assert (head.status_code, head.content) == (200, b"")


def test_hostile_words_are_words_on_every_page(own_archive: Site) -> None:
    poison = " ".join(HOSTILE)
    item = replace(
        ITEMS[0],
        position=0,
        title=poison,
        source=poison,
        takeaways=(poison,),
        url="https://example.org/?'\"<>",
    )
    content = sample_issue(items=(item,), newsletter=poison, subject=poison, preheader=poison, intro=poison)
    topics = tuple(replace(topic, name=poison) for topic in content.topics)
    with writing(own_archive.runtime.engine) as session:
        told = content_to_json(replace(content, topics=topics, number=3))
        session.execute(update(ContentRow).where(ContentRow.issue_id == THIRD).values(told=told))
        stored = storable(poison)
        change_newsletter(session, NewsletterId(1), name=stored[:200], postal_address=stored[:500])
        change_topic(session, NewsletterId(1), Topic(CLIMATE, stored[:200], stored[:1000]))
    for path in [*PAGES, f"{HOME}/{THIRD}"]:
        page = own_archive.get(path).text
        assert page.count("<script") == page.count('<script type="application/ld+json">') <= 1, path
        seen = outline(page)
        assert not seen.imbalance, path
        assert not seen.named("svg", "iframe", "style", "object", "base"), path
        given = [pair for element in seen.elements for pair in element.attributes.items()]
        assert not [name for name, _ in given if name.startswith("on") or name == "style"], path
        assert not [url for name, url in given if name in ("href", "src") and "script:" in url[:20]], path
    assert schema_of(own_archive.get(f"{HOME}/{THIRD}").text)["hasPart"][0]["inLanguage"] == "en"


# --- the mail online


def test_a_copy_online_says_itself_that_it_is_not_to_be_listed(archive: Site) -> None:
    response = archive.get(archive.link(Purpose.ONLINE, ADA))
    assert response.headers["x-robots-tag"] == "noindex, nofollow"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    head = response.text.partition("</head>")[0]
    assert '<meta name="robots" content="noindex, nofollow, noarchive">' in head
    assert '<meta name="referrer" content="no-referrer">' in head


def test_who_was_removed_has_no_copy_online_any_more(own_archive: Site) -> None:
    link = own_archive.link(Purpose.ONLINE, ADA)
    with writing(own_archive.runtime.engine) as session:
        session.execute(SubscriberRow.__table__.delete().where(SubscriberRow.email == ADA))
    response = own_archive.get(link)
    assert response.status_code == 404
    assert "what it was for may be gone" in response.text
    assert ADA not in response.text


# --- on the other database


def test_every_page_and_feed_works_on_postgresql(postgres_url: str) -> None:
    make_schema(postgres_url)
    port = free_port()
    runtime = runtime_on(postgres_url, port)
    populate_archive(runtime)
    with serving(runtime, port) as site:
        before = contents(runtime.engine)
        for path in [*PAGES, *FEEDS, f"{HOME}?before=3", f"{HOME}?after=1", f"{HOME}/issues.json?topic=food"]:
            assert site.get(path).status_code == 200, path
        for path in ("/archive/%00", f"{HOME}/{2**31}", f"{HOME}?topic=%00", f"{HOME}?topic=%ed%a0%80"):
            assert site.get(path).status_code == 404, path
        cities = [item.title for item in in_week(2, ITEMS[::2]) if CITIES in item.topics]
        assert sorted(titles_on(site, f"{HOME}/1?topic=cities")) == sorted(cities)
        assert contents(runtime.engine) == before
        many(site, 50)
        assert site.get(f"{HOME}?topic=climate&before=30").status_code == 200
    runtime.engine.dispose()


def test_a_topic_added_since_can_be_asked_for(own_archive: Site) -> None:
    with writing(own_archive.runtime.engine) as session:
        add_topic(session, NewsletterId(1), Topic(TopicSlug("rivers"), "Rivers"))
    assert "No issue has an article of these topics." in told_on(own_archive, f"{HOME}?topic=rivers")
