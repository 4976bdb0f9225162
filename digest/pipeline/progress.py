"""How an issue's sending gets on, for commands and pages: values only, the words are theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from digest.deliver.outages import outage_note
from digest.domain.bounces import Meaning
from digest.domain.causes import Cause
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Misconfigured
from digest.domain.issues import Issue, IssueState
from digest.pipeline.hours import hour_of, leaves_in_words
from digest.pipeline.telling import failure_causes
from digest.pipeline.throttle_report import Waits as Throttled
from digest.pipeline.throttle_report import holds_of_receiver, waits_of, warm_up_days
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.failures import FAILING, count_returned
from digest.store.holds import open_holds
from digest.store.issues import get_issue
from digest.store.progress import Counted, DomainCount, count_domains, count_progress

_RATE_AT_LEAST = timedelta(seconds=5)
"""Over less than this a rate says nothing: the first batch of a send comes all at once."""


class Waits(StrEnum):
    """Why nothing moves though something is left to send."""

    NOT_YET_SENT = "not_yet_sent"
    """It is a draft, or approved and not taken up yet."""
    ITS_HOUR = "its_hour"
    """It was approved before the hour of its schedule."""
    PAUSED = "paused"
    HELD = "held"
    """Everything is held."""
    SERVER_AWAY = "server_away"
    THROTTLED = "throttled"
    """Quiet hours, the warm-up, a cap, or receivers that are paused or slow let nothing go now."""
    LATER = "later"
    """All that is left was put off, or waits for its hour."""
    NOBODY_SENDS = "nobody_sends"
    """Mails are due, and none was taken or refused for a minute: no worker is there, or it makes no way."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How an issue's sending stands at `at`.

    `rate` is mails taken or refused in a second, over the last minute; None when none was. `ends_in` is how
    long what can be sent now takes at that rate and with the warm-up, None when nothing moves or nothing is
    due; deferred mails, those that wait for their hour, and the `held`, which found no turn under a cap or
    whose receivers are paused or slow, are not part of it. `came_back` and `complaints` are some of those
    accepted. `waits` says why nothing moves, and `because` in words who or what stopped it, '' for nothing
    to tell; `holds` are in words all that slows it down. `domains` are the worst first, `causes` the most
    frequent failures first, those that came back among them, both of the newest mails.
    """

    issue: Issue
    at: datetime
    total: int
    states: Mapping[DeliveryState, int]
    came_back: int
    complaints: int
    due: int
    deferred: int
    scheduled: int
    held: int
    next_at: datetime | None
    rate: float | None
    ends_in: timedelta | None
    waits: Waits | None
    because: str
    holds: tuple[str, ...]
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
        causes = failure_causes(session, issue.id)
        rate = _rate(counted, now)
        throttled = _throttled(runtime, session, issue, now=now)
        counted = _with_held(counted, throttled)
        days = warm_up_days(session, issue, runtime.throttle, now=now)
        waits, because = _waits(session, issue, counted, throttled, now=now)
        return Progress(
            issue=issue,
            at=now,
            total=sum(counted.states.values()),
            states=counted.states,
            came_back=count_returned(session, issue.id, FAILING),
            complaints=count_returned(session, issue.id, [Meaning.COMPLAINT]),
            due=counted.due,
            deferred=counted.deferred,
            scheduled=counted.scheduled,
            held=counted.throttled,
            next_at=counted.next_at,
            rate=rate,
            ends_in=_ends_in(counted, rate, days, now=now) if waits is None else None,
            waits=waits,
            because=because,
            holds=throttled.words,
            domains=count_domains(session, issue.id),
            causes=causes,
        )


def _throttled(runtime: Runtime, session: Session, issue: Issue, *, now: datetime) -> Throttled:
    if issue.state is not IssueState.SENDING:
        return Throttled()
    return waits_of(session, issue, runtime.throttle, now=now)


def _with_held(counted: Counted, throttled: Throttled) -> Counted:
    """Count what waits for receivers among what found no turn, whenever it is due."""
    later = max(0, throttled.put_off - counted.throttled)
    scheduled = min(counted.scheduled, later)
    deferred = min(counted.deferred, later - scheduled)
    due = min(counted.due, throttled.count - throttled.put_off)
    return replace(
        counted,
        due=counted.due - due,
        scheduled=counted.scheduled - scheduled,
        deferred=counted.deferred - deferred,
        throttled=counted.throttled + due + scheduled + deferred,
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
    session: Session, issue: Issue, counted: Counted, throttled: Throttled, *, now: datetime
) -> tuple[Waits | None, str]:
    if issue.state in (IssueState.SENT, IssueState.CANCELLED):
        return None, ""
    if held := open_holds(session):
        return Waits.HELD, "; ".join(one.in_words for one in held)
    if issue.state is IssueState.PAUSED:
        return Waits.PAUSED, issue.note
    if issue.state is IssueState.APPROVED and issue.awaits_hour:
        return Waits.ITS_HOUR, leaves_in_words(issue, hour_of(session, issue, now=now))
    if issue.state is not IssueState.SENDING:
        return Waits.NOT_YET_SENT, ""
    if away := outage_note(session, issue.id):
        return Waits.SERVER_AWAY, away
    if throttled.is_shut:
        return Waits.THROTTLED, throttled.words[0]
    if not counted.due + _in_hand(counted):
        if counted.deferred + counted.scheduled:
            return Waits.LATER, ""
        return (Waits.THROTTLED, "; ".join(throttled.words)) if counted.throttled else (None, "")
    return (None, "") if counted.lately else (Waits.NOBODY_SENDS, "")


def holds_of_issue(runtime: Runtime, issue_id: int) -> tuple[str, ...]:
    """Return in sentences what keeps mails of an issue that is being sent; () when nothing does."""
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        if issue.state is not IssueState.SENDING:
            return ()
        try:
            throttled = _throttled(runtime, session, issue, now=runtime.clock())
        except Misconfigured as exc:
            return _sentences([f"nothing can be sent: {exc}"])
        return _sentences([*_stopped(session, issue), *throttled.words])


def holds_of_reader(runtime: Runtime, issue_id: int, email: str) -> tuple[str, ...]:
    """Return the same of one reader's mail, which waits for their own receivers alone."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        issue = get_issue(session, issue_id)
        throttled = _throttled(runtime, session, issue, now=now)
        if issue.state is not IssueState.SENDING:
            return ()
        domain = email.rpartition("@")[2].lower()
        by_receiver = holds_of_receiver(session, domain, runtime.throttle, now=now)
        shut = throttled.words[:1] if throttled.is_shut else ()
        return _sentences([*_stopped(session, issue), *shut, by_receiver])


def _stopped(session: Session, issue: Issue) -> list[str]:
    held = [f"everything is {one.in_words}: 'digest resume' lets it go on" for one in open_holds(session)]
    return [*held, outage_note(session, issue.id)]


def _sentences(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{one[0].upper()}{one[1:].rstrip('.')}." for one in told if one)
