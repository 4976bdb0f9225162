"""The public archive by topics, and mixes of them."""

from __future__ import annotations

import pytest

from digest.domain.newsletters import NewsletterId
from digest.domain.topics import Topic, TopicSlug
from digest.store.database import writing
from digest.store.newsletters import add_topic, remove_topic
from tests.samples import FOOD, ITEMS, SPACE
from tests.web.archive_pages import FEEDS, canonical_of, titles_on, told_on
from tests.web.archived import HOME
from tests.web.site import Site


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


def test_a_topic_added_since_can_be_asked_for(own_archive: Site) -> None:
    with writing(own_archive.runtime.engine) as session:
        add_topic(session, NewsletterId(1), Topic(TopicSlug("rivers"), "Rivers"))
    assert "No issue has an article of these topics." in told_on(own_archive, f"{HOME}?topic=rivers")
