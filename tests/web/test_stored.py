"""What is stored of a reader, by the link in their mail: shown, taken along as a file, and erased."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from digest.domain.bounces import Meaning
from digest.domain.cadences import Cadence
from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.departures import Reason
from digest.domain.errors import Unavailable
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, Wishes
from digest.domain.subscribers import SkipReason
from digest.domain.suppressions import SuppressionReason
from digest.domain.topics import Topic
from digest.pipeline import erasing
from digest.pipeline.erasing import address_data, finish_erasures
from digest.pipeline.erasing_lists import LookedThrough
from digest.runtime import Runtime
from digest.store.asks import put_asks
from digest.store.audit import record
from digest.store.consents import add_consent
from digest.store.database import reading, writing
from digest.store.departures import record_departure, say_why
from digest.store.erasing import take_reader_out
from digest.store.erasure_orders import ErasureOrder, add_order
from digest.store.newsletters import add_newsletter, add_topic, change_newsletter
from digest.store.put_off_sign_ups import PutOff, PutOffRow, put_off
from digest.store.reader_data import LEFT_OUT, OF_SENDERS, tables_of_readers
from digest.store.returned import Effect, ReturnedRow
from digest.store.sign_ups import SignUpRow, put_sign_ups
from digest.store.subscribers import find_subscription, subscribe
from digest.store.suppressions import RemovalRow, suppress
from digest.track.events import EventKind
from digest.track.less import mute
from digest.track.reports import Kind
from digest.track.tokens import Purpose
from digest.web.stored_words import FIELDS, IN_THE_FILE_ALONE, PARTS, VALUES
from tests.samples import CLIMATE, FOOD
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, NEWSLETTER, NOW, TOPICS, contents, reader_id


def test_all_that_is_stored_is_shown_in_words_and_nothing_of_others(still_site: Site) -> None:
    told = text_of(still_site.get(f"{still_site.link(Purpose.PREFERENCES, ADA)}/stored").text)
    parts = ("What you subscribed to", "Topics you follow", "Issues mailed to you")
    for words in (*parts, "Climate & energy", ADA):
        assert words in told
    assert BEN not in told
    assert "State waits to be sent" in told
    assert "Articles in it Climate & energy: 1" in told
    assert "Of newsletter The Saturday Reader" in told
    assert "How often Every issue" in told


def test_consents_wishes_and_muted_topics_are_in_words(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    consent = Consent(ConsentAct.ASKED, ConsentSource.PAGE, at=NOW, recorded_at=NOW, wording="I want it.")
    with writing(site.runtime.engine) as session:
        add_consent(session, NewsletterId(1), who, consent)
        put_asks(session, NewsletterId(1), {who: Wishes(frozenset({CLIMATE, FOOD}))}, now=NOW)
        record(session, by="Cy", what="subscriber.paused", about=f"saturday: subscriber {who}", now=NOW)
        record(session, by="Cy", what="subscriber.paused", about=f"saturday: subscriber {who}1", now=NOW)
    mute(site.runtime.engine, NewsletterId(1), who, "food", now=NOW)
    link = site.link(Purpose.PREFERENCES, ADA)
    told = text_of(site.get(f"{link}/stored").text)
    for words in (
        "What was done signed up",
        "Source on the sign-up page",
        "What you asked for and did not confirm yet",
        "Topics Climate & energy, Food",
        "Topics you muted Topic Food",
        "What paused About The Saturday Reader",
    ):
        assert words in told, words
    data = site.get(f"{link}/stored.json").json()
    assert [row["about"] for row in data["record"]] == [f"saturday: subscriber {who}"]
    assert data["consents"][0]["act"] == "asked", "the file is for programs"


def test_sign_ups_that_wait_are_told_of_too(site: Site) -> None:
    wishes = Wishes(frozenset({CLIMATE, FOOD}), Cadence.WEEKLY, name="Ada")
    theirs = SignUp(NewsletterId(1), ADA.title(), wishes, ConsentSource.FORM, "I want it.", "192.0.2.7", NOW)
    with writing(site.runtime.engine) as session:
        put_sign_ups(session, [theirs, replace(theirs, email=BEN)])
        waiting = [PutOff(one, one.email, NOW, NOW) for one in (theirs, replace(theirs, email=BEN))]
        put_off(session, NewsletterId(1), waiting)
    link = site.link(Purpose.PREFERENCES, ADA)
    told = text_of(site.get(f"{link}/stored").text)
    for words in (
        "Sign-ups just sent with your address Of newsletter The Saturday Reader Number 1",
        "Sign-ups with your address that wait",
        "Topics Climate & energy, Food",
        "How often One issue a week",
        "Source by a form on another site",
    ):
        assert words in told, words
    assert BEN not in told
    data = site.get(f"{link}/stored.json").json()
    for part in ("sign_ups", "put_off_sign_ups"):
        (row,) = data[part]
        assert (row["email"], row["name"], row["newsletter"]) == (ADA.title(), "Ada", "saturday")
        assert row.keys().isdisjoint({"mailbox", "network", "is_trapped"}), "anybody can send a form"
    assert "192.0.2.7" not in told
    for part in ("sign_ups", "put_off_sign_ups"):
        (row,) = address_data(site.runtime, ADA)[part]  # type: ignore[misc]
        assert (row["network"], row["is_trapped"]) == ("192.0.2.7", False), "staff can tell"


def test_where_a_form_came_from_is_told_once_it_is_confirmed(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    asked = Consent(ConsentAct.ASKED, ConsentSource.PAGE, NOW, NOW, "I want it.", "192.0.2.7")
    with writing(site.runtime.engine) as session:
        add_consent(session, NewsletterId(1), who, asked)
        add_consent(session, NewsletterId(1), who, replace(asked, act=ConsentAct.CONFIRMED, network="::1"))
    data = site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored.json").json()
    assert [(row["act"], row.get("network")) for row in data["consents"]] == [
        ("asked", None),
        ("confirmed", "::1"),
    ]


def test_of_a_flood_of_sign_ups_the_newest_are_told_and_how_many_there_are(site: Site) -> None:
    one = SignUp(NewsletterId(1), ADA, Wishes(frozenset({CLIMATE})), ConsentSource.FORM, "Yes.", "", NOW)
    with writing(site.runtime.engine) as session:
        put_sign_ups(session, [one] * 130)
    link = site.link(Purpose.PREFERENCES, ADA)
    told = text_of(site.get(f"{link}/stored").text)
    assert "And 80 more in the file. 30 older ones are not listed." in told
    data = site.get(f"{link}/stored.json").json()
    assert ([row["id"] for row in data["sign_ups"]], data["sign_ups_in_all"]) == ([*range(31, 131)], 130)
    assert "put_off_sign_ups_in_all" not in data


def test_what_was_done_and_why_is_in_words(site: Site) -> None:
    who = reader_id(site.runtime.engine, ADA)
    with writing(site.runtime.engine) as session:
        record(session, by="Cy", what="subscriber.paused", about=f"saturday: subscriber {who}", now=NOW)
        record(session, by="Cy", what="account.role_changed", about=ADA, now=NOW)
        record(session, by="Cy", what="readers.uploaded", about="saturday", detail=ADA, now=NOW)
        record_departure(session, NewsletterId(1), who, now=NOW)
        say_why(session, NewsletterId(1), who, Reason.TOO_MUCH, "")
        suppress(session, ADA, reason=SuppressionReason.HARD_BOUNCE, detail="no such user", now=NOW)
    told = text_of(site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored").text)
    for words in (
        "What paused About The Saturday Reader",
        "What something with your account of those who make newsletters",
        "Reason Each mail was too long",
        "State before you get it",
        "Reason your mailbox was not there",
    ):
        assert words in told, words
    assert "readers.uploaded" not in told
    assert "What was done 1" not in told, "a number that rows share is no act"
    assert "This is all" not in told
    assert "where you are only named beside something else, whoever sends The Saturday Reader" in told


def test_topics_stand_on_one_card_for_each_newsletter_by_the_names_they_have_there(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        sunday = replace(NEWSLETTER, slug="sunday", name="The Sunday Reader")
        other = add_newsletter(session, sunday, now=NOW).id
        add_topic(session, other, Topic(CLIMATE, "Sun & rain"))
        subscribe(session, other, email=ADA, follows=[CLIMATE], now=NOW)
    data = site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored.json").json()
    page = site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored").text
    cards = page.partition("Topics you follow")[2].partition("</section>")[0]
    assert cards.count("<dl>") == 2
    own = [row["topic"] for row in data["follows"] if row["newsletter"] == "saturday"]
    names = ", ".join(topic.name for slug in own for topic in TOPICS if topic.slug == slug)
    assert len(own) > 1
    assert f"Of newsletter The Saturday Reader Topics {names}" in text_of(cards)
    assert "Of newsletter The Sunday Reader Topics Sun & rain" in text_of(cards)


def test_every_field_that_the_page_may_show_is_named() -> None:
    """What another table brings has a name here, too: a new column is named, or said to be for the file."""
    tables = [table for table, _ in tables_of_readers()]
    fields = {column.name for table in tables for column in table.columns} - LEFT_OUT
    fields |= {column.name for column in RemovalRow.__table__.columns} - LEFT_OUT
    for row in (ReturnedRow, SignUpRow, PutOffRow):
        fields |= {column.name for column in row.__table__.columns} - LEFT_OUT - OF_SENDERS
    assert fields - FIELDS.keys() - IN_THE_FILE_ALONE == set()
    assert {table.name for table in tables} - PARTS.keys() == set()


@pytest.mark.parametrize(
    ("part", "field", "codes"),
    [
        ("departures", "reason", Reason),
        ("never_mailed", "reason", SuppressionReason),
        ("no_mail_of", "reason", SkipReason),
        ("came_back", "kind", [*Kind, *EventKind]),
        ("came_back", "meaning", Meaning),
        ("came_back", "effect", Effect),
    ],
)
def test_every_code_has_words(part: str, field: str, codes: Iterable[str]) -> None:
    assert {str(code) for code in codes} == VALUES[part, field].keys()


def test_the_page_finds_its_part_of_the_record_by_an_index(site: Site) -> None:
    with reading(site.runtime.engine) as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE about IN ('a', 'b') ORDER BY id"
        )
        told = " ".join(str(row) for row in plan)
    assert "ix_audit_about" in told


def test_the_file_has_all_of_it(still_site: Site) -> None:
    answer = still_site.get(f"{still_site.link(Purpose.PREFERENCES, ADA)}/stored.json")
    data = json.loads(answer.text)
    assert data["address"] == ADA
    assert {"reader", "subscriptions", "follows", "mails"} <= data.keys()
    assert answer.headers["content-disposition"] == 'attachment; filename="stored.json"'
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_what_is_stored_is_named_in_the_readers_language(language: str, site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), language=language)
    told = text_of(site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored").text)
    assert "Topics you follow" not in told
    assert "Message-ID" in told


def test_nothing_is_erased_before_its_reader_is_sure(site: Site) -> None:
    link = f"{site.link(Purpose.PREFERENCES, ADA)}/erase"
    before = contents(site.runtime.engine)
    assert "This cannot be undone" in site.get(link).text
    unsure = site.post(link)
    assert unsure.status_code == 422
    assert "Nothing was erased: tick that you are sure first." in unsure.text
    assert contents(site.runtime.engine) == before


def test_who_is_sure_is_erased_and_their_links_lead_nowhere(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    erased = site.post(f"{link}/erase", sure="yes")
    assert erased.status_code == 200
    assert "Nothing is stored about you any more" in erased.text
    assert ADA not in erased.text
    with reading(site.runtime.engine) as session:
        assert find_subscription(session, NewsletterId(1), ADA) is None
        assert find_subscription(session, NewsletterId(1), BEN) is not None
    for path in (link, f"{link}/stored", f"{link}/stored.json", f"{link}/erase"):
        assert site.get(path).status_code == 404
    assert site.post(f"{link}/erase", sure="yes").status_code == 404


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_what_is_not_done_at_once_is_told_as_going_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    def full(runtime: Runtime, order: ErasureOrder, should_stop: Callable[[], bool]) -> LookedThrough:
        raise Unavailable("there is no room in /tmp")

    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), language=language)
    monkeypatch.setattr(erasing, "take_out_of_lists", full)
    link = site.link(Purpose.PREFERENCES, ADA)
    begun = site.post(f"{link}/erase", sure="yes")
    assert begun.status_code == 202
    heading = {
        "en": "It is being erased",
        "de": "Es wird gelöscht",
        "es": "Se está borrando",
        "fr": "L’effacement est en cours",
    }
    assert heading[language] in text_of(begun.text)
    assert "<form" not in begun.text.partition("<main")[2]
    monkeypatch.undo()
    finish_erasures(site.runtime)
    assert site.get(link).status_code == 404


def test_a_second_press_while_somebody_is_at_it_is_told_the_same(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        add_order(session, ADA, by="a reader", now=NOW, lease_until=NOW + timedelta(minutes=5))
    pressed = site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/erase", sure="yes")
    assert pressed.status_code == 202
    assert "It goes on when you close this page" in text_of(pressed.text)


def test_who_is_erased_by_another_press_meanwhile_is_erased(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(runtime: Runtime, order: ErasureOrder, should_stop: Callable[[], bool]) -> LookedThrough:
        with writing(runtime.engine) as session:
            take_reader_out(session, ADA)
        return LookedThrough(frozenset(), frozenset({ADA}))

    monkeypatch.setattr(erasing, "take_out_of_lists", meanwhile)
    erased = site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/erase", sure="yes")
    assert erased.status_code == 200
    assert "All of it is erased" in text_of(erased.text)
