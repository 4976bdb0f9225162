"""What newsletters offer, remembered for some seconds: hundreds may ask for it in one of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Path, Request

from digest.domain.newsletters import SLUG_MAX
from digest.pipeline.sign_ups import Offer, read_offer
from digest.runtime import Runtime
from digest.web.dependencies import TheRuntime

FRESH_SECONDS = 5.0
"""So long a page that was closed or changed may be shown as it was."""

KEPT = 64


@dataclass(frozen=True, slots=True)
class _Read:
    offer: Offer
    at: float


class Offers:
    """What knows the offers of newsletters that were asked for lately."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: OrderedDict[str, _Read] = OrderedDict()
        self._lock = Lock()

    async def get(self, slug: str) -> Offer:
        """Return what a newsletter offers. Raises `NotFound` as `read_offer` does."""
        known = self._known.get(slug)
        if known is not None and time.monotonic() - known.at <= FRESH_SECONDS:
            return known.offer
        return await to_thread.run_sync(self._read, slug)

    def _read(self, slug: str) -> Offer:
        offer = read_offer(self._runtime, slug)
        with self._lock:
            self._known[slug] = _Read(offer, time.monotonic())
            self._known.move_to_end(slug)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return offer


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
