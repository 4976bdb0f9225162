"""What newsletters offer, remembered for some seconds: hundreds ask in one of them, and one reads."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Path, Request

from digest.domain.newsletters import SLUG_MAX
from digest.pipeline.sign_ups import Offer, read_offer
from digest.runtime import Runtime
from digest.web.dependencies import TheRuntime

FRESH_SECONDS = 5.0
"""So long an offer is shown without a look at the database, and as long again while one is read anew."""

KEPT = 64


@dataclass(frozen=True, slots=True)
class _Read:
    offer: Offer
    at: float


class Offers:
    """What knows the offers of newsletters that were asked for lately. One event loop asks it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: OrderedDict[str, _Read] = OrderedDict()
        self._readings: dict[str, asyncio.Task[Offer]] = {}

    async def get(self, slug: str) -> Offer:
        """Return what a newsletter offers. Raises `NotFound` as `read_offer` does."""
        known = self._known.get(slug)
        age = 0.0 if known is None else time.monotonic() - known.at
        if known is not None and age < FRESH_SECONDS:
            return known.offer
        reading = self._reading(slug)
        if known is not None and age < 2 * FRESH_SECONDS:
            return known.offer
        # Who asked first may hang up: the others wait on.
        return await asyncio.shield(reading)

    def _reading(self, slug: str) -> asyncio.Task[Offer]:
        """Return the one reading of an offer that goes on now: a crowd of them would hold up every page."""
        reading = self._readings.get(slug)
        if reading is None or reading.done():
            reading = self._readings[slug] = asyncio.create_task(self._read(slug))
            reading.add_done_callback(lambda done: self._end(slug, done))
        return reading

    async def _read(self, slug: str) -> Offer:
        offer = await to_thread.run_sync(read_offer, self._runtime, slug)
        self._known[slug] = _Read(offer, time.monotonic())
        self._known.move_to_end(slug)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return offer

    def _end(self, slug: str, done: asyncio.Task[Offer]) -> None:
        if self._readings.get(slug) is done:
            del self._readings[slug]
        if not done.cancelled() and done.exception() is not None:
            # Closed or removed meanwhile; who asks next reads, and is told.
            self._known.pop(slug, None)


async def _offers(request: Request, runtime: TheRuntime) -> Offers:
    state = request.app.state
    if not hasattr(state, "offers"):
        state.offers = Offers(runtime)
    offers: Offers = state.offers
    return offers


async def _offer(
    request: Request,
    offers: Annotated[Offers, Depends(_offers)],
    slug: Annotated[str, Path(max_length=SLUG_MAX)],
) -> Offer:
    offer = await offers.get(slug)
    # Kept with the request: who answers for a call that fails asks which sites it is open to.
    request.state.offer = offer
    return offer


TheOffer = Annotated[Offer, Depends(_offer)]
"""The offer of the newsletter in the address."""
