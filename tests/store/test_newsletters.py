from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from digest.domain.articles import Style
from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import Approval
from digest.domain.themes import LIGHT, USUAL, Logo, Theme
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.database import reading, writing
from digest.store.newsletters import (
    add_newsletter,
    add_topic,
    change_newsletter,
    get_newsletter,
    get_topic,
    list_newsletters,
    list_topics,
    newsletter_by_id,
    remove_newsletter,
    remove_topic,
    set_theme,
    topic_ids,
)
from digest.store.sources import NewSource, add_sources, get_source, list_sources
from digest.store.subscribers import get_subscription
from tests.stored import CLIMATE, NOW, TOPICS, WEEKLY, stored_newsletter, stored_reader, stored_source

THEME = Theme(
    light=replace(LIGHT, accent="#0b5394"),
    logo=Logo("https://example.org/logo.png", "The Week", 200),
    wording={"de": {"reading_time": {"one": "eine Minute", "other": "{count} Minuten"}}},
)


def test_a_newsletter_comes_back_as_it_was_stored(engine: Engine) -> None:
    kept = stored_newsletter(
        engine,
        language="de",
        timezone="Europe/Berlin",
        window_days=1,
        max_items=9,
        takeaways=2,
        approval=Approval.AUTOMATIC,
        template="plain",
        theme=THEME,
    )
    with reading(engine) as session:
        assert get_newsletter(session, "weekly") == newsletter_by_id(session, kept.id) == kept
        assert list_newsletters(session) == (kept,)


def test_a_theme_is_set_and_taken_back(engine: Engine) -> None:
    newsletter, other = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    for theme in (THEME, USUAL):
        with writing(engine) as session:
            assert set_theme(session, newsletter.id, theme) == replace(newsletter, theme=theme)
        with reading(engine) as session:
            found = {one.slug: one.theme for one in list_newsletters(session)}
        assert found == {newsletter.slug: theme, other.slug: USUAL}


def test_what_an_issue_holds_can_be_changed_and_nothing_else_changes_with_it(engine: Engine) -> None:
    newsletter, other = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    wanted: dict[str, Any] = {
        "takeaways": 2,
        "takeaway_words": 20,
        "takeaway_style": Style.BRIEF,
        "llm": True,
    }
    with writing(engine) as session:
        changed = change_newsletter(session, newsletter.id, **wanted)
    assert changed == replace(newsletter, **wanted)
    with reading(engine) as session:
        assert set(list_newsletters(session)) == {changed, other}


def test_a_newsletters_short_name_is_taken_once(engine: Engine) -> None:
    stored_newsletter(engine)
    with pytest.raises(Conflict, match="newsletter 'weekly' exists already"), writing(engine) as session:
        add_newsletter(session, WEEKLY, now=NOW)


def test_an_unknown_newsletter_is_answered_with_those_there_are(engine: Engine) -> None:
    with reading(engine) as session, pytest.raises(NotFound, match="add one with 'digest newsletter add'"):
        get_newsletter(session, "weakly")
    stored_newsletter(engine)
    with (
        reading(engine) as session,
        pytest.raises(NotFound, match="no newsletter 'weakly'; there is: weekly"),
    ):
        get_newsletter(session, "weakly")


def test_a_removed_newsletters_id_is_never_given_again(engine: Engine) -> None:
    """It stands in the links of mails already sent: they must not act on another newsletter."""
    gone = stored_newsletter(engine)
    with writing(engine) as session:
        remove_newsletter(session, gone.id)
    assert stored_newsletter(engine, slug="daily").id != gone.id


def test_removing_a_newsletter_removes_what_is_its_own(engine: Engine) -> None:
    newsletter, other = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    stored_source(engine, newsletter, "Meridian")
    for each in (newsletter, other):
        stored_reader(engine, each, "anna@example.org", CLIMATE)
    with writing(engine) as session:
        remove_newsletter(session, newsletter.id)
    with reading(engine) as session:
        assert list_newsletters(session) == (other,)
        assert list_sources(session, newsletter.id) == ()
        assert get_subscription(session, other.id, "anna@example.org").follows == {CLIMATE}
        with pytest.raises(NotFound, match="was removed"):
            newsletter_by_id(session, newsletter.id)


def test_topics_stay_in_the_order_they_were_added(engine: Engine) -> None:
    rule = TopicRule(("tide power",), ("Energy",), ("Meridian",))
    newsletter = stored_newsletter(engine, topics=())
    late = Topic(TopicSlug("a-late-one"), "Late", "What comes late", rule)
    with writing(engine) as session:
        for topic in (*TOPICS, late):
            add_topic(session, newsletter.id, topic)
        remove_topic(session, newsletter.id, "space")
        add_topic(session, newsletter.id, TOPICS[1])
    with reading(engine) as session:
        assert list_topics(session, newsletter.id) == (TOPICS[0], *TOPICS[2:], late, TOPICS[1])
        assert list(topic_ids(session, newsletter.id)) == [
            "climate",
            "cities",
            "food",
            "a-late-one",
            "space",
        ]
        assert get_topic(session, newsletter.id, "a-late-one") == late


def test_a_topic_is_there_once_in_each_newsletter(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    stored_newsletter(engine, slug="daily")
    with pytest.raises(Conflict, match="topic 'climate' exists already"), writing(engine) as session:
        add_topic(session, newsletter.id, TOPICS[0])


def test_a_newsletter_has_no_more_topics_than_a_number_has_bits_for(engine: Engine) -> None:
    newsletter = stored_newsletter(engine, topics=[Topic(TopicSlug(f"t{n}"), "T") for n in range(60)])
    with pytest.raises(Conflict, match="at most 60 topics"), writing(engine) as session:
        add_topic(session, newsletter.id, TOPICS[0])


def test_removing_a_topic_removes_its_follows_only(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE, TopicSlug("space"))
    with writing(engine) as session:
        remove_topic(session, newsletter.id, "climate")
    with reading(engine) as session:
        assert get_subscription(session, newsletter.id, "anna@example.org").follows == {"space"}
        with pytest.raises(NotFound, match="no topic 'climate'; there is: space, cities, food"):
            get_topic(session, newsletter.id, "climate")


def test_sources_are_added_all_or_none(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    source = stored_source(engine, newsletter, "Meridian", topics=(CLIMATE,), link_pattern="/news/")
    for clash in (NewSource("Meridian", "https://new.example.org/"), NewSource("New", source.url)):
        new = [NewSource("Fine", "https://fine.example.org/"), clash]
        with pytest.raises(Conflict, match="nothing was added"), writing(engine) as session:
            add_sources(session, newsletter.id, new, now=NOW)
    with reading(engine) as session:
        assert list_sources(session, newsletter.id) == (source,)


def test_a_source_is_found_by_name_and_by_address(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    source = stored_source(engine, newsletter, "Meridian")
    with reading(engine) as session:
        assert get_source(session, newsletter.id, source.url) == source
        with pytest.raises(NotFound, match="no source 'Aurora'; there is: 'Meridian'"):
            get_source(session, newsletter.id, "Aurora")
