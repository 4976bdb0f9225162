"""Who was left out of an issue as they read no more: forgotten with what was measured, and counted on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from digest.domain.addressing import Skip
from digest.domain.measuring import Measuring
from digest.domain.subscribers import SkipReason, SubscriberId
from digest.store.audiences import SkipRow, add_skips, count_skips
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import take_reader_out
from digest.store.issue_segments import Limits, Named, freeze_limits, limits_of
from digest.store.issues import IssueRow, get_issue
from digest.store.left_out import count_left_out, forget_old_left_out
from digest.store.measured import agree_to_measure
from digest.store.newsletters import change_newsletter
from digest.track.measuring import set_measuring
from tests.store.sending import Sending
from tests.stored import NOW

ASLEEP = Named("asleep", "Asleep", "NOT opened:<30")
GERMAN = Named("german", "German", "language:de")
READERS, PAUSED = 5, 4
LEFT_OUT = {SkipReason.OUTSIDE: PAUSED, SkipReason.PAUSED: 1}


@pytest.fixture
def sending(engine: Engine) -> Sending:
    """An issue of which four readers were left out, and one had paused."""
    return Sending(engine, readers=READERS)


def leave_out(sending: Sending, segment: Named) -> None:
    with writing(sending.engine) as session:
        session.execute(update(IssueRow).values(sending_at=NOW))
        session.execute(DeliveryRow.__table__.delete())
        change_newsletter(session, sending.newsletter.id, measuring=Measuring.ASKED)
        freeze_limits(session, sending.issue.id, Limits(without=segment))
        reasons = [SkipReason.OUTSIDE] * PAUSED + [SkipReason.PAUSED]
        add_skips(session, sending.issue.id, zip(sending.readers, map(Skip, reasons), strict=True))
        for who in sending.readers:
            agree_to_measure(session, sending.newsletter.id, who, days=90, now=NOW)


def by_name(sending: Sending) -> dict[SubscriberId, SkipReason]:
    """Who is told to have got nothing, after it was checked that as many are counted as ever."""
    with reading(sending.engine) as session:
        assert count_skips(session, sending.issue.id) == LEFT_OUT
        rows = session.scalars(select(SkipRow).where(SkipRow.subscriber_id > 0))
        return {SubscriberId(row.subscriber_id): SkipReason(row.reason) for row in rows}


def purge(sending: Sending, days: int, most: int = 3) -> int:
    """Forget whom an issue of so many days ago left out; return how many that were."""
    before, removed = NOW + timedelta(days=days - 90), 0
    while True:
        with writing(sending.engine) as session:
            gone = forget_old_left_out(session, before, most)
        if gone is None:
            return removed
        removed += gone


def take_back(sending: Sending, who: SubscriberId) -> None:
    set_measuring(sending.engine, sending.newsletter.id, who, False, wording="", network="", now=NOW)


def test_who_takes_it_back_or_is_erased_is_not_told_to_have_been_left_out(sending: Sending) -> None:
    leave_out(sending, ASLEEP)
    ada, ben, *others = sending.readers
    assert set(by_name(sending)) == {ada, ben, *others}
    take_back(sending, ada)
    assert set(by_name(sending)) == {ben, *others}
    with writing(sending.engine) as session:
        take_reader_out(session, "r1@example.org")
    assert set(by_name(sending)) == set(others)
    take_back(sending, others[-1])
    assert set(by_name(sending)) == set(others), "who had paused says nothing of who reads"


def test_after_the_term_nobody_is_told_and_as_many_are_counted(sending: Sending) -> None:
    leave_out(sending, ASLEEP)
    take_back(sending, sending.readers[1])
    assert purge(sending, 90) == 0, "not older than that"
    with reading(sending.engine) as session:
        assert count_left_out(session, NOW + timedelta(days=1)) == PAUSED - 1
    assert purge(sending, 91) == PAUSED - 1
    assert by_name(sending) == {sending.readers[-1]: SkipReason.PAUSED}
    assert purge(sending, 92) == 0
    with reading(sending.engine) as session:
        without = limits_of(session, get_issue(session, sending.issue.id)).without
    assert without
    assert (without.name, "opened" in without.query) == ("Asleep", False)


def test_whom_another_question_left_out_is_told_as_long_as_the_issue(sending: Sending) -> None:
    leave_out(sending, GERMAN)
    take_back(sending, sending.readers[0])
    assert purge(sending, 1_000) == 0
    assert len(by_name(sending)) == READERS
