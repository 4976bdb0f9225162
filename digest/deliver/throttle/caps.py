"""What ops allow: caps on everything, on relays and on groups of receivers, and a warm-up."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from digest.deliver.throttle.groups import require_group
from digest.domain.errors import InvalidInput, Misconfigured
from digest.domain.rates import Rate
from digest.store.throttles import Capped, Scope

USUAL_RAMP = (50, 100, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000)
"""Mails on each day of a warm-up: two weeks from nobody knows us to a million a day."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How many mails may leave on each day (UTC) from `start` on; after the last of `caps`, any number.

    Before `start` the first day's cap holds: who sets a date ahead does not mean to send everything today.
    """

    start: date
    caps: tuple[int, ...] = USUAL_RAMP

    def cap_on(self, day: date) -> int | None:
        """Return how many mails may leave on a day, None for any number."""
        passed = max(0, (day - self.start).days)
        return self.caps[passed] if passed < len(self.caps) else None

    def days_for(self, mails: int, *, today: date, gone: int) -> int:
        """Return on how many days, today included, so many mails leave; `gone` is what left today already."""
        days = 0
        while mails > 0:
            cap = self.cap_on(today + timedelta(days=days))
            days += 1
            if cap is None:
                return days
            mails -= max(0, cap - (gone if days == 1 else 0))
        return days


@dataclass(frozen=True, slots=True)
class Throttle:
    """All that slows sending down by order of ops. Without anything in it nothing does.

    `relays` are the names of those that mail leaves by here: where all of them have a cap that is used up,
    an issue waits.
    """

    caps: Mapping[Capped, Rate] = field(default_factory=dict)
    warm_up: WarmUp | None = None
    relays: tuple[str, ...] = ()

    @property
    def everything(self) -> Rate | None:
        """The cap on everything."""
        return self.caps.get(Capped(Scope.ALL))

    def of(self, scope: Scope) -> dict[str, Rate]:
        """Return the caps on relays or groups by their names."""
        return {capped.name: rate for capped, rate in self.caps.items() if capped.scope is scope}


UNTHROTTLED = Throttle()


def read_caps(texts: Iterable[str]) -> dict[Capped, Rate]:
    """Read `100/s`, `google: 20/s` and `relay mx1.example.org: 50/s`.

    Raises `InvalidInput` for what is no rate, for an unknown group, and for what stands there twice.
    """
    caps: dict[Capped, Rate] = {}
    for text in texts:
        whom, colon, rate = text.rpartition(":")
        capped = _capped(whom.strip()) if colon else Capped(Scope.ALL)
        if capped in caps:
            raise InvalidInput(f"{capped} has two rates; leave the lower, which is the one that counts")
        caps[capped] = Rate.parse(rate)
    return caps


def on_relays(caps: Mapping[Capped, Rate], relays: Collection[str]) -> dict[Capped, Rate]:
    """Return `caps` with each relay by the name it has here; its host will do where that is one relay's.

    Raises `Misconfigured` for a relay that mail does not leave by: its rate would hold for nothing.
    """
    return {_on_relay(capped, relays): rate for capped, rate in caps.items()}


def _on_relay(capped: Capped, relays: Collection[str]) -> Capped:
    if capped.scope is not Scope.RELAY or capped.name in relays:
        return capped
    of_host = [relay for relay in relays if relay.rpartition(":")[0] == capped.name]
    if len(of_host) == 1:
        return Capped(Scope.RELAY, of_host[0])
    raise Misconfigured(
        f"rate_limits: mail does not leave by a relay '{capped.name}', so its rate would hold for nothing; "
        f"there is: {', '.join(relays)}"
    )


def _capped(whom: str) -> Capped:
    kind, *name = re.split(r"[\s:]+", whom.lower(), maxsplit=1)
    if kind == "relay":
        if not name or not name[0]:
            raise InvalidInput(f"'{whom}' names no relay: write its host, as in relay mx1.example.org: 50/s")
        return Capped(Scope.RELAY, name[0])
    return Capped(Scope.ALL) if kind == "all" and not name else Capped(Scope.GROUP, require_group(whom))


def read_warm_up(start: str, caps: Iterable[int] = ()) -> WarmUp | None:
    """Read the date of a warm-up and its caps; '' is None. Raises `InvalidInput`."""
    ramp = tuple(caps) or USUAL_RAMP
    if not start.strip():
        return None
    if any(cap < 1 for cap in ramp):
        raise InvalidInput("a day of the warm-up lets no mail go: each number must be at least 1")
    try:
        return WarmUp(date.fromisoformat(start.strip()), ramp)
    except ValueError as exc:
        raise InvalidInput(f"'{start.strip()}' is no date: write it as in 2026-11-23") from exc
