from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import Engine

from digest.store.answers import (
    KeptAnswer,
    claim_question,
    find_answer,
    forget_answers,
    forget_claims,
    record_answer,
    release_claim,
    renew_claims,
)
from digest.store.database import reading, writing
from tests.stored import NOW

ANSWER = KeptAnswer('{"takeaways": []}', 900, 100, 4_200, "model-7", "0123456789ab")


def test_an_answer_is_found_by_its_key_alone(engine: Engine) -> None:
    with writing(engine) as session:
        record_answer(session, "a" * 64, ANSWER, now=NOW)
    with reading(engine) as session:
        assert find_answer(session, "a" * 64) == ANSWER
        assert find_answer(session, "b" * 64) is None


def test_of_two_answers_the_first_is_kept(engine: Engine) -> None:
    for text in ("first", "second"):
        with writing(engine) as session:
            record_answer(session, "a" * 64, KeptAnswer(text, 1, 1, 1, "m", "p"), now=NOW)
    with reading(engine) as session:
        kept = find_answer(session, "a" * 64)
    assert kept is not None
    assert kept.text == "first"


def test_a_cost_that_no_integer_holds_and_a_long_name_are_kept(engine: Engine) -> None:
    with writing(engine) as session:
        record_answer(session, "a" * 64, KeptAnswer("x", 2**31 - 1, 0, 2**40, "m" * 500, "p"), now=NOW)
    with reading(engine) as session:
        kept = find_answer(session, "a" * 64)
    assert kept is not None
    assert (kept.cost, kept.model) == (2**40, "m" * 200)


def test_what_no_database_stores_is_replaced(engine: Engine) -> None:
    with writing(engine) as session:
        record_answer(session, "a" * 64, KeptAnswer("so\x00so {}", 1, 1, 1, "m", "p"), now=NOW)
    with reading(engine) as session:
        kept = find_answer(session, "a" * 64)
    assert kept is not None
    assert kept.text == "so\ufffdso {}"


def test_old_answers_are_forgotten_and_young_ones_are_not(engine: Engine) -> None:
    with writing(engine) as session:
        for days in (1, 89, 91, 400):
            record_answer(session, f"{days:064}", ANSWER, now=NOW - timedelta(days=days))
    with writing(engine) as session:
        assert forget_answers(session, before=NOW - timedelta(days=90)) == 2
    with reading(engine) as session:
        assert [bool(find_answer(session, f"{days:064}")) for days in (1, 89, 91, 400)] == [
            True,
            True,
            False,
            False,
        ]


TEN = timedelta(seconds=10)


def claims(engine: Engine, owner: str, *, after: timedelta = timedelta(), key: str = "a") -> bool:
    now = NOW + after
    with writing(engine) as session:
        return claim_question(session, key * 64, owner, now=now, until=now + TEN)


def test_a_question_is_asked_by_one_until_they_let_go_or_are_not_heard_of(engine: Engine) -> None:
    assert claims(engine, "first")
    assert claims(engine, "first")
    assert not claims(engine, "second", after=TEN / 2)
    assert claims(engine, "second", key="b")
    assert claims(engine, "second", after=TEN)
    with writing(engine) as session:
        release_claim(session, "a" * 64, "first")  # who woke up too late takes nothing away
    assert not claims(engine, "first", after=TEN)
    with writing(engine) as session:
        release_claim(session, "a" * 64, "second")
    assert claims(engine, "first", after=TEN)


def test_a_claim_that_is_renewed_lasts(engine: Engine) -> None:
    assert claims(engine, "first")
    with writing(engine) as session:
        renew_claims(session, "first", until=NOW + 2 * TEN)
    assert not claims(engine, "second", after=TEN)


def test_of_many_who_claim_at_once_one_may_ask(engine: Engine) -> None:
    together = Barrier(4)

    def claim(number: int) -> bool:
        together.wait()
        return claims(engine, f"owner {number}")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(4))) == [False, False, False, True]


def test_what_the_dead_claimed_is_forgotten(engine: Engine) -> None:
    assert claims(engine, "dead")
    with writing(engine) as session:
        forget_claims(session, before=NOW + 2 * TEN)
    assert claims(engine, "second")
