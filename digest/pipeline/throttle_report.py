"""How sending is slowed down, for whoever asks: caps and their use, receivers, warm-up, quiet hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from digest.deliver.throttle.caps import Throttle, WarmUp
from digest.deliver.throttle.gates import PATIENCE, Closed, find_closed, find_crowded
from digest.deliver.throttle.groups import Groups
from digest.deliver.throttle.slowing import rate_of, reduced_rate
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.rates import rate_in_words
from digest.domain.times import zone
from digest.store.audiences import count_active
from digest.store.deliveries import count_deliveries
from digest.store.issues import issues_in
from digest.store.mail_domains import waiting_by_domain
from digest.store.newsletters import list_newsletters, newsletter_by_id
from digest.store.receivers import Receiver, limited_receivers
from digest.store.throttles import Scope, Slots, Use, let_go_on, look_at_slots

_BUSIEST = 10
"""Groups that are shown though nothing limits them: those that most mails wait for."""


@dataclass(frozen=True, slots=True)
class CapStanding:
    """A cap, and how many mails left under it in the last minute."""

    whom: str
    cap: str
    last_minute: int


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """How a group of receivers stands. `rate` is in mails a second, None for any number.

    `waiting` are the pending mails to it, of which `put_off` are not due yet.
    """

    group: str
    cap: str | None
    rate: float | None
    waiting: int
    put_off: int
    halved_at: datetime | None = None
    halved_why: str = ""
    paused_at: datetime | None = None
    paused_why: str = ""

    @property
    def is_limited(self) -> bool:
        """Whether it takes less than we could send."""
        return self.rate is not None or self.paused_at is not None


@dataclass(frozen=True, slots=True)
class DaysNeeded:
    """On how many days of the warm-up, today included, an issue leaves, after those that are older."""

    issue: IssueId
    state: IssueState
    mails: int
    days: int


@dataclass(frozen=True, slots=True)
class WarmUpStanding:
    """Today in the warm-up: its cap (None: it is over), and how many mails have left."""

    start: date
    day: date
    cap: int | None
    gone: int
    issues: tuple[DaysNeeded, ...]


@dataclass(frozen=True, slots=True)
class QuietStanding:
    """A newsletter's quiet hours, and until when they last if they do."""

    newsletter: str
    hours: str
    timezone: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ThrottleReport:
    """All that slows sending down now."""

    caps: tuple[CapStanding, ...]
    groups: tuple[GroupStanding, ...]
    warm_up: WarmUpStanding | None
    quiet_hours: tuple[QuietStanding, ...]


def report_throttle(session: Session, throttle: Throttle, *, now: datetime) -> ThrottleReport:
    """Return how everything stands. It reads every pending delivery: half a second for a million."""
    uses = look_at_slots(session)
    return ThrottleReport(
        tuple(
            CapStanding(str(capped), str(rate), uses.get(capped, (Slots(), Use()))[1].in_last_minute(now=now))
            for capped, rate in sorted(throttle.caps.items(), key=lambda item: item[0])
        ),
        _groups(session, throttle, now=now),
        _warm_up(session, throttle.warm_up, now=now) if throttle.warm_up else None,
        tuple(_quiet(session, now=now)),
    )


def _groups(session: Session, throttle: Throttle, *, now: datetime) -> tuple[GroupStanding, ...]:
    waiting = _by_group(session, waiting_by_domain(session, now=now))
    standings = _limited(session, throttle, waiting, now=now)
    shown = {one.group for one in standings}
    busiest = [group for group, _ in waiting.total.most_common() if group not in shown][:_BUSIEST]
    free = [GroupStanding(group, None, None, waiting.total[group], waiting.later[group]) for group in busiest]
    return (*standings, *free)


@dataclass(frozen=True, slots=True)
class _Waiting:
    total: Counter[str]
    later: Counter[str]


def _by_group(session: Session, by_domain: Mapping[str, tuple[int, int]]) -> _Waiting:
    groups = Groups().of(session, by_domain.keys())
    total, later = Counter[str](), Counter[str]()
    for domain, (count, put_off) in by_domain.items():
        total[groups[domain]] += count
        later[groups[domain]] += put_off
    return _Waiting(total, later)


def _limited(
    session: Session, throttle: Throttle, waiting: _Waiting, *, now: datetime
) -> tuple[GroupStanding, ...]:
    """Return the groups that have a cap, are paused or were slowed down, by name."""
    caps = throttle.of(Scope.GROUP)
    receivers = {one.group: one for one in limited_receivers(session)}
    found = []
    for group in sorted(caps.keys() | receivers.keys()):
        cap, receiver = caps.get(group), receivers.get(group, Receiver(group))
        is_slow = reduced_rate(receiver, now=now) is not None
        if cap is None and not is_slow and receiver.paused_at is None:
            continue
        found.append(
            GroupStanding(
                group,
                str(cap) if cap else None,
                rate_of(receiver, cap, now=now),
                waiting.total[group],
                waiting.later[group],
                receiver.halved_at if is_slow else None,
                receiver.halved_why if is_slow else "",
                receiver.paused_at,
                receiver.paused_why,
            )
        )
    return tuple(found)


def waiting_for(session: Session, groups: Collection[str], *, now: datetime) -> Mapping[str, int]:
    """Return how many mails wait for each of these groups."""
    found = _by_group(session, waiting_by_domain(session, now=now)).total
    return {group: found[group] for group in groups}


def _warm_up(session: Session, warm_up: WarmUp, *, now: datetime) -> WarmUpStanding:
    today = now.astimezone(UTC).date()
    gone = let_go_on(session, today)
    issues = []
    ahead = 0
    for issue in sorted(
        issues_in(session, IssueState.DRAFT, IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED),
        key=lambda issue: issue.id,
    ):
        mails = mails_left(session, issue)
        days = warm_up.days_for(ahead + mails, today=today, gone=gone) if mails else 0
        issues.append(DaysNeeded(issue.id, issue.state, mails, days))
        ahead += mails if issue.state in (IssueState.APPROVED, IssueState.SENDING) else 0
    return WarmUpStanding(warm_up.start, today, warm_up.cap_on(today), gone, tuple(issues))


def mails_left(session: Session, issue: Issue) -> int:
    """Return how many mails of an issue are still to leave: before it is addressed, one for each reader."""
    if issue.state in (IssueState.DRAFT, IssueState.APPROVED):
        return count_active(session, issue.newsletter_id)
    return count_deliveries(session, issue.id)[DeliveryState.PENDING]


def _quiet(session: Session, *, now: datetime) -> list[QuietStanding]:
    found = []
    for newsletter in list_newsletters(session):
        hours, tz = newsletter.quiet_hours, zone(newsletter.timezone)
        if hours:
            until = hours.until(now, tz) if hours.holds(now, tz) else None
            found.append(QuietStanding(newsletter.slug, str(hours), newsletter.timezone, until))
    return found


@dataclass(frozen=True, slots=True)
class Waits:
    """What the mails of one issue wait for, in words; how many of them, and how many of these are not due.

    `is_shut` while nothing of the issue leaves, as in quiet hours.
    """

    words: tuple[str, ...] = ()
    count: int = 0
    put_off: int = 0
    is_shut: bool = False


def waits_of(session: Session, issue: Issue, throttle: Throttle, *, now: datetime) -> Waits:
    """Return what holds back the mails of an issue that is being sent, the slowest receivers apart."""
    shut = _find_shut(session, issue, throttle, now=now)
    words = [_shut_words(session, issue, shut)] if shut else []
    words += _warm_up_words(session, issue, throttle, now=now)
    if not (throttle.of(Scope.GROUP) or limited_receivers(session)):
        return Waits(tuple(words), is_shut=shut is not None)
    waiting = _by_group(session, waiting_by_domain(session, issue.id, now=now))
    held = [one for one in _limited(session, throttle, waiting, now=now) if _held(one)]
    words += [_group_words(one) for one in held]
    return Waits(
        tuple(words), sum(map(_held, held)), sum(one.put_off for one in held), is_shut=shut is not None
    )


def holds_of_receiver(session: Session, domain: str, throttle: Throttle, *, now: datetime) -> str:
    """Return in words what keeps mail to a domain from leaving as it would, '' for nothing."""
    group = Groups().of(session, [domain])[domain]
    limited = _limited(session, throttle, _Waiting(Counter(), Counter()), now=now)
    one = next((one for one in limited if one.group == group), None)
    if one is None:
        return ""
    if one.paused_at:
        return f"Mail to {group} is {_paused_words(one)}"
    return f"Mail to {group} leaves at {_slowed_words(one)}"


def _held(one: GroupStanding) -> int:
    return one.waiting if one.paused_at else one.put_off


def _group_words(one: GroupStanding) -> str:
    if one.paused_at:
        return f"{one.waiting:,} wait for {one.group}: {_paused_words(one)}"
    return f"{one.put_off:,} wait for {one.group}, which gets {_slowed_words(one)}"


def _paused_words(one: GroupStanding) -> str:
    why = f" because '{one.paused_why.rstrip('.')}'" if one.paused_why else ""
    return (
        f"paused since {one.paused_at:%Y-%m-%d %H:%M} UTC{why} ('digest throttle resume {one.group}' goes on)"
    )


def _slowed_words(one: GroupStanding) -> str:
    said = f" since it said '{one.halved_why.rstrip('.')}'" if one.halved_at else ""
    return f"{rate_in_words(one.rate or 0)}{said}"


def _find_shut(session: Session, issue: Issue, throttle: Throttle, *, now: datetime) -> Closed | None:
    """Return what lets nothing of an issue leave, for longer than a worker waits for its turn."""
    if closed := find_closed(session, issue.id, throttle, now=now):
        return closed
    crowded = find_crowded(session, throttle, now=now)
    return crowded if crowded and crowded.until and crowded.until > now + PATIENCE else None


def _shut_words(session: Session, issue: Issue, shut: Closed) -> str:
    tz = newsletter_by_id(session, issue.newsletter_id).timezone
    until = f" until {shut.until.astimezone(zone(tz)):%Y-%m-%d %H:%M} ({tz})" if shut.until else ""
    return f"nothing of it leaves{until}: {shut.why}"


def _warm_up_words(session: Session, issue: Issue, throttle: Throttle, *, now: datetime) -> list[str]:
    days = warm_up_days(session, issue, throttle, now=now)
    return [f"with the warm-up it takes {days} days, today included"] if days > 1 else []


def warm_up_days(session: Session, issue: Issue, throttle: Throttle, *, now: datetime) -> int:
    """Return on how many days of the warm-up, today included, an issue leaves; 0 without one."""
    warm_up, today = throttle.warm_up, now.astimezone(UTC).date()
    if warm_up is None or warm_up.cap_on(today) is None:
        return 0
    return next((one.days for one in _warm_up(session, warm_up, now=now).issues if one.issue == issue.id), 0)
