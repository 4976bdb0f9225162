import asyncio

import pytest
from sqlalchemy import Engine

from digest.condense.llm import Prices
from digest.condense.llm.budget import Budget, dollars
from digest.condense.llm.run import Pace, Run
from digest.domain.articles import Origin
from tests.condense.llm.asking import FakeTime, ask, numbered, origins
from tests.condense.samples import HARBOUR
from tests.servers.model_server import (
    Call,
    ModelServer,
    breaks_off,
    envelope,
    honest,
    lingers,
    silent,
    status,
    takeaways,
    writes,
)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_articles_are_asked_about_at_once_than_allowed(
    server: ModelServer, engine: Engine, concurrency: int
) -> None:
    server.will(lingers(0.05))
    told = ask(server, engine, *numbered(9), concurrency=concurrency)
    assert all(set(origins(condensed)) == {Origin.LLM} for condensed in told.all)
    assert (server.most_at_once, len(server.calls)) == (concurrency, 9)


# --- money


def dear(call: Call) -> None:
    """Write as much as allowed: a cent and a half, and some for reading."""
    call.send(200, envelope(call, takeaways(call.sentences[0]), usage=(len(call.material), 1_500)))


@pytest.mark.parametrize("limit", [0.0, 0.03, 0.1, 0.25])
def test_the_spend_limit_holds_however_many_are_asked_at_once(
    server: ModelServer, engine: Engine, limit: float
) -> None:
    server.will(lingers(0.02, dear))
    told = ask(server, engine, *numbered(20), concurrency=8, spend_limit=limit)
    paid = sum(condensed.usage.cost for condensed in told.all if condensed.usage)
    assert paid == told.spent <= limit * 1_000_000
    # It is not held by asking nothing, either: less is left than one more call may cost.
    assert told.spent >= limit * 1_000_000 - 35_000
    left_out = [condensed for condensed in told.all if condensed.usage is None]
    assert left_out
    for condensed in left_out:
        assert (
            f"the run's limit of {dollars(int(limit * 1e6))} for the model leaves too little"
            in condensed.note
        )
        assert set(origins(condensed)) == {Origin.EXTRACTIVE}


def test_what_was_set_aside_and_not_spent_is_there_for_those_who_wait(
    server: ModelServer, engine: Engine
) -> None:
    """Each call may cost 3.3 cents and costs an eighth: a limit of 6 cents pays for six articles."""
    told = ask(server, engine, *numbered(6), concurrency=6, spend_limit=0.06)
    assert all(condensed.usage for condensed in told.all)
    assert told.spent == 6 * (900 * 3 + 100 * 15)


def test_a_call_that_broke_off_may_have_cost_its_most(server: ModelServer, engine: Engine) -> None:
    server.will(breaks_off, honest)
    told = ask(server, engine)
    usage = told.one.usage
    assert usage is not None
    assert told.spent > usage.cost + 22_500


def test_a_refused_call_costs_nothing(server: ModelServer, engine: Engine) -> None:
    server.will(status(500))
    assert ask(server, engine).spent == 0


def test_an_answer_that_is_no_use_is_paid_like_any_other(server: ModelServer, engine: Engine) -> None:
    server.will(writes("no"), honest)
    told = ask(server, engine)
    assert told.one.usage is not None
    assert told.spent == told.one.usage.cost == 2 * (900 * 3 + 100 * 15)


def test_a_model_of_ones_own_has_no_limit_on_spending(server: ModelServer, engine: Engine) -> None:
    told = ask(server, engine, *numbered(3), prices=Prices(0.0, 0.0), spend_limit=0.0)
    assert (told.spent, len(server.calls)) == (0, 3)


def test_who_waits_for_money_is_let_go_when_it_is_spent() -> None:
    async def run() -> tuple[bool, bool]:
        budget = Budget(1.0)
        assert await budget.reserve(800_000)
        waiting = [asyncio.create_task(budget.reserve(800_000)) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        await budget.settle(800_000, cost=100_000)
        await asyncio.sleep(0)
        done = [task for task in waiting if task.done()]
        assert len(done) == 1
        await budget.settle(800_000, cost=800_000)
        return tuple(await asyncio.gather(*waiting))  # type: ignore[return-value]

    assert sorted(asyncio.run(run())) == [False, True]


@pytest.mark.parametrize(
    ("micros", "told"), [(0, "$0.00"), (350, "$0.0003"), (20_000, "$0.02"), (1_500_000, "$1.50")]
)
def test_money_is_told_as_people_read_it(micros: int, told: str) -> None:
    assert dollars(micros) == told


# --- failures in a row, and time


def test_after_five_articles_that_failed_no_other_is_asked_about(server: ModelServer, engine: Engine) -> None:
    server.will(status(500))
    told = ask(server, engine, *numbered(8), one_by_one=True)
    assert len(server.calls) == 5 * 4
    assert told.stopped == (
        "the model failed for 5 articles in a row and is not asked again (the model answered 500 four times)"
    )
    assert told.all[4].note == "the model answered 500 four times; these takeaways are extracted"
    for condensed in told.all[5:]:
        assert condensed.note == f"{told.stopped}; these takeaways are extracted"


def test_failures_that_are_not_in_a_row_stop_nothing(server: ModelServer, engine: Engine) -> None:
    server.will(*[status(405), status(405), status(405), status(405), honest] * 2, honest)
    told = ask(server, engine, *numbered(11), one_by_one=True)
    assert (told.stopped, len(server.calls)) == ("", 11)


def test_articles_that_are_refused_say_nothing_against_the_model(server: ModelServer, engine: Engine) -> None:
    server.will(writes("", ending="content_filter"))
    assert ask(server, engine, *numbered(7), one_by_one=True).stopped == ""


def test_those_under_way_give_up_when_the_run_stops_asking(server: ModelServer, engine: Engine) -> None:
    server.will(status(401))
    told = ask(server, engine, *numbered(12), concurrency=4)
    assert len(server.calls) <= 4
    assert all("llm_api_key" in condensed.note for condensed in told.all)


def test_a_run_ends_at_its_deadline(server: ModelServer, engine: Engine) -> None:
    server.will(status(500))
    time = FakeTime()
    told = ask(server, engine, *numbered(3), one_by_one=True, time=time, run_seconds=5.0)
    assert time.pauses == [1.0, 2.0, 1.0]
    assert time.now < 5.0
    assert all(set(origins(condensed)) == {Origin.EXTRACTIVE} for condensed in told.all)


def test_nothing_is_asked_after_the_deadline(server: ModelServer, engine: Engine) -> None:
    time = FakeTime()
    run = Run(900.0, time.pace)
    assert run.why_not() == ""
    time.now = 900.0
    assert run.why_not() == "the run's 900 s for asking the model are over"


def test_a_call_is_cut_off_at_the_runs_deadline(server: ModelServer, engine: Engine) -> None:
    server.will(silent())
    condensed = ask(server, engine, timeout=60.0, run_seconds=0.2, time=FakeTime()).one
    assert "did not answer within 0.2 s" in condensed.note
    assert condensed.takeaways


def test_pauses_are_drawn_from_nothing_up_to_a_bound_that_doubles() -> None:
    bounds: list[float] = []
    time = FakeTime()

    def draw(most: float) -> float:
        bounds.append(most)
        return most / 2

    run = Run(900.0, Pace(clock=lambda: time.now, sleep=time.sleep, draw=draw))
    for attempt in range(1, 8):
        assert asyncio.run(run.pause(attempt, None))
    assert bounds == [1, 2, 4, 8, 16, 30, 30]
    assert time.pauses == [0.5, 1, 2, 4, 8, 15, 15]


def test_the_same_article_asked_for_twice_at_once_is_paid_once(server: ModelServer, engine: Engine) -> None:
    server.will(lingers(0.05))
    told = ask(server, engine, HARBOUR, HARBOUR)
    assert len(server.calls) == 1
    assert sorted(condensed.usage.cost for condensed in told.all if condensed.usage) == [0, 4_200]
