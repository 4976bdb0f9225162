"""What receivers' answers mean for how fast they are mailed: slower, or not at all until ops have looked.

- A receiver is too slow for us when it answers 421 or 4.7.x (RFC 5321 §3.8, RFC 3463 §3.8). From one in
  twenty answers on its rate is halved, at most once a minute: a server that closes every connection after
  a hundred mails with 421 means nothing by it.
- After that it grows by a tenth of the full rate each minute, so a halving is made good in five.
- It refuses us when it answers 5.7.x. Five such answers in ten minutes that are a quarter of all pause it:
  one reader's odd policy is neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.rates import Rate
from digest.store.receivers import Receiver

COUNTED_FOR = timedelta(minutes=10)
"""Answers older than this say nothing."""

HALVE_AGAIN = timedelta(minutes=1)

_SLOWED_SHARE = 0.05
_REFUSED_SHARE, _REFUSED_LEAST = 0.25, 5
_GROWTH = 0.1
"""Part of the full rate that is won back each minute."""
_SLOWEST = 1 / 60
"""Mails a second that are left at least: with none there would be no answer to learn from."""

_TOO_FAST = re.compile(r"4\.7\.\d{1,3}\b")
_UNWANTED = re.compile(r"5\.7\.\d{1,3}\b")


class Complaint(StrEnum):
    """What an answer says of how we send, not of the reader."""

    TOO_FAST = "too_fast"
    UNWANTED = "unwanted"


def complaint_in(outcome: Outcome) -> Complaint | None:
    """Return what a server complains of in its answer, None for nothing."""
    if outcome.state not in (DeliveryState.PENDING, DeliveryState.FAILED) or outcome.code is None:
        return None
    if outcome.code == 421 or (400 <= outcome.code < 500 and _TOO_FAST.match(outcome.text)):
        return Complaint.TOO_FAST
    return Complaint.UNWANTED if outcome.code >= 500 and _UNWANTED.match(outcome.text) else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers of a group, and how many of them were complaints."""

    answers: int = 0
    slowed: int = 0
    refused: int = 0

    @property
    def is_too_fast(self) -> bool:
        """Whether its rate is to be halved."""
        return self.slowed > 0 and self.slowed >= self.answers * _SLOWED_SHARE

    @property
    def is_unwanted(self) -> bool:
        """Whether it is to be paused."""
        return self.refused >= _REFUSED_LEAST and self.refused >= self.answers * _REFUSED_SHARE


def reduced_rate(receiver: Receiver, *, now: datetime) -> float | None:
    """Return the mails a second that a group was brought down to and has grown to since; None: it is over."""
    if receiver.reduced is None or not receiver.full or receiver.halved_at is None:
        return None
    minutes = max(0.0, (now - receiver.halved_at) / timedelta(minutes=1))
    grown = receiver.reduced + receiver.full * _GROWTH * minutes
    return grown if grown < receiver.full else None


def rate_of(receiver: Receiver | None, cap: Rate | None, *, now: datetime) -> float | None:
    """Return how many mails a second a group takes now, None for any number."""
    reduced = reduced_rate(receiver, now=now) if receiver else None
    if cap is None:
        return reduced
    return cap.per_second if reduced is None else min(cap.per_second, reduced)


def halved(rate: float) -> float:
    """Return half of a rate, and never nothing."""
    return max(_SLOWEST, rate / 2)
