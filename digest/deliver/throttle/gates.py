"""What keeps a whole issue from leaving for a while: quiet hours, a full day of the warm-up, a cap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy.orm import Session

from digest.deliver.throttle.caps import Throttle, WarmUp
from digest.deliver.throttle.slots import opens_at
from digest.domain.issues import IssueId, IssueState
from digest.domain.quiet import QuietHours
from digest.domain.times import zone
from digest.store.claims import claimable_issues
from digest.store.issues import get_issue, issues_in, quiet_hours_of
from digest.store.throttles import Capped, Scope, Slots, let_go_on, look_at_slots

PATIENCE = timedelta(seconds=60)
"""A worker waits this long for a slot; for a later one it is rung again."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing of an issue leaves before `until`, None where nobody can say; `why` is in words."""

    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """The quiet hours of a newsletter, in its own zone."""

    hours: QuietHours
    timezone: str

    def holds(self, now: datetime) -> bool:
        """Whether nothing is to be armed now."""
        return self.hours.holds(now, zone(self.timezone))

    def closed(self, now: datetime) -> Closed | None:
        """Return until when nothing leaves, None outside of the hours."""
        if not self.holds(now):
            return None
        until = self.hours.until(now, zone(self.timezone))
        return Closed(until, f"quiet hours are {self.hours} ({self.timezone})")


def find_closed(session: Session, issue_id: IssueId, throttle: Throttle, *, now: datetime) -> Closed | None:
    """Return what keeps an issue from leaving now, rates apart; None when nothing does."""
    quiet = find_quiet(session, issue_id)
    return (quiet and quiet.closed(now)) or find_full(session, issue_id, throttle.warm_up, now=now)


def is_closed(session: Session, issue_id: IssueId, throttle: Throttle, *, now: datetime) -> bool:
    """Whether nothing of an issue leaves for longer than a worker waits.

    An approved issue is only addressed, which it is at any hour: who would get it is then settled.
    """
    if get_issue(session, issue_id).state is IssueState.APPROVED:
        return False
    closed = find_closed(session, issue_id, throttle, now=now) or find_crowded(session, throttle, now=now)
    return closed is not None and (closed.until is None or closed.until > now + PATIENCE)


def find_quiet(session: Session, issue_id: IssueId) -> Quiet | None:
    """Return the quiet hours that an issue keeps, None without any."""
    hours, timezone = quiet_hours_of(session, issue_id)
    return Quiet(hours, timezone) if hours else None


def find_full(session: Session, issue_id: IssueId, warm_up: WarmUp | None, *, now: datetime) -> Closed | None:
    """Return why the warm-up lets nothing of an issue go: today is full, or an older issue goes first."""
    today = now.astimezone(UTC).date()
    cap = warm_up.cap_on(today) if warm_up else None
    if cap is None:
        return None
    if let_go_on(session, today) >= cap:
        tomorrow = datetime.combine(today + timedelta(days=1), time.min, tzinfo=UTC)
        return Closed(tomorrow, f"the {cap:,} mails that the warm-up allows on {today} (UTC) are used up")
    older = _find_older(session, issue_id, now=now)
    return Closed(None, f"the warm-up lets issue {older} go first") if older else None


def _find_older(session: Session, issue_id: IssueId, *, now: datetime) -> IssueId | None:
    """Return an older issue that has something to send and may."""
    issues = issues_in(session, IssueState.APPROVED, IssueState.SENDING)
    older = claimable_issues(session, [issue.id for issue in issues if issue.id < issue_id], now=now)
    quiet = {one: find_quiet(session, one) for one in older}
    return next((one for one, hours in quiet.items() if not (hours and hours.holds(now))), None)


def find_crowded(session: Session, throttle: Throttle, *, now: datetime) -> Closed | None:
    """Return which cap on everything, or on every relay, is used up; None when there is room."""
    everything, relays = Capped(Scope.ALL), [Capped(Scope.RELAY, name) for name in throttle.relays]
    capped = [everything] if everything in throttle.caps else []
    if relays and all(relay in throttle.caps for relay in relays):
        capped += relays
    if not capped:
        return None
    taken = look_at_slots(session)
    at = now.timestamp()
    opening = {
        one: opens_at(taken[one][0] if one in taken else Slots(), throttle.caps[one].per_second, 1, now=at)
        for one in capped
    }
    first_relay = min((opening[relay] for relay in relays if relay in opening), default=0.0)
    opens = max(opening.get(everything, 0.0), first_relay)
    if opens <= at:
        return None
    why = f"the cap on {' and '.join(map(str, capped))} is used up"
    return Closed(datetime.fromtimestamp(opens, UTC), why)
