"""The public archive: what everybody may read, and nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import update

from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.topics import Topic
from digest.store.articles import ArticleRow
from digest.store.database import writing
from digest.store.hiding import hide_issue, hide_item
from digest.store.issues import change_issue
from digest.store.newsletters import change_newsletter, change_topic, remove_topic
from digest.store.subscribers import SubscriberRow
from digest.track.tokens import Purpose
from tests.samples import CITIES, FOOD, ITEMS, SPACE, sample_issue
from tests.servers.processes import free_port
from tests.web.archive_pages import FEEDS, PAGES, titles_on, told_on
from tests.web.archived import (
    DRAFT,
    FIRST,
    HOME,
    INTRO,
    SECOND,
    SUBJECT,
    THIRD,
    add_issues,
    in_week,
    populate_archive,
    retell,
)
from tests.web.conftest import runtime_on
from tests.web.site import Site, serving
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, FOLLOWS, NOW, contents


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
        retell(session, content)
    page = site.get(f"{HOME}/{THIRD}").text
    assert bare.title in page
    assert "<li>" not in page.partition("<section")[2].partition("</section>")[0]


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


def test_every_page_and_feed_works_on_postgresql(migrated_postgres_url: str) -> None:
    port = free_port()
    runtime = runtime_on(migrated_postgres_url, port)
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
        add_issues(site, 50)
        assert site.get(f"{HOME}?topic=climate&before=30").status_code == 200
    runtime.engine.dispose()
