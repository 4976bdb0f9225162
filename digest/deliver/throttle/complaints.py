"""Receivers' answers, counted as they come; what they complain of is told to all workers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.deliver.throttle.caps import Throttle
from digest.deliver.throttle.groups import Groups, domain_of
from digest.deliver.throttle.slowing import (
    COUNTED_FOR,
    HALVE_AGAIN,
    Complaint,
    Tally,
    complaint_in,
    halved,
    reduced_rate,
)
from digest.domain.deliveries import Claim, Outcome
from digest.domain.rates import rate_in_words
from digest.store.claims import lease_owners
from digest.store.database import writing
from digest.store.receivers import ReceiverRow, as_receiver, lock_receiver, pause_receiver
from digest.store.throttles import Scope

log = structlog.get_logger(__name__)

_FRESH = timedelta(minutes=1)
"""Answers without a complaint are counted for so long: what was well an hour ago excuses nothing now."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One complaint: from which domain, and the server's words."""

    domain: str
    complaint: Complaint
    said: str


class Complaints:
    """One worker's ear. Where nobody complains it counts in memory and asks the database nothing."""

    def __init__(self, engine: Engine, throttle: Throttle, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._caps = throttle.of(Scope.GROUP)
        self._clock = clock
        self._groups = Groups()
        self._answers: Counter[str] = Counter()
        self._heard: list[_Heard] = []
        self._since = clock()
        self._is_telling = False

    def hear(self, claim: Claim, outcome: Outcome) -> bool:
        """Count an answer; return whether it is a complaint, to be told."""
        if outcome.code is None:
            return False
        domain, complaint = domain_of(claim.email), complaint_in(outcome)
        self._answers[domain] += 1
        if complaint is not None:
            self._heard.append(_Heard(domain, complaint, f"{outcome.code} {outcome.text}"))
        return complaint is not None

    def freshen(self) -> None:
        """Forget what was heard a while ago, where nobody complained."""
        now = self._clock()
        if not self._heard and now - self._since > _FRESH:
            self._answers.clear()
            self._since = now

    async def tell(self) -> bool:
        """Record what was complained of; return whether a group was slowed down or paused by that."""
        if self._is_telling:
            return False  # whoever is at it takes this along
        self._is_telling = True
        has_changed = False
        try:
            while self._heard:
                answers, heard, since = self._answers, self._heard, self._since
                self._answers, self._heard, self._since = Counter(), [], self._clock()
                has_changed |= await asyncio.to_thread(self._record, answers, heard, since)
        finally:
            self._is_telling = False
        return has_changed

    def _record(self, answers: Mapping[str, int], heard: Sequence[_Heard], since: datetime) -> bool:
        now = self._clock()
        seconds = max(1.0, (now - since).total_seconds())
        with writing(self._engine) as session:
            groups = self._groups.of(session, answers.keys())
            by_group = _by_group(groups, answers, heard)
            # In one order, as two workers may hear of the same groups at once.
            changed = [self._judge(session, g, *by_group[g], seconds, now=now) for g in sorted(by_group)]
        return any(changed)

    def _judge(
        self,
        session: Session,
        group: str,
        heard: Tally,
        said: Mapping[Complaint, str],
        seconds: float,
        *,
        now: datetime,
    ) -> bool:
        """Add what was heard to what is known of a group, and slow it down or pause it where that is due."""
        row = lock_receiver(session, group, now=now)
        tally = _counted(row, heard, now=now)
        if row.paused_at is not None:
            return False
        if tally.is_unwanted:
            _pause(row, tally, said.get(Complaint.UNWANTED, ""), now=now)
            return True
        if not tally.is_too_fast or (row.halved_at is not None and now - row.halved_at < HALVE_AGAIN):
            return False
        # Nobody counts what all workers send to a group that has no cap: they are about equally fast.
        workers = max(1, len(lease_owners(session)))
        self._halve(row, heard.answers / seconds * workers, said.get(Complaint.TOO_FAST, ""), now=now)
        return True

    def _halve(self, row: ReceiverRow, measured: float, said: str, *, now: datetime) -> None:
        rate = reduced_rate(as_receiver(row), now=now)
        if rate is None:
            cap = self._caps.get(row.group)
            row.full = rate = cap.per_second if cap else measured
        row.reduced, row.halved_at, row.halved_why = halved(rate), now, said[:500]
        row.since, row.answers, row.slowed, row.refused = now, 0, 0, 0
        log.warning("throttle.halved", group=row.group, rate=rate_in_words(row.reduced), reason=said)


def _by_group(
    groups: Mapping[str, str], answers: Mapping[str, int], heard: Sequence[_Heard]
) -> dict[str, tuple[Tally, dict[Complaint, str]]]:
    """Return for each group that complained its answers, and the last words of each kind."""
    complaining = {groups[one.domain] for one in heard}
    total, counts = Counter[str](), Counter[tuple[str, Complaint]]()
    said: dict[str, dict[Complaint, str]] = {group: {} for group in complaining}
    for domain, count in answers.items():
        total[groups[domain]] += count
    for one in heard:
        group = groups[one.domain]
        counts[group, one.complaint] += 1
        said[group][one.complaint] = one.said
    return {
        group: (
            Tally(total[group], counts[group, Complaint.TOO_FAST], counts[group, Complaint.UNWANTED]),
            said[group],
        )
        for group in complaining
    }


def _pause(row: ReceiverRow, tally: Tally, said: str, *, now: datetime) -> None:
    pause_receiver(row, said, now=now, is_told=False)
    log.error(
        "throttle.paused",
        group=row.group,
        reason=row.paused_why,
        refused=tally.refused,
        answers=tally.answers,
        advice=f"'digest throttle resume {row.group}' goes on",
    )


def _counted(row: ReceiverRow, heard: Tally, *, now: datetime) -> Tally:
    """Add answers to those that are counted of a group; old ones are forgotten."""
    if now - row.since > COUNTED_FOR:
        row.since, row.answers, row.slowed, row.refused = now, 0, 0, 0
    row.answers += heard.answers
    row.slowed += heard.slowed
    row.refused += heard.refused
    return Tally(row.answers, row.slowed, row.refused)
