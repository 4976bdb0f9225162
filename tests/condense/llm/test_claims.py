"""An article that two processes take up at once is paid for once, and a death holds nobody up for long."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from digest.condense.llm import claims, open_condenser
from digest.condense.llm.run import Pace
from digest.domain.articles import Condensed, Origin, Style, Usage
from digest.store.answers import LlmClaimRow
from digest.store.database import open_engine, reading, writing
from tests.condense.llm.asking import FakeTime, ask, newsletter_of_tests, options, origins
from tests.condense.samples import HARBOUR
from tests.servers.model_server import ModelServer, honest, lingers, status
from tests.stored import NOW


def claim_and_die(engine: Engine, server: ModelServer) -> None:
    """Claim what is asked about HARBOUR, as a process that was killed then."""
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "release_claim", lambda session, *claim: kept.append(claim))
        server.will(status(405))
        ask(server, engine)
    assert len(kept) == len(held(engine)) == 1
    server.will(honest)
    server.calls.clear()


def held(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(LlmClaimRow.owner)))


def in_another_process(server: ModelServer, database: str) -> Condensed:
    """Ask with an engine, a loop and a clock of one's own, as another process would."""

    async def run() -> Condensed:
        opened = open_condenser(options(server), engine, newsletter_of_tests(engine), pace=Pace())
        async with opened as condenser:
            return await condenser.condense(HARBOUR, count=3, max_words=35, style=Style.NEUTRAL)

    engine = open_engine(database)
    try:
        return asyncio.run(run())
    finally:
        engine.dispose()


def test_processes_that_take_an_article_up_at_once_pay_for_it_once(
    server: ModelServer, engine: Engine
) -> None:
    newsletter_of_tests(engine)
    server.will(lingers(0.3))
    url = engine.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: in_another_process(server, url), range(3)))
    assert len(server.calls) == 1
    assert sorted(one.usage.cost for one in found if one.usage) == [0, 0, 4_200]
    assert all(set(origins(one)) == {Origin.LLM} for one in found)
    assert held(engine) == []


def test_what_another_process_failed_at_is_asked_by_the_next(server: ModelServer, engine: Engine) -> None:
    newsletter_of_tests(engine)
    server.will(status(405), honest)
    url = engine.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: in_another_process(server, url), range(2)))
    assert sorted(origins(one)[0] for one in found) == [Origin.EXTRACTIVE, Origin.LLM]
    assert len(server.calls) == 2
    assert held(engine) == []


def test_who_was_killed_is_waited_for_no_longer_than_a_lease(server: ModelServer, engine: Engine) -> None:
    claim_and_die(engine, server)
    fake = FakeTime()

    async def run() -> Condensed:
        opened = open_condenser(
            options(server),
            engine,
            newsletter_of_tests(engine),
            now=lambda: NOW + timedelta(seconds=fake.now),
            pace=fake.pace,
        )
        async with opened as condenser:
            return await condenser.condense(HARBOUR, count=3, max_words=35, style=Style.NEUTRAL)

    assert asyncio.run(run()).usage == Usage(900, 100, 4_200)
    assert fake.now == claims.LEASE.total_seconds()
    assert held(engine) == []


def test_a_run_that_ends_while_another_process_asks_goes_without_and_says_so(
    server: ModelServer, engine: Engine
) -> None:
    claim_and_die(engine, server)
    told = ask(server, engine, run_seconds=5.0).one
    assert told.note == (
        "another process was asking the model about this article until the run's time was over; "
        "these takeaways are extracted"
    )
    assert set(origins(told)) == {Origin.EXTRACTIVE}
    assert server.calls == []


def test_a_claim_is_renewed_as_long_as_the_model_is_asked(
    server: ModelServer, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.05)
    newsletter_of_tests(engine)
    server.will(lingers(1.0))
    url = engine.url.render_as_string(hide_password=False)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(in_another_process, server, url)
        while not server.calls:
            time.sleep(0.01)
        with writing(engine) as session:
            session.execute(update(LlmClaimRow).values(until=long_ago))
        time.sleep(0.3)
        with reading(engine) as session:
            (until,) = session.scalars(select(LlmClaimRow.until))
        assert until > datetime.now(UTC)
        asking.result()
    assert held(engine) == []
