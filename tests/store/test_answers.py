from datetime import timedelta

from sqlalchemy import Engine

from digest.store.answers import KeptAnswer, find_answer, forget_answers, record_answer
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
