"""Claims with turns: workers share caps, receivers are put off or paused, days of a warm-up fill up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.deliver.steps import due_issues
from digest.deliver.throttle.caps import Throttle, WarmUp
from digest.deliver.throttle.turns import Batch, Turns
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId, IssueState
from digest.store.database import open_engine, writing
from digest.store.mail_domains import MailDomainRow
from digest.store.receivers import lock_receiver, pause_receiver
from digest.store.throttles import Capped, Scope, look_at_slots
from tests.deliver.throttle.sending import NOW, at_domains, counts, due_times, issue_due, throttled
from tests.stored import approved_issue, change, stored_newsletter


@pytest.fixture
def other(engine: Engine, database_url: str) -> Iterator[Engine]:
    """The same database, as another host has it."""
    other = open_engine(database_url)
    yield other
    other.dispose()


def claim(
    engine: Engine, issue_id: IssueId, throttle: Throttle, *, now: datetime = NOW, limit: int = 50
) -> Batch:
    with writing(engine) as session:
        return Turns(issue_id, throttle, owner="w").claim(
            session, limit=limit, now=now, lease_until=now + timedelta(minutes=5)
        )


def test_two_workers_together_use_a_cap_and_do_not_pass_it(engine: Engine, other: Engine) -> None:
    issue_id = issue_due(engine, 900)
    throttle, moments, now = throttled("20/s"), [], NOW
    for second in range(60):
        now = NOW + timedelta(seconds=second)
        for worker in (engine, other):
            moments += [turn.at for turn in claim(worker, issue_id, throttle, now=now, limit=30).turns]
    moments.sort()
    assert len(moments) == 900
    lasted = moments[-1] - moments[0]
    assert 900 / 20 * 0.9 < lasted < 900 / 20 * 1.1
    for at in (moments[0] + n for n in range(35)):
        assert 180 <= sum(at <= moment < at + 10 for moment in moments) <= 220


def test_no_slot_is_given_to_two_workers_at_once(engine: Engine, other: Engine) -> None:
    issue_id = issue_due(engine, 300)

    def claims(worker: Engine) -> list[float]:
        return [turn.at for _ in range(4) for turn in claim(worker, issue_id, throttled("10/s")).turns]

    with ThreadPoolExecutor(2) as workers:
        taken = [moment for moments in workers.map(claims, (engine, other)) for moment in moments]
    assert len(set(taken[1:])) >= len(taken) - 11, "those that catch up a second may leave at once"
    assert len(taken) <= 10 * 11 + 1


def test_a_capped_group_gets_its_share_and_the_rest_is_put_off_in_order(engine: Engine) -> None:
    issue_id = issue_due(engine, 120, address=at_domains("gmail.com", "example.org"))
    batch = claim(engine, issue_id, throttled("google: 2/s"), limit=120)
    google = [turn for turn in batch.turns if turn.claim.email.endswith("gmail.com")]
    assert (len(google), len(batch.turns) - len(google)) == (23, 60)
    assert batch.put_off == 37
    assert batch.turns[60].at - batch.turns[59].at <= 0.5
    put_off = due_times(engine, "gmail.com")
    assert NOW + timedelta(seconds=10) < put_off[0] < NOW + timedelta(seconds=11)
    assert put_off[-1] - put_off[0] == pytest.approx(timedelta(seconds=18), abs=timedelta(seconds=0.1))


def test_domains_that_one_operator_serves_share_its_cap(engine: Engine) -> None:
    issue_id = issue_due(engine, 90, address=at_domains("gmail.com", "club.example.org", "firm.example.org"))
    with writing(engine) as session:
        session.add(MailDomainRow(domain="club.example.org", group="google", looked_up_at=NOW))
    batch = claim(engine, issue_id, throttled("google: 1/s"), limit=90)
    domains = [turn.claim.email.partition("@")[2] for turn in batch.turns]
    assert domains.count("firm.example.org") == 30
    assert domains.count("gmail.com") + domains.count("club.example.org") == 12


def test_what_goes_to_a_paused_group_is_put_off_and_the_others_leave(engine: Engine) -> None:
    issue_id = issue_due(engine, 20, address=at_domains("gmail.com", "example.org"))
    with writing(engine) as session:
        pause_receiver(lock_receiver(session, "google", now=NOW), "550 5.7.1 no", now=NOW, is_told=True)
    batch = claim(engine, issue_id, Throttle())
    assert {turn.claim.email.partition("@")[2] for turn in batch.turns} == {"example.org"}
    assert (len(batch.turns), batch.put_off) == (10, 10)
    half_an_hour = timedelta(minutes=30)
    assert all(NOW + half_an_hour / 2 <= at <= NOW + half_an_hour for at in due_times(engine, "gmail.com"))


def test_slots_taken_are_counted_for_who_looks(engine: Engine) -> None:
    issue_id = issue_due(engine, 30)
    claim(engine, issue_id, throttled("100/s"))
    with writing(engine) as session:
        _, use = look_at_slots(session)[Capped(Scope.ALL)]
    assert use.in_last_minute(now=NOW) == 30
    assert use.in_last_minute(now=NOW + timedelta(seconds=90)) == 15
    assert use.in_last_minute(now=NOW + timedelta(minutes=3)) == 0


def test_a_warm_up_takes_the_days_it_was_said_to_take(engine: Engine) -> None:
    issue_id = issue_due(engine, 40)
    warm_up = WarmUp(date(2026, 11, 23), (5, 10, 20))
    throttle, gone = throttled(warm_up=warm_up), []
    assert warm_up.days_for(40, today=NOW.date(), gone=0) == 4
    for day in range(4):
        now = NOW + timedelta(days=day)
        gone.append(sum(len(claim(engine, issue_id, throttle, now=now, limit=8).turns) for _ in range(9)))
        again = claim(engine, issue_id, throttle, now=now)
        is_due = due_issues(engine, [issue_id], now=now, throttle=throttle) != ()
        assert (again.turns, again.opens_at and again.opens_at.day, is_due) == (
            (),
            [24, 25, 26, None][day],
            False,
        )
    assert gone == [5, 10, 20, 5]
    assert counts(engine, issue_id) == {DeliveryState.CLAIMED: 40}


def test_in_a_warm_up_the_older_issue_goes_first(engine: Engine) -> None:
    older = issue_due(engine, 3)
    newer = approved_issue(engine, stored_newsletter(engine)).id
    throttle = throttled(warm_up=WarmUp(date(2026, 11, 23), (100,)))
    assert due_issues(engine, [older, newer], now=NOW, throttle=throttle) == (older, newer), "to be addressed"
    change(engine, newer, IssueState.SENDING)
    assert claim(engine, newer, throttle).turns == ()
    assert len(claim(engine, older, throttle).turns) == 3
