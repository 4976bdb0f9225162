"""Places open as the documents that wait are worth them, and go to those who asked first."""

import asyncio

import pytest

from digest.gather.parsing import places
from digest.gather.parsing.places import Places


async def most_at_once(callers: int, *, most: int, seconds: float) -> int:
    at_once, peak, turns = 0, 0, Places(most)

    async def call() -> None:
        nonlocal at_once, peak
        async with turns:
            at_once += 1
            peak = max(peak, at_once)
            await asyncio.sleep(seconds)
            at_once -= 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return peak


def test_a_few_short_ones_are_read_one_after_another() -> None:
    assert asyncio.run(most_at_once(10, most=4, seconds=0.001)) == 1


@pytest.mark.parametrize("most", [1, 2, 4])
def test_many_open_all_places_and_no_more(most: int) -> None:
    assert asyncio.run(most_at_once(100, most=most, seconds=0.001)) == most


def test_one_that_takes_long_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "START_SECONDS", 0.01)

    async def read_on() -> None:
        turns = Places(2)
        async with turns:
            async with asyncio.timeout(10):
                for _ in range(3):
                    async with turns:
                        pass

    asyncio.run(read_on())


def test_who_asked_first_is_first_and_who_gave_up_is_passed_over() -> None:
    async def order() -> list[int]:
        turns, took = Places(1), list[int]()

        async def take(number: int) -> None:
            async with turns:
                took.append(number)

        async with turns:
            tasks = [asyncio.create_task(take(number)) for number in range(5)]
            await asyncio.sleep(0)
            tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return took

    assert asyncio.run(order()) == [0, 2, 3, 4]
