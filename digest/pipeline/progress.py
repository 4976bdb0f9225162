"""How an issue's sending gets on, for commands and pages: values only, the words are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from digest.deliver.outages import outage_note
from digest.deliver.throttle.caps import Throttle
from digest.deliver.throttle.gates import find_closed
from digest.domain.causes import Cause, causes_of
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueState
from digest.pipeline.throttle_report import waits_of, warm_up_days
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.failures import failures_of
from digest.store.holds import open_holds
from digest.store.issues import get_issue
from digest.store.progress import SAMPLE, Counted, DomainCount, count_domains, count_progress

_RATE_AT_LEAST = timedelta(seconds=5)
"""Over less than this a rate says nothing: the first batch of a send comes all at once."""


class Waits(StrEnum):
    """Why nothing moves though something is left to send."""

    NOT_YET_SENT = "not_yet_sent"
    """It is a draft, or approved and not taken up yet."""
    PAUSED = "paused"
    HELD = "held"
    """Everything is held."""
    SERVER_AWAY = "server_away"
    THROTTLED = "throttled"
    """Quiet hours, the warm-up, caps or a paused receiver keep back all that is left."""
    LATER = "later"
    """All that is left was put off, or waits for its hour."""
    NOBODY_SENDS = "nobody_sends"
    """Mails are due, and none was taken or refused for a minute: no worker is there, or it makes no way."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How an issue's sending stands at `at`.

    `rate` is mails taken or refused in a second, over the last minute; None when none was. `ends_in` is how
    long what can be sent now takes at that rate and with the warm-up, None when nothing moves or nothing is
    due; mails that were deferred, found no turn or wait for their hour are not part of it. `waits` says why
    nothing moves, and `because` in words who or what stopped it, '' for nothing to tell. `domains` are the
    worst first, `causes` the most frequent failures first, both of the newest mails.
    """

    issue: Issue
    at: datetime
    total: int
    states: Mapping[DeliveryState, int]
    due: int
    deferred: int
    throttled: int
    scheduled: int
    next_at: datetime | None
    rate: float | None
    ends_in: timedelta | None
    waits: Waits | None
    because: str
    domains: tuple[DomainCount, ...]
    causes: tuple[Cause, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.issue.state in (IssueState.SENT, IssueState.CANCELLED)


def progress_of(runtime: Runtime, issue_id: int) -> Progress:
    """Return how an issue's sending stands now. Raises `NotFound`."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        counted = count_progress(session, issue.id, now=now)
        failed = failures_of(session, issue.id, most=SAMPLE)
        rate = _rate(counted, now)
        waits, because = _waits(session, issue, counted, runtime.throttle, now=now)
        days = warm_up_days(session, issue, runtime.throttle, now=now) if waits is None else 0
        return Progress(
            issue=issue,
            at=now,
            total=sum(counted.states.values()),
            states=counted.states,
            due=counted.due,
            deferred=counted.deferred,
            throttled=counted.throttled,
            scheduled=counted.scheduled,
            next_at=counted.next_at,
            rate=rate,
            ends_in=_ends_in(counted, rate, days, now=now) if waits is None else None,
            waits=waits,
            because=because,
            domains=count_domains(session, issue.id),
            causes=causes_of((code, text) for _, code, text in failed),
        )


def _rate(counted: Counted, now: datetime) -> float | None:
    """Return mails a second over the last minute, or over as much of it as the send has lasted."""
    if not counted.lately or counted.lately_from is None:
        return None
    lasted = max(_RATE_AT_LEAST, now - counted.lately_from)
    return counted.lately / lasted.total_seconds()


def _in_hand(counted: Counted) -> int:
    return counted.states[DeliveryState.CLAIMED] + counted.states[DeliveryState.SENDING]


def _ends_in(counted: Counted, rate: float | None, days: int, *, now: datetime) -> timedelta | None:
    """Return how long what can go now takes; days of the warm-up end at midnight (UTC), but for the last."""
    left = counted.due + _in_hand(counted)
    if not left or not rate:
        return None
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last_day_in = midnight + timedelta(days=days - 1) - now if days > 1 else timedelta(0)
    return max(last_day_in, timedelta(seconds=left / rate))


def _waits(
    session: Session, issue: Issue, counted: Counted, throttle: Throttle, *, now: datetime
) -> tuple[Waits | None, str]:
    if issue.state in (IssueState.SENT, IssueState.CANCELLED):
        return None, ""
    if held := open_holds(session):
        return Waits.HELD, "; ".join(one.in_words for one in held)
    if issue.state is IssueState.PAUSED:
        return Waits.PAUSED, issue.note
    if issue.state is not IssueState.SENDING:
        return Waits.NOT_YET_SENT, ""
    if away := outage_note(session, issue.id):
        return Waits.SERVER_AWAY, away
    can_go = counted.due + _in_hand(counted)
    if counted.throttled if not can_go else find_closed(session, issue.id, throttle, now=now):
        return Waits.THROTTLED, "; ".join(waits_of(session, issue, throttle, now=now).words)
    if not can_go:
        return (Waits.LATER, "") if counted.deferred + counted.scheduled else (None, "")
    return (None, "") if counted.lately else (Waits.NOBODY_SENDS, "")
