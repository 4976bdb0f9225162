"""Muting a topic, fewer like an article, useful or not: each asked on a page, stored, shown and undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from digest.domain.deliveries import DeliveryState
from digest.domain.feedback import Feedback
from digest.domain.issues import IssueId
from digest.domain.less import Less
from digest.domain.newsletters import NewsletterId
from digest.store.database import reading, writing
from digest.store.feedback import feedback_by_source, feedback_on
from digest.store.less import MutedTopicRow, less_of
from digest.store.newsletters import remove_topic
from digest.store.schedules import add_schedule
from digest.store.subscribers import SubscriberRow
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, FOOD
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, DAN, NOW, SENDING, contents, follows_of, reader_id, settle


@pytest.fixture
def site(open_site: Callable[..., Site], mailed_database: Path) -> Site:
    return open_site(mailed_database)


def words_of(page: str) -> str:
    """What a page says, without the spaces that stand for its marks."""
    return re.sub(r" (?=[.,:?!”])|(?<=“) ", "", text_of(page))


def words_at(site: Site, path: str) -> str:
    return words_of(site.get(path).text)


def preferences(site: Site, email: str = ADA) -> str:
    return site.link(Purpose.PREFERENCES, email)


def wants(site: Site, email: str = ADA) -> Less:
    with reading(site.runtime.engine) as session:
        return less_of(session, NewsletterId(1), reader_id(site.runtime.engine, email), after=NOW)


def links_of(site: Site, email: str, way: str) -> list[str]:
    """The paths of a mail's links of one kind, in order, each once."""
    mail = site.get(site.link(Purpose.ONLINE, email)).text
    found = re.findall(rf'href="{re.escape(site.url)}(/preferences/[^"/]+/{way}/[^"]+)"', mail)
    return list(dict.fromkeys(found))


# --- muting


def test_a_mails_topic_leads_to_a_page_that_asks_and_mutes_for_a_month(site: Site) -> None:
    link = links_of(site, ADA, "mute")[0]
    assert link == f"{preferences(site)}/mute/climate"
    assert "Mute Climate & energy for a month?" in words_at(site, link)
    assert wants(site) == Less()
    told = words_of(site.post(link, act="mute").text)
    assert "Climate & energy is muted Until 23 December your mail has nothing of Climate & energy." in told
    assert wants(site).muted == {CLIMATE}
    assert follows_of(site.runtime.engine, ADA) == {CLIMATE, FOOD}, "it is followed again by itself"


def test_a_mute_is_shown_and_ended_where_all_choices_are(site: Site) -> None:
    assert "Muted until" not in site.get(preferences(site)).text
    site.post(f"{preferences(site)}/mute/climate", act="mute")
    assert "Muted until 23 December Unmute Climate & energy" in words_at(site, preferences(site))
    after = site.post(f"{preferences(site)}/less", end="mute:climate")
    assert "Muted until" not in after.text
    assert wants(site) == Less()


def test_a_mute_that_is_longer_than_a_month_says_until_when_and_why(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        due = datetime(2027, 1, 1, 7, tzinfo=UTC)
        add_schedule(
            session, NewsletterId(1), cron="0 7 1 1 *", timezone="UTC", window_days=30, next_due=due, now=NOW
        )
    link = f"{preferences(site)}/mute/climate"
    asked = words_at(site, link)
    assert "Mute Climate & energy until 2 January?" in asked
    assert "so that one issue of yours at least comes without it. Mute it until 2 January" in asked
    assert "Until 2 January your mail has nothing of Climate & energy." in words_of(
        site.post(link, act="mute").text
    )
    assert "Muted until 2 January" in words_at(site, preferences(site))


def test_a_mute_ends_on_a_day_of_its_readers_own_calendar(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        # Seven in the morning in London is the evening before on their island.
        ada = update(SubscriberRow).where(SubscriberRow.id == reader_id(site.runtime.engine, ADA))
        session.execute(ada.values(timezone="Pacific/Pago_Pago"))
    link = f"{preferences(site)}/mute/climate"
    assert "until 22 December" in words_at(site, link)
    assert "Until 22 December your mail" in words_of(site.post(link, act="mute").text)
    assert "Muted until 22 December" in words_at(site, preferences(site))


def test_a_mute_is_ended_on_its_own_page_and_ends_by_itself(site: Site) -> None:
    link = f"{preferences(site)}/mute/climate"
    site.post(link, act="mute")
    assert "Ended: from the next issue on your mail has Climate & energy again." in words_of(
        site.post(link, act="end").text
    )
    site.post(link, act="mute")
    with writing(site.runtime.engine) as session:
        session.execute(update(MutedTopicRow).values(until=NOW - timedelta(seconds=1)))
    assert "Mute Climate & energy for a month?" in words_at(site, link)
    assert wants(site) == Less()


def test_what_is_not_followed_cannot_be_muted_and_what_is_gone_is_not_there(site: Site) -> None:
    assert "You do not follow Space" in words_at(site, f"{preferences(site)}/mute/space")
    with writing(site.runtime.engine) as session:
        remove_topic(session, NewsletterId(1), "oceans")
    for topic in ("oceans", "nothing", "%00", "a" * 500):
        link = f"{preferences(site)}/mute/{topic}"
        assert site.get(link).status_code == 404
        assert site.post(link, act="mute").status_code == 404


# --- fewer like this


def test_fewer_of_its_topic_or_none_of_its_source_and_all_again(site: Site) -> None:
    link = links_of(site, ADA, "fewer")[0]
    page = words_of(site.get(link).text)
    assert "your mail has one article of Climate & energy at most: the best of the issue." in page
    source = re.search(r"has nothing from (.+?), whatever its topic", page)
    assert source
    site.post(link, act="single")
    told = words_of(site.post(link, act="nothing").text)
    assert "one article of Climate & energy at most" in told
    assert f"Your mail has nothing from {source[1]}." in told
    assert wants(site) == Less(single=frozenset({CLIMATE}), sources=frozenset({source[1]}))
    choices = words_of(site.get(preferences(site)).text)
    assert "Climate & energy: one article at most" in choices
    assert f"{source[1]}: nothing from it" in choices
    for end in (f"source:{source[1]}", f"single:{CLIMATE}"):
        site.client.post(f"{preferences(site)}/less", data={"end": end})
    assert wants(site) == Less()
    site.post(link, act="single")
    site.post(link, act="every")
    site.post(link, act="nothing")
    site.post(link, act="again")
    assert wants(site) == Less()


def path_of(link: str) -> str:
    """Issue and position of an article's link."""
    return link.partition("/fewer/")[2]


def test_an_article_that_was_not_sent_to_them_is_none_of_their_business(site: Site) -> None:
    ada, ben = (links_of(site, email, "fewer") for email in (ADA, BEN))
    place = next(iter({path_of(link) for link in ada} - {path_of(link) for link in ben}))
    before = contents(site.runtime.engine)
    foreign = (place, "1/999", "2/0", "99/0", "0/0", "1/-1", "99999999999999/0", "1/x")
    for path in foreign:
        for way, field in (("fewer", "act"), ("useful", "say")):
            link = f"{preferences(site, BEN)}/{way}/{path}"
            assert site.get(link).status_code in {404, 422}, link
            assert site.client.post(link, data={field: "useful"}).status_code in {404, 422}, link
    assert site.get(f"{preferences(site, DAN)}/fewer/1/0").status_code == 404, "nothing was sent to Dan"
    assert contents(site.runtime.engine) == before


@pytest.mark.parametrize("state", DeliveryState)
def test_a_mail_that_cannot_have_reached_them_is_nothing_to_speak_of(
    state: DeliveryState, site: Site
) -> None:
    links = [links_of(site, ADA, way)[0] for way in ("fewer", "useful")]
    settle(site.runtime.engine, ADA, state)
    before = contents(site.runtime.engine)
    may_be_read = state in {DeliveryState.SENDING, DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}
    expected = 200 if may_be_read else 404
    for link in links:
        assert site.get(link).status_code == expected
        assert site.post(link, act="single", say="useful").status_code == expected
    assert (contents(site.runtime.engine) != before) is may_be_read


@pytest.mark.parametrize("form", [{}, {"act": ""}, {"act": "drop table"}, {"end": "mute"}])
def test_a_form_that_is_none_of_ours_changes_nothing(form: dict[str, str], site: Site) -> None:
    before = contents(site.runtime.engine)
    for path in ("/mute/climate", "/fewer/1/0", "/less", "/useful/1/0"):
        assert site.client.post(preferences(site) + path, data=form).status_code in {200, 303, 404, 422}
    assert contents(site.runtime.engine) == before


# --- useful or not


def said_of(site: Site) -> dict[int, Feedback]:
    with reading(site.runtime.engine) as session:
        return dict(feedback_on(session, IssueId(SENDING)))


def test_one_word_of_each_reader_counts_and_the_last(site: Site) -> None:
    useful = links_of(site, ADA, "useful")[0]
    position = int(useful.rpartition("/")[2])
    assert "Was it useful?" in words_at(site, useful)
    assert said_of(site) == {}
    for _ in range(2):
        assert "was not useful to you" in words_of(site.post(useful, say="not-useful").text)
        assert said_of(site) == {position: Feedback(0, 1)}
    assert "was useful to you" in words_of(site.post(useful, say="useful").text)
    assert said_of(site) == {position: Feedback(1, 0)}
    page = words_of(site.get(f"/issues/{SENDING}").text)
    assert "What readers told" in page
    assert site.post(useful, say="nothing").status_code == 200
    assert said_of(site) == {}


def test_what_is_said_counts_for_the_source_for_a_while(site: Site) -> None:
    site.post(links_of(site, ADA, "useful")[0], say="useful")
    with reading(site.runtime.engine) as session:
        assert (
            sum(one.useful for one in feedback_by_source(session, NewsletterId(1), since=NOW).values()) == 1
        )
        assert not feedback_by_source(session, NewsletterId(1), since=NOW + timedelta(seconds=1))


# --- in every language


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_its_pages_are_in_the_readers_language(language: str, site: Site) -> None:
    with writing(site.runtime.engine) as session:
        session.get_one(SubscriberRow, reader_id(site.runtime.engine, ADA)).language = language
    for way in ("mute", "fewer", "useful"):
        page = site.get(links_of(site, ADA, way)[0]).text
        assert f'<html lang="{language}"' in page
        assert "your mail" not in page
