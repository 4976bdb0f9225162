import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from digest.address.behind import Behind
from tests.waiting import PATIENCE


def test_the_next_is_made_ready_while_one_is_done() -> None:
    """Who starts something goes on: otherwise neither of these two would ever end."""
    is_ready = threading.Event()
    done: list[bool] = []
    with Behind() as behind:
        behind.start(lambda: done.append(is_ready.wait(PATIENCE)))
        is_ready.set()
    assert done == [True]


def test_things_are_done_one_at_a_time_in_their_order() -> None:
    under_way, order = threading.Lock(), list[int]()

    def work(number: int) -> None:
        assert under_way.acquire(blocking=False)
        order.append(number)
        under_way.release()

    with Behind() as behind:
        for number in range(200):
            behind.start(lambda number=number: work(number))  # type: ignore[misc]
        behind.wait()
        assert order == list(range(200))


def refuse() -> None:
    raise KeyError("one")


def test_what_fails_is_raised_by_the_next_start_which_begins_nothing() -> None:
    done: list[str] = []
    with Behind() as behind:
        behind.start(refuse)
        with pytest.raises(KeyError, match="one"):
            behind.start(lambda: done.append("two"))
    assert done == []


def test_what_fails_last_is_raised_at_the_end() -> None:
    with pytest.raises(KeyError, match="one"), Behind() as behind:
        behind.start(refuse)


def test_what_fails_in_front_is_told_and_what_is_under_way_is_waited_for() -> None:
    has_failed = threading.Event()
    done: list[bool] = []

    def fail_in_front() -> None:
        with Behind() as behind:
            behind.start(lambda: done.append(has_failed.wait(PATIENCE)))
            helper.submit(has_failed.set)
            raise LookupError("in front")

    with ThreadPoolExecutor(1) as helper, pytest.raises(LookupError, match="in front"):
        fail_in_front()
    assert done == [True]
