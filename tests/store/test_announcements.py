"""What happened and what is told of it are one transaction; what is due is taken once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.endpoints import BACK_OFF, CallState, Endpoint, EventKind
from digest.domain.errors import Conflict, NotFound
from digest.store.announcements import (
    announce,
    are_calls_due,
    call_again,
    calls_of,
    claim_calls,
    forget_calls,
    record_call,
)
from digest.store.database import reading, writing
from digest.store.endpoints import add_endpoint, change_endpoint, rotate_secret, secrets_of

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def endpoint(engine: Engine, *kinds: EventKind) -> Endpoint:
    with writing(engine) as session:
        made, _ = add_endpoint(
            session, url="https://hooks.example.org/", kinds=set(kinds), about="", by="Ada", now=NOW
        )
    return made


def tell(engine: Engine, *told: dict[str, object]) -> None:
    with writing(engine) as session:
        announce(session, EventKind.ISSUE_SENT, *told, now=NOW)


def test_only_who_wants_it_and_is_on_is_told(engine: Engine) -> None:
    wants = endpoint(engine, EventKind.ISSUE_SENT, EventKind.ISSUE_PAUSED)
    other, off = endpoint(engine, EventKind.ISSUE_PAUSED), endpoint(engine, EventKind.ISSUE_SENT)
    with writing(engine) as session:
        change_endpoint(session, off.id, is_off=True)
    tell(engine, {"issue": 1}, {"issue": 2})
    with reading(engine) as session:
        assert [call.body for call in calls_of(session, wants.id, limit=9)] == [
            f'{{"type":"issue.sent","timestamp":"2026-11-23T07:00:00Z","data":{{"issue":{issue}}}}}'
            for issue in (2, 1)
        ]
        assert calls_of(session, other.id, limit=9) == calls_of(session, off.id, limit=9) == ()


def test_what_did_not_happen_is_not_told(engine: Engine) -> None:
    wants = endpoint(engine, EventKind.ISSUE_SENT)

    def fails() -> None:
        with writing(engine) as session:
            announce(session, EventKind.ISSUE_SENT, {"issue": 1}, now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with reading(engine) as session:
        assert calls_of(session, wants.id, limit=9) == ()


def test_a_call_is_taken_by_one_and_by_another_once_the_lease_is_over(engine: Engine) -> None:
    endpoint(engine, EventKind.ISSUE_SENT)
    tell(engine, *({"issue": number} for number in range(30)))

    def claim(_: int) -> list[int]:
        with writing(engine) as session:
            return [call.id for call in claim_calls(session, now=NOW, limit=10, lease=LEASE)]

    with ThreadPoolExecutor(4) as pool:
        taken = [number for numbers in pool.map(claim, range(4)) for number in numbers]
    assert len(taken) == len(set(taken))
    assert len(taken + claim(0)) == 30
    with writing(engine) as session:
        again = claim_calls(session, now=NOW + LEASE, limit=100, lease=LEASE)
    assert len(again) == 30
    assert {call.tries for call in again} == {2}


def test_a_call_is_tried_again_later_each_time_and_given_up_in_the_end(engine: Engine) -> None:
    wants, now = endpoint(engine, EventKind.ISSUE_SENT), NOW
    tell(engine, {"issue": 1})
    for pause in (*BACK_OFF, None):
        with writing(engine) as session:
            (call,) = claim_calls(session, now=now, limit=10, lease=LEASE)
            record_call(session, call, is_taken=False, status=500, answer="no\0", now=now)
            (found,) = calls_of(session, wants.id, limit=1)
        assert found.next_at == (None if pause is None else now + pause)
        assert (found.status, found.answer) == (500, "no\ufffd")
        now += pause or timedelta(0)
    assert found.state is CallState.GIVEN_UP
    with reading(engine) as session:
        assert not are_calls_due(session, now=now + timedelta(days=30))


def test_who_answers_after_the_lease_settles_nothing(engine: Engine) -> None:
    wants = endpoint(engine, EventKind.ISSUE_SENT)
    tell(engine, {"issue": 1})
    with writing(engine) as session:
        (late,) = claim_calls(session, now=NOW, limit=1, lease=LEASE)
        (call,) = claim_calls(session, now=NOW + LEASE, limit=1, lease=LEASE)
        record_call(session, late, is_taken=False, status=500, answer="", now=NOW + LEASE)
        assert calls_of(session, wants.id, limit=1) == (call,)
        record_call(session, call, is_taken=True, status=204, answer="", now=NOW + LEASE)
        assert calls_of(session, wants.id, limit=1)[0].state is CallState.TAKEN


def test_a_call_is_made_again_on_request_under_the_same_id(engine: Engine) -> None:
    wants = endpoint(engine, EventKind.ISSUE_SENT)
    tell(engine, {"issue": 1})
    with writing(engine) as session:
        (call,) = claim_calls(session, now=NOW, limit=1, lease=LEASE)
        with pytest.raises(Conflict, match="waits"):
            call_again(session, wants.id, call.id, now=NOW)
        record_call(session, call, is_taken=True, status=200, answer="", now=NOW)
        again = call_again(session, wants.id, call.id, now=NOW)
        assert (again.event_id, again.state, again.tries) == (call.event_id, CallState.WAITING, 0)
        with pytest.raises(NotFound):
            call_again(session, wants.id, 999, now=NOW)


def test_the_log_goes_back_thirty_days_and_keeps_what_waits(engine: Engine) -> None:
    wants = endpoint(engine, EventKind.ISSUE_SENT)
    tell(engine, {"issue": 1}, {"issue": 2})
    with writing(engine) as session:
        (call,) = claim_calls(session, now=NOW, limit=1, lease=LEASE)
        record_call(session, call, is_taken=True, status=200, answer="", now=NOW)
        forget_calls(session, now=NOW + timedelta(days=30))
        assert len(calls_of(session, wants.id, limit=9)) == 2
        forget_calls(session, now=NOW + timedelta(days=31))
        assert [one.state for one in calls_of(session, wants.id, limit=9)] == [CallState.WAITING]


def test_a_new_secret_signs_beside_the_one_before_for_a_day(engine: Engine) -> None:
    wants = endpoint(engine, EventKind.ISSUE_SENT)
    with writing(engine) as session:
        (before,) = secrets_of(session, wants.id, now=NOW)
        after = rotate_secret(session, wants.id, now=NOW)
        assert secrets_of(session, wants.id, now=NOW + timedelta(hours=23)) == (after, before)
        assert secrets_of(session, wants.id, now=NOW + timedelta(hours=24)) == (after,)
