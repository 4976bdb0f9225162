"""How far a send is: counted, with a rate and an end that are not made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from digest.deliver.outages import meet_outage
from digest.deliver.throttle.caps import UNTHROTTLED, Throttle, read_caps
from digest.deliver.throttle.turns import Turns
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import NotFound
from digest.pipeline import control
from digest.pipeline.progress import Waits, holds_of_reader, progress_of
from digest.pipeline.sending import sending_note
from digest.pipeline.throttling import pause_group
from digest.store.database import reading, writing
from digest.store.deliveries import IS_PENDING, DeliveryRow
from digest.store.newsletters import change_newsletter
from digest.store.receivers import lock_receiver, pause_receiver
from digest.store.throttles import Capped, Scope, Slots, Use, lock_slots, save_slots
from tests.pipeline.controlled import ACCEPTED, GONE, REFUSED, UNANSWERED, Controlled

PUT_OFF = Outcome(DeliveryState.PENDING, 451, "4.2.1 later", retry_in=timedelta(minutes=10))


@pytest.fixture
def sending(engine: Engine, tmp_path: Path) -> Iterator[Controlled]:
    """An approved issue of twenty readers."""
    found = Controlled.stored(engine, tmp_path, readers=20)
    yield found
    found.engine.dispose()


def test_an_issue_that_is_not_sent_yet_has_no_rate_and_no_end(sending: Controlled) -> None:
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.total, told.rate, told.ends_in, told.waits) == (0, None, None, Waits.NOT_YET_SENT)
    with pytest.raises(NotFound):
        progress_of(sending.runtime, 4711)


def test_the_end_is_what_can_go_now_at_the_rate_of_the_last_minute(sending: Controlled) -> None:
    sending.address()
    sending.settle(ACCEPTED, ACCEPTED)
    sending.clock.pass_(seconds=20)
    sending.settle(ACCEPTED, REFUSED, UNANSWERED, PUT_OFF)
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.due, told.deferred, told.scheduled) == (14, 1, 0)
    assert told.states[DeliveryState.UNKNOWN] == 1
    assert told.rate == pytest.approx(4 / 20), "what was put off or is unknown is not done"
    assert told.ends_in == timedelta(seconds=70)
    assert told.waits is None
    assert sum(told.states.values()) == told.total == 20


def test_when_nothing_moves_the_end_is_unknown_and_why_is_said(sending: Controlled) -> None:
    sending.address()
    sending.settle(ACCEPTED)
    sending.clock.pass_(minutes=2)
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.rate, told.ends_in, told.waits) == (None, None, Waits.NOBODY_SENDS)
    meet_outage(sending.engine, sending.issue.id, "the server is away", now=sending.clock())
    assert progress_of(sending.runtime, sending.issue.id).waits is Waits.SERVER_AWAY
    control.pause(sending.runtime, sending.issue.id, by="Ada", why="a typo")
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.waits, told.because) == (Waits.PAUSED, "paused by Ada: a typo")
    control.hold(sending.runtime, by="Ben")
    assert progress_of(sending.runtime, sending.issue.id).waits is Waits.HELD


def test_quiet_hours_hold_a_send_whatever_is_due(sending: Controlled) -> None:
    sending.address()
    with writing(sending.engine) as session:
        change_newsletter(session, sending.newsletter.id, quiet_hours="00:00-23:59")
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.due, told.waits) == (20, Waits.THROTTLED)
    assert told.because.startswith("nothing of it leaves until 2026-11-23 23:59 (UTC): quiet hours are")
    (hold,) = holds_of_reader(sending.runtime, sending.issue.id, "r1@example.org")
    assert hold.startswith("Nothing of it leaves until")


def test_a_cap_that_is_used_up_holds_a_send_and_its_issue_says_so(sending: Controlled) -> None:
    sending.address()
    throttle = Throttle(read_caps(["1/h"]))
    with writing(sending.engine) as session:
        lock_slots(session, [Capped(Scope.ALL)])
        save_slots(session, {Capped(Scope.ALL): (Slots(sending.clock().timestamp()), Use())})
    with reading(sending.engine) as session:
        note = sending_note(session, sending.now, now=sending.clock(), throttle=throttle)
    assert "nothing of it leaves until" in note
    assert "the cap on everything is used up" in note


def test_what_receivers_hold_back_is_neither_put_off_nor_waits_for_its_hour(sending: Controlled) -> None:
    sending.address()
    sending.settle(*[ACCEPTED] * 8, PUT_OFF)
    with writing(sending.engine) as session:
        later = sending.clock() + timedelta(minutes=20)
        session.execute(update(DeliveryRow).where(IS_PENDING).values(next_at=later))
        row = lock_receiver(session, "example.org", now=sending.clock())
        pause_receiver(row, "550 5.7.1 no", now=sending.clock(), is_told=True)
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.due, told.deferred, told.scheduled, told.held) == (0, 0, 0, 12)
    assert told.waits is Waits.THROTTLED
    assert "12 wait for example.org: paused since" in told.because
    assert "'digest throttle resume example.org' goes on" in told.because
    (hold,) = holds_of_reader(sending.runtime, sending.issue.id, "r1@example.org")
    assert hold.startswith("Mail to example.org is paused since 2026-11-23")
    assert holds_of_reader(sending.runtime, sending.issue.id, "somebody@example.net") == ()


def test_what_was_put_off_is_no_part_of_the_end(sending: Controlled) -> None:
    sending.address()
    sending.settle(*[ACCEPTED] * 18, PUT_OFF, replace(PUT_OFF, retry_in=timedelta(minutes=5)))
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.due, told.deferred, told.ends_in, told.waits) == (0, 2, None, Waits.LATER)
    assert told.next_at == sending.clock() + timedelta(minutes=5)


def test_where_and_why_mails_fail_is_told_the_worst_first(sending: Controlled) -> None:
    sending.address()
    sending.settle(ACCEPTED, REFUSED, REFUSED, GONE, PUT_OFF)
    told = progress_of(sending.runtime, sending.issue.id)
    (domain,) = told.domains
    assert (domain.domain, domain.accepted, domain.failed, domain.deferred) == ("example.org", 1, 3, 1)
    assert [(one.code, one.count) for one in told.causes] == [(554, 2), (550, 1)]
    control.cancel(sending.runtime, sending.issue.id, by="Ada")
    assert progress_of(sending.runtime, sending.issue.id).is_over


def test_quiet_hours_are_what_a_send_waits_for_and_nobody_is_looked_for(sending: Controlled) -> None:
    sending.address()
    sending.settle(ACCEPTED)
    with writing(sending.engine) as session:
        change_newsletter(session, sending.newsletter.id, quiet_hours="07:00-08:00")
    sending.clock.pass_(minutes=2)
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.waits, told.ends_in) == (Waits.THROTTLED, None)
    assert (
        told.because == "nothing of it leaves until 2026-11-23 08:00 (UTC): quiet hours are 07:00-08:00 (UTC)"
    )


def test_what_found_no_turn_does_not_wait_for_an_hour_of_its_own(sending: Controlled) -> None:
    sending.address()
    pause_group(sending.runtime, "example.org", why="they asked for it")
    with writing(sending.engine) as session:
        in_three_hours = sending.clock() + timedelta(hours=3)
        own_hour = update(DeliveryRow).where(DeliveryRow.email == "r0@example.org")
        session.execute(own_hour.values(next_at=in_three_hours))
    now = sending.clock()
    with writing(sending.engine) as session:
        turns = Turns(sending.issue.id, UNTHROTTLED, owner="w")
        assert turns.claim(session, limit=50, now=now, lease_until=now + timedelta(minutes=5)).put_off == 19
    told = progress_of(sending.runtime, sending.issue.id)
    assert (told.due, told.deferred, told.held, told.scheduled) == (0, 0, 20, 0)
    assert (told.waits, told.ends_in) == (Waits.THROTTLED, None)
    assert "20 wait for example.org: paused since" in told.because


def test_a_warm_up_is_part_of_the_end(engine: Engine, tmp_path: Path) -> None:
    caps = {"warm_up_from": "2026-11-23", "warm_up_caps": (5, 5, 50)}
    sending = Controlled.stored(engine, tmp_path, readers=20, **caps)
    sending.address()
    sending.settle(ACCEPTED, ACCEPTED)
    told = progress_of(sending.runtime, sending.issue.id)
    # It is 07:00; 18 mails leave on three days.
    assert told.ends_in == timedelta(days=1, hours=17)
    sending.engine.dispose()
