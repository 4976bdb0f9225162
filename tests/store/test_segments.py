"""Whom questions fit, on both databases; how many, and from a look at some."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine, update

from digest.domain.cadences import Cadence
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.segments import ATTRIBUTES_MAX, SEGMENTS_MAX
from digest.domain.subscribers import SubscriptionState
from digest.intake.addresses import parse_address
from digest.store import segment_counts
from digest.store.attributes import attribute_keys, attributes_among, put_attributes
from digest.store.base import Base
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.newsletters import remove_topic
from digest.store.segment_conditions import Asked
from digest.store.segment_counts import answer, count_exactly
from digest.store.segments import add_segment, change_segment, get_segment, note_count
from digest.store.subscribers import get_subscription, set_subscription_state, subscribe
from digest.store.subscription_pages import list_subscriptions
from tests.store.sending import Sending
from tests.stored import CLIMATE, NOW, SPACE, stored_crowd, stored_newsletter

ADA, BEN, CLEO = (f"{name}@example.org" for name in ("ada", "ben", "cleo"))


@pytest.fixture
def readers(engine: Engine) -> Newsletter:
    """Four readers of an English newsletter of Paris; Ada reads another one, too."""
    newsletter = stored_newsletter(engine, timezone="Europe/Paris")
    other = stored_newsletter(engine, slug="daily")
    with writing(engine) as session:
        day = timedelta(days=1)
        for email, language, zone, follows, cadence, joined in (
            (ADA, "de-AT", "Europe/Vienna", [CLIMATE, SPACE], Cadence.MONTHLY, NOW - 400 * day),
            (BEN, "", "", [SPACE], None, NOW - 30 * day),
            (CLEO, "fr", "", [], None, NOW - 2 * day),
            ("dan@news.example.net", "DE", "America/Lima", [CLIMATE], None, NOW),
        ):
            subscribe(
                session,
                newsletter.id,
                email=email,
                language=language,
                timezone=zone,
                follows=follows,
                cadence=cadence,
                now=joined,
            )
        subscribe(session, other.id, email=ADA, follows=[], now=NOW)
        found = list_subscriptions(session, newsletter.id, limit=9)
        ids = {one.subscriber.email: one.subscriber.id for one in found}
        set_subscription_state(session, newsletter.id, ids[CLEO], SubscriptionState.PAUSED, now=NOW)
        put_attributes(
            session,
            newsletter.id,
            {ids[ADA]: {"city": "STRASSE 9", "plan": "100%_'"}, ids[BEN]: {"city": "Berlin"}},
        )
        put_attributes(session, other.id, {ids[ADA]: {"city": "Berlin"}})
    return newsletter


def fitted(engine: Engine, newsletter: Newsletter, query: str) -> set[str]:
    with reading(engine) as session:
        fits = Asked.of(session, newsletter, query, now=NOW).fits
        found = list_subscriptions(session, newsletter.id, limit=100, fits=fits)
        assert count_exactly(session, Asked.of(session, newsletter, query, now=NOW))[0] == len(found)
    return {one.subscriber.email.partition("@")[0] for one in found}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("language:de", "ada dan"),
        ("language:de-at", "ada"),
        ("language:en", "ben"),
        ("NOT language:de*", "ben cleo"),
        ("zone:Europe/Paris", "ben cleo"),
        ("zone:Europe*", "ada ben cleo"),
        ("cadence:monthly", "ada"),
        ("state:paused", "cleo"),
        ("topic:climate", "ada dan"),
        ("topic:(climate OR space) NOT topic:climate", "ben"),
        ("topic:c*", "ada dan"),
        ("NOT topic:*", "cleo"),
        ("joined:2025", "ada"),
        ("joined:2026-11-23", "dan"),
        ("joined:>=2026-11-21", "cleo dan"),
        ("joined:<2026-10-25", "ada ben"),
        ("days:0", "dan"),
        ("days:<30", "cleo dan"),
        ("days:<=30", "ben cleo dan"),
        ("days:>30", "ada"),
        ("domain:example.org", "ada ben cleo"),
        ("domain:example.net", ""),
        ("domain:news*", "dan"),
        ("attribute.city:berlin", "ben"),
        ('attribute.city:"straße 9"', "ada"),
        ("attribute.city:*", "ada ben"),
        ("NOT attribute.city:*", "cleo dan"),
        ('attribute.plan:"100%_\'"', "ada"),
        ('attribute.plan:"1%"*', ""),
        ('attribute.plan:"1000_"*', ""),
        ("attribute.plan:100%*", "ada"),
        ("mails:0", "ada ben cleo dan"),
        ("mails:>=1", ""),
        ("language:de topic:climate NOT cadence:monthly", "dan"),
        ("(NOT language:de) OR cadence:monthly", "ada ben cleo"),
        ('domain:"x\'); DROP TABLE segments; --"', ""),
    ],
)
def test_a_question_fits_those_it_asks_for(
    engine: Engine, readers: Newsletter, query: str, names: str
) -> None:
    assert fitted(engine, readers, query) == set(names.split())


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("domain:straße.example.org", {"eva"}),
        ("domain:Straße.example.org", {"eva"}),
        ("domain:@xn--strae-oqa.example.org", {"eva"}),
        ("domain:xn--strae*", {"eva"}),
        ("domain:strasse.example.org", {"fay"}),
    ],
)
def test_a_domain_is_found_in_either_of_its_forms(engine: Engine, query: str, names: set[str]) -> None:
    newsletter = stored_newsletter(engine)
    with writing(engine) as session:
        for email in (parse_address("eva@straße.example.org"), "fay@strasse.example.org"):
            subscribe(session, newsletter.id, email=email, follows=[], now=NOW)
    assert fitted(engine, newsletter, query) == names


def test_since_when_somebody_subscribes_stays_when_they_change_what_they_want(
    engine: Engine, readers: Newsletter
) -> None:
    with writing(engine) as session:
        subscribe(session, readers.id, email=ADA, follows=[SPACE], now=NOW)
    assert "ada" in fitted(engine, readers, "joined:2025")


def test_a_topic_that_was_removed_is_one_that_nobody_follows(engine: Engine, readers: Newsletter) -> None:
    with writing(engine) as session:
        remove_topic(session, readers.id, SPACE)
    assert fitted(engine, readers, "topic:space") == set()


def test_mails_that_arrived_are_counted_of_this_newsletter_alone(engine: Engine) -> None:
    sending = Sending(engine, readers=3)
    with writing(engine) as session:
        accepted = update(DeliveryRow).where(DeliveryRow.subscriber_id == sending.readers[1])
        session.execute(accepted.values(state=DeliveryState.ACCEPTED.value))
    expected = {"mails:0": 2, "mails:>=1": 1, "mails:1": 1, "mails:<5": 3, "mails:>1": 0}
    assert {query: len(fitted(engine, sending.newsletter, query)) for query in expected} == expected


def test_few_readers_are_all_looked_at(engine: Engine, readers: Newsletter) -> None:
    with reading(engine) as session:
        found = answer(session, Asked.of(session, readers, "language:fr OR topic:climate", now=NOW))
    assert (found.readers, found.active, found.of, found.looked_at, found.is_estimate) == (3, 2, 4, 4, False)
    assert len(found.examples) == 3


def test_a_newsletter_without_readers_is_asked_without_trouble(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    with reading(engine) as session:
        found = answer(session, Asked.of(session, newsletter, "days:<9", now=NOW))
    assert (found.readers, found.of, found.is_estimate) == (0, 0, False)


def crowd_of(numbers: range) -> list[str]:
    return [f"r{number}@example.org" for number in numbers]


def every_fourth_german(number: int) -> str:
    return "en" if number % 4 else "de"


def test_of_many_readers_some_are_looked_at_and_always_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsletter = stored_newsletter(engine)
    stored_crowd(engine, newsletter, crowd_of(range(200)), language=every_fourth_german)
    monkeypatch.setattr(segment_counts, "FEW", 50)
    monkeypatch.setattr(segment_counts, "SAMPLE", 100)
    with reading(engine) as session:
        first, again = (
            answer(session, Asked.of(session, newsletter, "language:de", now=NOW)) for _ in range(2)
        )
    assert first == again
    assert (first.is_estimate, first.of, first.looked_at) == (True, 200, 100)
    assert 30 <= first.readers <= 70


def test_a_small_newsletter_among_many_readers_of_others_is_looked_at_whole(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, small = stored_newsletter(engine, slug="crowd"), stored_newsletter(engine)
    for start in range(0, 300, 60):
        stored_crowd(engine, small, crowd_of(range(start, start + 1)))
        stored_crowd(engine, crowd, crowd_of(range(start + 1, start + 60)))
    monkeypatch.setattr(segment_counts, "FEW", 50)
    monkeypatch.setattr(segment_counts, "SAMPLE", 100)
    with reading(engine) as session:
        found = answer(session, Asked.of(session, small, "domain:example.org", now=NOW))
    assert (found.readers, found.of, found.looked_at, found.is_estimate) == (5, 5, 5, False)


@pytest.mark.parametrize("there_are", [segment_counts._MANY, 60])
def test_readers_who_stand_far_apart_among_others_are_met_all_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, there_are: int
) -> None:
    """Sixty readers in two knots among three hundred; whether or not their number is known before."""
    crowd, spread = stored_newsletter(engine, slug="crowd"), stored_newsletter(engine)
    for to, numbers in ((spread, range(30)), (crowd, range(30, 270)), (spread, range(270, 300))):
        stored_crowd(engine, to, crowd_of(numbers), language=every_fourth_german)
    monkeypatch.setattr(segment_counts, "FEW", 50)
    monkeypatch.setattr(segment_counts, "SAMPLE", 40)
    monkeypatch.setattr(segment_counts, "_MANY", min(there_are, 60))
    with reading(engine) as session:
        found = answer(session, Asked.of(session, spread, "language:de", now=NOW))
    assert found.is_estimate
    assert found.looked_at >= 20, "a fifth of what is here are theirs"
    assert found.of == pytest.approx(60, rel=0.5)
    assert found.readers == pytest.approx(15, rel=0.7)


def test_what_is_known_of_a_reader_is_set_filled_in_and_taken_away(
    engine: Engine, readers: Newsletter
) -> None:
    with writing(engine) as session:
        ben = get_subscription(session, readers.id, BEN).subscriber.id
        put_attributes(session, readers.id, {ben: {"city": "Bonn", "plan": "free"}}, only_fills=True)
        assert attributes_among(session, readers.id, [ben]) == {ben: {"city": "Berlin", "plan": "free"}}
        put_attributes(session, readers.id, {ben: {"city": "Bonn", "plan": ""}})
        assert attributes_among(session, readers.id, [ben]) == {ben: {"city": "Bonn"}}
        assert attribute_keys(session, readers.id) == ("city", "plan")


def test_there_is_an_end_to_what_is_known_of_readers(engine: Engine, readers: Newsletter) -> None:
    with writing(engine) as session:
        ben = get_subscription(session, readers.id, BEN).subscriber.id
        ada = get_subscription(session, readers.id, ADA).subscriber.id
        known = attribute_keys(session, readers.id)
        more = {f"k{number}": "x" for number in range(ATTRIBUTES_MAX - len(known))}
        put_attributes(session, readers.id, {ben: more})
        with pytest.raises(
            InvalidInput, match=r"1 new attribute \(one-more\) is too many: .* has 50 already"
        ):
            put_attributes(session, readers.id, {ada: {"one-more": "x"}})
        put_attributes(session, readers.id, {ada: {"k1": "y", "one-more": ""}})
        put_attributes(session, readers.id, {ben: {"k2": "", "instead": "x"}})
        assert len(attribute_keys(session, readers.id)) == ATTRIBUTES_MAX


def test_two_who_bring_new_keys_at_once_stay_within_it(engine: Engine, readers: Newsletter) -> None:
    with reading(engine) as session:
        ben = get_subscription(session, readers.id, BEN).subscriber.id
        left = ATTRIBUTES_MAX - len(attribute_keys(session, readers.id))
    have_looked = Barrier(2)

    def bring(prefix: str) -> bool:
        have_looked.wait(30)
        try:
            with writing(engine) as session:
                told = {f"{prefix}{number}": "x" for number in range(left)}
                put_attributes(session, readers.id, {ben: told})
        except InvalidInput:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(bring, ("a", "b"))) == [False, True]
    with reading(engine) as session:
        assert len(attribute_keys(session, readers.id)) == ATTRIBUTES_MAX


def test_a_count_is_forgotten_with_the_question_it_answered(engine: Engine, readers: Newsletter) -> None:
    with writing(engine) as session:
        made = add_segment(session, readers.id, slug="new", name="New", query="days:<9")
        note_count(session, made, 7, now=NOW)
        change_segment(session, made.id, name="Newer", query="days:<9")
        assert get_segment(session, readers.id, "new").readers == 7
        change_segment(session, made.id, name="Newer", query="days:<8")
        assert get_segment(session, readers.id, "new").readers is None
        note_count(session, made, 7, now=NOW)
        session.expire_all()
        assert get_segment(session, readers.id, "new").readers is None, "that was another question"


def test_there_is_an_end_to_segments(engine: Engine, readers: Newsletter) -> None:
    with writing(engine) as session:
        for number in range(SEGMENTS_MAX):
            add_segment(session, readers.id, slug=f"s{number}", name="", query="days:<9")
        with pytest.raises(Conflict, match="which is all it can have"):
            add_segment(session, readers.id, slug="more", name="", query="days:<9")


def test_every_table_of_them_is_known() -> None:
    assert {"segments", "attributes"} <= set(Base.metadata.tables)
