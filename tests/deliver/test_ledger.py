"""Group commit: what many ask for is written together, and nobody waits for an answer that cannot come."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select

from benchmarks.readers import Size, sending_issue
from digest.deliver import ledger as ledger_module
from digest.deliver.ledger import Ledger
from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.errors import Unavailable
from digest.domain.issues import IssueId, IssueState
from digest.store.claims import claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.issues import change_issue
from tests.waiting import PATIENCE

FORTY = Size(readers=40, topics=2, articles=2, follows=2)
DEFERRED = Outcome(DeliveryState.PENDING, 451, "4.2.1 later", timedelta(minutes=2))
ACCEPTED = Outcome(DeliveryState.ACCEPTED, 250, "2.0.0 kept")


def now() -> datetime:
    return datetime.now(UTC)


def claimed(engine: Engine, *, owner: str = "me:1:0") -> tuple[IssueId, tuple[Claim, ...]]:
    issue_id = sending_issue(engine, FORTY)
    with writing(engine) as session:
        claims = claim_deliveries(
            session,
            issue_id,
            owner=owner,
            limit=100,
            now=now(),
            lease_until=now() + timedelta(minutes=5),
        )
    return issue_id, claims


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue_id).items() if count}


def test_many_arms_share_few_commits(engine: Engine) -> None:
    _, claims = claimed(engine)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)

    async def arm_all() -> list[bool]:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            return await asyncio.gather(*map(ledger.arm, claims))

    assert asyncio.run(arm_all()) == [True] * 40
    assert len(commits) < 10


def test_an_arm_is_committed_before_it_is_answered(engine: Engine) -> None:
    issue_id, claims = claimed(engine)

    async def arm_one() -> dict[DeliveryState, int]:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            await ledger.arm(claims[0])
            return counts(engine, issue_id)

    assert asyncio.run(arm_one())[DeliveryState.SENDING] == 1


def test_leaving_writes_what_still_waits(engine: Engine) -> None:
    issue_id, claims = claimed(engine)

    async def work() -> None:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            await asyncio.gather(*map(ledger.arm, claims[:30]))
            for claim in claims[:30]:
                ledger.settle(claim, ACCEPTED)
            for claim in claims[30:]:
                ledger.give_back(claim)

    asyncio.run(work())
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 30, DeliveryState.PENDING: 10}


@pytest.mark.parametrize("because", ["another owner", "paused"])
def test_an_arm_that_must_not_be_is_refused(engine: Engine, because: str) -> None:
    issue_id, claims = claimed(engine, owner="somebody:1:0" if because == "another owner" else "me:1:0")
    if because == "paused":
        with writing(engine) as session:
            change_issue(session, issue_id, IssueState.PAUSED, now=now())

    async def arm_all() -> list[bool]:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            return await asyncio.gather(*map(ledger.arm, claims))

    assert asyncio.run(arm_all()) == [False] * 40
    assert counts(engine, issue_id) == {DeliveryState.CLAIMED: 40}


def test_a_database_that_comes_back_costs_only_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    issue_id, claims = claimed(engine)
    write, failures = Ledger._write, iter([True, True, False])

    def flaky(self: Ledger, page: ledger_module._Page) -> frozenset[int]:
        if next(failures, False):
            raise Unavailable("the database is away")
        return write(self, page)

    monkeypatch.setattr(Ledger, "_write", flaky)

    async def arm_all() -> list[bool]:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            return await asyncio.gather(*map(ledger.arm, claims))

    assert asyncio.run(arm_all()) == [True] * 40
    assert counts(engine, issue_id) == {DeliveryState.SENDING: 40}


@pytest.mark.parametrize("has_committed", [True, False])
def test_a_commit_of_which_nobody_heard_lets_each_dot_leave_once_and_counts_each_answer_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, has_committed: bool
) -> None:
    issue_id, claims = claimed(engine)
    commit, losses = engine.dialect.do_commit, iter([True, True, False, True])

    def lost(connection: object) -> None:
        is_lost = next(losses, False)
        if has_committed or not is_lost:
            commit(connection)
        if is_lost:
            raise engine.dialect.dbapi.OperationalError("the connection was lost")

    async def work() -> None:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            monkeypatch.setattr(engine.dialect, "do_commit", lost)
            assert await asyncio.gather(*map(ledger.arm, claims[:20])) == [True] * 20
            for claim in claims[:20]:
                ledger.settle(claim, DEFERRED)
            assert await asyncio.gather(*map(ledger.arm, claims[20:])) == [True] * 20

    asyncio.run(work())
    assert counts(engine, issue_id) == {DeliveryState.PENDING: 20, DeliveryState.SENDING: 20}
    with reading(engine) as session:
        assert set(session.scalars(select(DeliveryRow.attempts))) == {0, 1}


@pytest.mark.parametrize("trouble", [Unavailable("away"), ValueError("a fault of ours")])
def test_nobody_waits_for_an_arm_that_cannot_come(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    _, claims = claimed(engine)
    monkeypatch.setattr(ledger_module, "KEEP_TRYING", 0.2)

    def fails(self: Ledger, page: ledger_module._Page) -> frozenset[int]:
        raise trouble

    monkeypatch.setattr(Ledger, "_write", fails)

    async def arm_one() -> None:
        async with Ledger(engine, owner="me:1:0", clock=now) as ledger:
            with pytest.raises(Unavailable):
                await asyncio.wait_for(ledger.arm(claims[0]), PATIENCE)
            with pytest.raises((Unavailable, type(trouble))):
                await asyncio.wait_for(ledger.arm(claims[1]), PATIENCE)

    with pytest.raises((Unavailable, type(trouble))):
        asyncio.run(arm_one())
