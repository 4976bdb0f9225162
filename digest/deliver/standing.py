"""How one relay stands among several: its share, and the time in which it is left out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from digest.deliver.transport import Transport
from digest.domain.deliveries import SENDER_REFUSED, DeliveryState, Outcome
from digest.domain.errors import Refused, Unavailable

log = structlog.get_logger(__name__)

SOONEST, LATEST = 5.0, 300.0
"""Seconds that a relay is left out for after its first failure, and at most; each further one doubles."""

_ASKED_FOR_MOST = 3600.0
"""Seconds that a relay may ask to be left alone for."""

TELL_AFTER = 300.0
"""Seconds. A server that restarts is back before, and nobody needs to be told."""

_STUMBLES = 3
"""Messages in a row that a relay may fail at; its readers' refusals are none of its failures."""


@dataclass(frozen=True, slots=True)
class Relay:
    """One of the addresses in `mail_url`. `weight` is its share of conversations, 0 for a spare."""

    name: str
    weight: int
    transport: Transport


@dataclass(frozen=True, slots=True)
class Absence:
    """A relay that takes no mail: since how many seconds, and why."""

    name: str
    seconds: float
    why: str

    @property
    def in_words(self) -> str:
        """Say that it is away, for how long, and why."""
        return f"{self.name} has taken no mail for {int(self.seconds) // 60} minutes: {self.why.rstrip('.')}."

    @property
    def advice(self) -> str:
        """Say what to do about it."""
        return (
            f"The other addresses in mail_url carry its share. Check that {self.name} is up and takes our "
            "log-in: 'digest doctor' tries each. It is tried again by itself; take it out of mail_url if it "
            "is gone for good."
        )


class Standing:
    """What is known of a relay. Whoever calls holds the lock of all."""

    def __init__(self, relay: Relay, clock: Callable[[], float] = time.monotonic) -> None:
        self.relay = relay
        self.why: Unavailable | Refused | None = None
        """What was wrong with it at last, None since it has taken a message."""
        self._clock = clock
        self._open = 0
        self.credit = 0
        """How far it is behind its share of the conversations so far."""
        self._failures = 0
        self._stumbles = 0
        self._failed_at = 0.0
        self._away_since = 0.0
        self._rests_until = 0.0
        self._is_tried = False
        self._is_told = False

    @property
    def rests(self) -> bool:
        """Whether it is left out now."""
        return self.why is not None and self._clock() < self._rests_until

    @property
    def is_free(self) -> bool:
        """Whether a conversation may be opened: one alone while it has not shown that it takes mail again."""
        return not (self.rests or self._is_tried)

    @property
    def may_be_asked(self) -> bool:
        """Whether it may be tried although it is left out, as there is no other."""
        return not self._is_tried and self._clock() >= self._failed_at + SOONEST

    @property
    def load(self) -> float:
        """How many conversations are open for each part of its share."""
        return self._open / self.share

    @property
    def share(self) -> int:
        """Its weight; spares are alike among themselves."""
        return self.relay.weight or 1

    @property
    def rest_ends(self) -> float:
        """When it is to be tried again."""
        return self._rests_until

    def enter(self) -> bool:
        """Count a conversation that is being opened; return whether the relay is on trial by it."""
        self._open += 1
        self._is_tried = self.why is not None
        return self._is_tried

    def leave(self, *, is_trial: bool) -> None:
        """Count a conversation that has ended."""
        self._open -= 1
        self._is_tried = self._is_tried and not is_trial

    def weigh(self, outcome: Outcome, *, is_trial: bool) -> None:
        """Take note of what became of a message."""
        is_refused = outcome.state is DeliveryState.FAILED and outcome.code is not None
        if outcome.state is DeliveryState.ACCEPTED or is_refused:
            self._works()
        elif _is_its_fault(outcome):
            told = f"{self.relay.name}: {outcome.code or ''} {outcome.text}"
            self.stumble(Unavailable(" ".join(told.split())), is_trial=is_trial)

    def stumble(self, why: Unavailable, *, is_trial: bool) -> None:
        """Take note of a message that it failed at: several in a row are no accident, nor is one on trial."""
        self._stumbles += 1
        if self.why is not None or self._stumbles >= _STUMBLES:
            self.fail(why, is_trial=is_trial)

    def fail(self, why: Unavailable | Refused, *, is_trial: bool) -> None:
        """Leave it out for a while, each time for longer.

        While it is left out, only a trial can say more: conversations that began together fail together.
        """
        now = self._clock()
        if self.rests and not is_trial:
            return
        if self.why is None:
            self._away_since, self._is_told = now, False
            log.warning("relay.left_out", relay=self.relay.name, reason=str(why))
        self.why, self._failed_at, self._stumbles = why, now, 0
        # Capped first: the power of a long row is no number that fits.
        rest = min(LATEST, SOONEST * 2 ** min(10, self._failures))
        self._failures += 1
        self._rests_until = now + max(rest, min(_asked_for(why), _ASKED_FOR_MOST))

    def _works(self) -> None:
        self._stumbles = 0
        if self.why is None:
            return
        minutes = int(self._clock() - self._away_since) // 60
        log.info("relay.back", relay=self.relay.name, minutes=minutes)
        self.why, self._failures, self._rests_until, self._is_tried = None, 0, 0.0, False

    def absence(self) -> Absence | None:
        """Return that it is away, once, when that has lasted for long enough to be told."""
        lasted = self._clock() - self._away_since
        if self.why is None or self._is_told or lasted < TELL_AFTER:
            return None
        self._is_told = True
        return Absence(self.relay.name, lasted, str(self.why))


def _asked_for(why: Unavailable | Refused) -> float:
    """Return the seconds that it wants to be left alone for."""
    wait = why.retry_after if isinstance(why, Unavailable) else None
    return wait.total_seconds() if wait else 0.0


def _is_its_fault(outcome: Outcome) -> bool:
    """Whether a message was put off or lost by the relay itself, not by the receiver behind it.

    So are 421, a refusal that is about us (which is why a 5xx is pending), its own system's trouble (4.3.x,
    RFC 3463 §3.4), and an answer that never came. Not a conversation that has only lasted long enough.
    """
    if outcome.state is DeliveryState.UNKNOWN:
        return True
    if outcome.state is not DeliveryState.PENDING or outcome.retry_in is not None:
        return False
    code = outcome.code or 0
    said = outcome.text.removeprefix(f"{SENDER_REFUSED}: ")
    return code == 421 or 500 <= code < 600 or said.startswith("4.3.")
