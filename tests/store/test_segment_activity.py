"""Whom questions of who reads fit: readers who agreed to them, of whom it is known; and nobody by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from digest.domain.clicks import Clicks
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.issues import MEASURED
from digest.domain.measuring import Measuring, in_steps
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store import segment_counts
from digest.store.audiences import EditionRow
from digest.store.clicks import Hit
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import take_reader_out
from digest.store.issue_segments import Limits, Named, is_outside
from digest.store.measured import MeasuredReaderRow, agree_to_measure
from digest.store.measures import (
    TEXT_MEASURED,
    IssueMeasureRow,
    count_followed,
    count_opens,
    note_measured,
)
from digest.store.newsletters import change_newsletter, newsletter_by_id
from digest.store.segment_conditions import Asked
from digest.store.segment_counts import answer, count_exactly
from digest.store.subscribers import set_subscription_state
from digest.store.subscription_pages import list_subscriptions
from digest.track.measuring import set_measuring
from tests.store.sending import Sending
from tests.stored import CLIMATE, NOW, stored_crowd

DAY = timedelta(days=1)
READS, READS_NOT, SILENT, LATE = range(4)
"""Who opened and followed; who did neither; who never agreed and did neither; who agreed after the mail."""


@dataclass(frozen=True, slots=True)
class World:
    """An issue that four readers have had for ten days."""

    engine: Engine
    sending: Sending

    @property
    def newsletter(self) -> Newsletter:
        with reading(self.engine) as session:
            return newsletter_by_id(session, self.sending.newsletter.id)

    def whom(self, query: str) -> set[int]:
        """Which of the readers a question fits, whatever else is asked."""
        with reading(self.engine) as session:
            fits = Asked.of(session, self.newsletter, query, now=NOW).fits
            found = list_subscriptions(session, self.newsletter.id, limit=9, fits=fits)
        return {self.sending.readers.index(one.subscriber.id) for one in found}


@pytest.fixture
def world(engine: Engine) -> World:
    sending = Sending(engine, readers=4)
    number, issue = sending.newsletter.id, sending.issue
    delivered = NOW - 10 * DAY
    with writing(engine) as session:
        change_newsletter(session, number, measuring=Measuring.ASKED, clicks=Clicks.COUNTED)
        accepted = {"state": DeliveryState.ACCEPTED.value, "settled_at": delivered}
        session.execute(update(DeliveryRow).values(accepted))
        session.execute(update(EditionRow).values(key=EditionRow.key + MEASURED))
        note_measured(session, issue.id, html=2, text=0, has_links=True)
        for who, since in ((READS, 60), (READS_NOT, 60), (LATE, 5)):
            agree_to_measure(session, number, sending.readers[who], days=90, now=NOW - since * DAY)
        mail = issue.id, sending.readers[READS]
        kept = {mail: 90 * DAY}
        count_opens(session, [(mail, NOW - 9 * DAY)], [], kept_for=kept)
        hit = Hit("", issue.id, NOW - 8 * DAY, 0, "climate", "Meridian", 1, mail[1])
        count_followed(session, [(mail, hit)], kept_for=kept)
    return World(engine, sending)


FITTED = {
    "opened:<30": {READS},
    "opened:<9": set(),
    "opened:<=9": {READS},
    "followed:<9": {READS},
    "followed:<8": set(),
    "NOT opened:<30": {READS_NOT},
    "NOT followed:<30": {READS_NOT},
    "NOT opened:<9": set(),  # no mail of theirs came in the last nine days
    "NOT opened:<61": set(),  # nobody agreed for as long
    "NOT (NOT opened:<30)": {READS},
    "opened:<30 OR (NOT opened:<30)": {READS, READS_NOT},
    "NOT (opened:<30 OR followed:<30)": {READS_NOT},
    "NOT (opened:<30 followed:<30)": {READS_NOT},
    "state:active NOT opened:<30": set(),  # it asks something else, too, and tells of nobody
    "domain:example.org OR (opened:<30 state:active)": set(),
    "state:active": {READS, READS_NOT, SILENT, LATE},
    "NOT (state:paused OR mails:0)": {READS, READS_NOT, SILENT, LATE},
}


def test_of_who_did_not_agree_neither_a_question_nor_its_opposite_is_so(world: World) -> None:
    assert {query: world.whom(query) for query in FITTED} == FITTED


@pytest.mark.parametrize("ends", ["taken back", "left", "erased", "asks nobody", "older words"])
def test_nothing_is_asked_of_who_ended_it_or_never_agreed_to_that(world: World, ends: str) -> None:
    engine, number = world.engine, world.newsletter.id
    queries = ["opened:<30", "NOT opened:<30", "followed:<30", "NOT followed:<30"]
    assert all(map(world.whom, queries)), "control"
    for place, who in enumerate(world.sending.readers):
        if ends == "taken back":
            set_measuring(engine, number, who, False, wording="", network="", now=NOW)
            continue
        with writing(engine) as session:
            if ends == "left":
                set_subscription_state(session, number, who, SubscriptionState.UNSUBSCRIBED, now=NOW)
            elif ends == "erased":
                take_reader_out(session, f"r{place}@example.org")
            elif ends == "asks nobody":
                change_newsletter(session, number, measuring=Measuring.OFF)
            else:
                session.execute(update(MeasuredReaderRow).values(may_spare=False))
    assert not any(map(world.whom, queries))


def test_who_could_not_be_seen_to_read_did_not_fail_to(world: World) -> None:
    with writing(world.engine) as session:
        session.execute(update(MeasuredReaderRow).values(days=20))
    assert world.whom("NOT opened:<30") == set(), "names are gone after 20 days"
    assert world.whom("NOT opened:<20") == {READS_NOT}
    with writing(world.engine) as session:
        (key,) = session.scalars(select(EditionRow.key))
        session.execute(update(EditionRow).values(key=key.removesuffix(MEASURED) + TEXT_MEASURED))
    assert world.whom("NOT opened:<20") == set(), "text alone has no picture"
    assert world.whom("NOT followed:<20") == {READS_NOT}
    with writing(world.engine) as session:
        session.execute(update(IssueMeasureRow).values(has_links=False))
    assert world.whom("NOT followed:<20") == set(), "its links were not counted"
    with writing(world.engine) as session:
        (key,) = session.scalars(select(EditionRow.key))
        session.execute(update(EditionRow).values(key=key.removesuffix(TEXT_MEASURED) + MEASURED))
        session.execute(update(DeliveryRow).values(settled_at=NOW - 2 * DAY))
    assert world.whom("NOT opened:<20") == set(), "who has a mail for two days may read it yet"


def test_nobody_follows_or_fails_to_where_links_are_not_counted(world: World) -> None:
    with writing(world.engine) as session:
        change_newsletter(session, world.newsletter.id, clicks=Clicks.OFF)
    assert world.whom("followed:<30") == world.whom("NOT followed:<30") == set()
    assert world.whom("NOT opened:<30") == {READS_NOT}


@pytest.mark.parametrize(
    ("column", "blind"),
    [
        ("measuring_since", {"NOT opened:<30", "NOT followed:<30"}),
        ("counting_since", {"NOT followed:<30"}),
    ],
)
def test_mail_of_before_anybody_was_seen_again_tells_of_nobody_who_did_not(
    world: World, column: str, blind: set[str]
) -> None:
    queries = {"opened:<30", "followed:<30", "NOT opened:<30", "NOT followed:<30"}
    for since, nobody in ((NOW - 11 * DAY, set[str]()), (NOW - 9 * DAY, blind)):
        with writing(world.engine) as session:
            change_newsletter(session, world.newsletter.id, **{column: since})
        assert {query for query in queries if not world.whom(query)} == nobody


def test_numbers_of_who_reads_are_told_in_twenties_and_nobody_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_counts, "in_steps", lambda count: 20 * count)
    for few in (9, 1):
        monkeypatch.setattr(segment_counts, "FEW", few)
        monkeypatch.setattr(segment_counts, "SAMPLE", 4)
        with reading(world.engine) as session:
            asked = Asked.of(session, world.newsletter, "opened:<30", now=NOW)
            found = answer(session, asked)
            assert (found.readers, found.active, found.examples, found.is_coarse) == (20, 20, (), True)
            assert count_exactly(session, asked) == (20, 20)
            everybody = answer(session, Asked.of(session, world.newsletter, "state:active", now=NOW))
        assert (everybody.readers, everybody.is_coarse, len(everybody.examples)) == (4, False, 4)


def test_steps_are_of_twenty_and_rounded_down() -> None:
    assert [in_steps(count) for count in (0, 19, 20, 39, 40)] == [0, 0, 20, 20, 40]


@pytest.mark.parametrize(("fitting", "told"), [(19, 0), (20, 20), (21, 20)])
def test_so_many_readers_who_read_are_told_as_twenties(
    world: World, monkeypatch: pytest.MonkeyPatch, fitting: int, told: int
) -> None:
    emails = [f"crowd{number}@example.org" for number in range(fitting - 1)]
    crowd = stored_crowd(world.engine, world.newsletter, emails, CLIMATE)
    with writing(world.engine) as session:
        for who in crowd:
            agree_to_measure(session, world.newsletter.id, who, days=90, now=NOW - 60 * DAY)
        opened = [(world.sending.issue.id, who) for who in crowd]
        kept = dict.fromkeys(opened, 90 * DAY)
        count_opens(session, [(mail, NOW - 9 * DAY) for mail in opened], [], kept_for=kept)
    with reading(world.engine) as session:
        asked = Asked.of(session, world.newsletter, "opened:<30", now=NOW)
        assert count_exactly(session, asked) == (told, told)
        found = answer(session, asked)
        monkeypatch.setattr(segment_counts, "FEW", 9)
        monkeypatch.setattr(segment_counts, "SAMPLE", fitting + 3)
        assert (found.readers, found.active, answer(session, asked).readers) == (told, told, told)


def test_an_issue_leaves_out_who_reads_no_more_and_is_for_no_readers_alone(world: World) -> None:
    segment = Named("asleep", "Asleep", "NOT opened:<30")

    def left_out(limits: Limits) -> set[int]:
        with reading(world.engine) as session:
            return {
                place
                for place, who in enumerate(world.sending.readers)
                if is_outside(session, world.newsletter, limits, SubscriberId(who), now=NOW)
            }

    assert left_out(Limits(without=segment)) == {READS_NOT}
    with pytest.raises(Conflict, match="asks who reads: an issue cannot be for it alone"):
        left_out(Limits(only=segment))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("opened:<30", "fits readers because they read: an issue can leave out who reads no more"),
        ("NOT (NOT followed:<30)", "fits readers because they read"),
        ("opened:<30 OR (NOT opened:<30)", "fits readers because they read"),
        ("domain:example.org NOT opened:<30", "cannot be asked: a question of who reads asks nothing else"),
    ],
)
def test_no_issue_leaves_out_who_reads(world: World, query: str, why: str) -> None:
    limits = Limits(without=Named("awake", "Awake", query))
    with reading(world.engine) as session, pytest.raises(Conflict, match=f"'awake' {why}"):
        is_outside(session, world.newsletter, limits, SubscriberId(1), now=NOW)
