"""What newsletters offer, when hundreds ask in the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from threading import Event, Lock

import pytest

from digest.domain.errors import NotFound
from digest.pipeline.sign_ups import Offer, read_offer
from digest.runtime import Runtime
from digest.web.sign_up import offers
from digest.web.sign_up.offers import FRESH_SECONDS, Offers
from tests.waiting import PATIENCE
from tests.web.site import Site

SLUG = "saturday"


class Readings:
    """Readings of offers: counted, held up until `may_end` is set, and failing when `is_closed`."""

    def __init__(self) -> None:
        self.count = 0
        self.may_end = Event()
        self.may_end.set()
        self.is_closed = False
        self._lock = Lock()

    def read(self, runtime: Runtime, slug: str) -> Offer:
        with self._lock:
            self.count += 1
            number = self.count
        assert self.may_end.wait(PATIENCE)
        if self.is_closed:
            raise NotFound("no newsletter of this name takes sign-ups")
        offer = read_offer(runtime, slug)
        return replace(offer, newsletter=replace(offer.newsletter, name=f"Reading {number}"))


class Watch:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    made = Readings()
    monkeypatch.setattr(offers, "read_offer", made.read)
    return made


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(offers, "time", made)
    return made


def test_many_who_ask_at_once_wait_for_one_reading(site: Site, readings: Readings) -> None:
    async def hold() -> set[str]:
        known = Offers(site.runtime)
        return {one.newsletter.name for one in await asyncio.gather(*(known.get(SLUG) for _ in range(100)))}

    assert asyncio.run(hold()) == {"Reading 1"}
    assert readings.count == 1


def test_who_asks_while_an_offer_is_read_anew_sees_the_last_one(
    site: Site, readings: Readings, watch: Watch
) -> None:
    async def hold() -> list[str]:
        known = Offers(site.runtime)
        names = [(await known.get(SLUG)).newsletter.name]
        readings.may_end.clear()
        watch.now += FRESH_SECONDS
        names += [(await known.get(SLUG)).newsletter.name for _ in range(50)]
        readings.may_end.set()
        async with asyncio.timeout(PATIENCE):
            while (name := (await known.get(SLUG)).newsletter.name) in names:
                await asyncio.sleep(0.001)
        return [*names, name]

    assert asyncio.run(hold()) == [*["Reading 1"] * 51, "Reading 2"]
    assert readings.count == 2


def test_an_offer_that_is_too_old_is_waited_for(site: Site, readings: Readings, watch: Watch) -> None:
    async def hold() -> list[str]:
        known = Offers(site.runtime)
        first = await known.get(SLUG)
        watch.now += 2 * FRESH_SECONDS
        return [first.newsletter.name, (await known.get(SLUG)).newsletter.name]

    assert asyncio.run(hold()) == ["Reading 1", "Reading 2"]


def test_who_hangs_up_first_leaves_the_reading_to_the_others(site: Site, readings: Readings) -> None:
    async def hold() -> str:
        known = Offers(site.runtime)
        readings.may_end.clear()
        first, second = asyncio.create_task(known.get(SLUG)), asyncio.create_task(known.get(SLUG))
        await asyncio.sleep(0)
        first.cancel()
        readings.may_end.set()
        return (await second).newsletter.name

    assert asyncio.run(hold()) == "Reading 1"


def test_a_newsletter_that_was_closed_is_told_once_that_is_read(
    site: Site, readings: Readings, watch: Watch
) -> None:
    async def hold() -> None:
        known = Offers(site.runtime)
        await known.get(SLUG)
        readings.is_closed = True
        watch.now += FRESH_SECONDS
        await known.get(SLUG)
        async with asyncio.timeout(PATIENCE):
            while await known.get(SLUG):
                await asyncio.sleep(0.001)

    with pytest.raises(NotFound):
        asyncio.run(hold())
