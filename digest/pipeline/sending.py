"""Address an approved issue and send what is due of it, by hand or as a worker's task."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from digest.address.steps import Addressed, address_issue
from digest.deliver.relays import RelaysTransport
from digest.deliver.steps import Pace, finish_issue, send_issue, sweep
from digest.deliver.throttle.caps import UNTHROTTLED, Throttle
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Conflict, Refused, Unavailable
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.schedules import Stage
from digest.domain.times import by_the_clock, zone
from digest.pipeline.alive import note_alive
from digest.pipeline.control import finish_cancelled
from digest.pipeline.disks import telling_of_full_disks
from digest.pipeline.guard import Guard
from digest.pipeline.holding import is_held, refuse_when_held
from digest.pipeline.hours import let_go_by_hand
from digest.pipeline.ops import tell_ops
from digest.pipeline.personal_mail import mail_for
from digest.pipeline.restored import hold_if_restored, open_marks
from digest.pipeline.telling import tell_of_stops, tell_of_unknown
from digest.pipeline.throttle_report import waits_of
from digest.pipeline.throttling import tell_paused
from digest.pipeline.watch import Unwatched, Watch
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.deliveries import count_deliveries
from digest.store.issues import get_issue, issues_in
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import end_waiting
from digest.store.standing import AtOwnHour, Deferred, find_at_own_hour, find_deferred, find_refusal
from digest.telemetry.spans import span

log = structlog.get_logger(__name__)

TASK_SECONDS = 45.0
"""How long a worker sends before it hands the issue on: tasks stay well under a minute, so a deploy waits
for none and no broker thinks one lost."""


def send(
    runtime: Runtime,
    issue_id: IssueId,
    *,
    by: str = "command line",
    watch: Watch | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Addressed | None, Mapping[DeliveryState, int]]:
    """Address an approved issue, then send what is due of it, unless everything is held.

    By hand, so one that waits for the hour of its schedule goes at once. Returns what addressing came to,
    None when that was done before, and how many deliveries are in each state. Raises `Conflict` for an issue
    that is not approved, is paused or is over, and `Unavailable` when the mail server stays away: what was
    not sent is still pending.
    """
    runtime.require_mail()
    with _about_to_send(runtime, issue_id):
        let_go_by_hand(runtime, issue_id, by=by)
        return _send(runtime, issue_id, watch or Unwatched(), should_stop)


@contextmanager
def _about_to_send(runtime: Runtime, issue_id: IssueId) -> Iterator[None]:
    """Have every line that is logged name the issue, and what keeps everything from being sent be told."""
    with structlog.contextvars.bound_contextvars(issue=issue_id), telling_of_full_disks(runtime):
        hold_if_restored(runtime)
        tell_of_stops(runtime)
        refuse_when_held(runtime)
        yield


def _send(
    runtime: Runtime, issue_id: IssueId, watch: Watch, should_stop: Callable[[], bool]
) -> tuple[Addressed | None, Mapping[DeliveryState, int]]:
    engine = runtime.engine
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
    addressed = None
    # What a killed `digest send` held is taken back now: nobody else may be there to do it.
    sweep(engine, now=runtime.clock())
    if issue.state is not IssueState.SENDING:
        addressed = _address(runtime, issue)
    with reading(engine) as session:
        watch.begin(Stage.SEND, count_deliveries(session, issue_id)[DeliveryState.PENDING])
    guard = Guard(runtime, issue_id)
    settled: Counter[DeliveryState] = Counter()

    def note(outcome: Outcome) -> None:
        settled[outcome.state] += 1
        guard.note(outcome)
        watch.step(outcome)

    try:
        with _told(issue_id, settled), guard, open_marks(runtime, issue_id) as marks:
            asyncio.run(
                send_issue(
                    engine,
                    issue_id,
                    transport=runtime.transport,
                    mail_for=mail_for(runtime, issue_id),
                    owner=runtime.owner,
                    clock=runtime.clock,
                    pace=Pace(sessions=runtime.settings.mail_sessions),
                    throttle=runtime.throttle,
                    should_stop=lambda: guard.stops or should_stop(),
                    on_settled=note,
                    on_armed=marks.write,
                    # The database may become another in the middle: a replica that takes over.
                    before_claim=lambda: hold_if_restored(runtime),
                )
            )
    except (Refused, Unavailable) as exc:
        rest = f"Nothing is lost, what was not sent still waits: 'digest send {issue_id}' goes on"
        raise type(exc)(f"{str(exc).rstrip('.')}. {rest}.") from exc
    finally:
        _tell_of_relays(runtime)
    tell_paused(runtime)
    if finish_issue(engine, issue_id, now=runtime.clock()):
        tell_of_unknown(runtime, [issue_id])
    tell_of_stops(runtime)
    with reading(engine) as session:
        return addressed, count_deliveries(session, issue_id)


@contextmanager
def _told(issue_id: IssueId, settled: Mapping[DeliveryState, int]) -> Iterator[None]:
    """Tell how long these messages take together, and what became of them."""
    with span("send", issue=issue_id) as work:
        try:
            yield
        finally:
            work.note(
                accepted=settled[DeliveryState.ACCEPTED],
                failed=settled[DeliveryState.FAILED],
                put_off=settled[DeliveryState.PENDING],
                unknown=settled[DeliveryState.UNKNOWN],
            )


def _tell_of_relays(runtime: Runtime) -> None:
    """Tell ops of each relay that has been away for a while, by way of the others."""
    if isinstance(runtime.transport, RelaysTransport):
        for absence in runtime.transport.absences():
            subject = f"mail server {absence.name} is away"
            tell_ops(runtime, subject, absence.in_words, to_do=absence.advice, commands=["digest doctor"])


def _address(runtime: Runtime, issue: Issue) -> Addressed | None:
    """Address an approved issue; None when somebody else just did. Raises `Conflict` for any other."""
    try:
        addressed = address_issue(runtime.engine, issue.id, now=runtime.clock())
    except Conflict:
        with reading(runtime.engine) as session:
            state = get_issue(session, issue.id).state
        if issue.state is IssueState.APPROVED and state in (IssueState.SENDING, IssueState.SENT):
            return None
        raise
    if not addressed.deliveries:
        tell_ops(
            runtime,
            f"issue {issue.id} reached nobody",
            _nobody(issue.id, addressed),
            to_do="See why a reader was skipped:",
            commands=[f"digest why EMAIL {issue.id}"],
        )
    return addressed


def _nobody(issue_id: int, addressed: Addressed) -> str:
    skipped = ", ".join(f"{count} {reason.in_words}" for reason, count in addressed.skipped.items())
    return (
        f"Issue {issue_id} was approved, but there was nobody to send it to: "
        f"{skipped or 'the newsletter has no active subscriber'}. It counts as sent."
    )


def sending_note(session: Session, issue: Issue, *, now: datetime, throttle: Throttle = UNTHROTTLED) -> str:
    """Return in words how a send stands, what it waits for, and what to do about what is open."""
    counts = count_deliveries(session, issue.id)
    told = [f"issue {issue.id} is {issue.state}: {counts[DeliveryState.ACCEPTED]} accepted"]
    if counts[DeliveryState.FAILED]:
        said = find_refusal(session, issue.id)
        of_which = "" if counts[DeliveryState.FAILED] == 1 else "one of them: "
        why = f" ({of_which}{said.rstrip('.')})" if said else ""
        told.append(f"{counts[DeliveryState.FAILED]} refused for good{why}")
    if counts[DeliveryState.CANCELLED]:
        told.append(f"{counts[DeliveryState.CANCELLED]} cancelled")
    waiting = counts[DeliveryState.PENDING] + counts[DeliveryState.CLAIMED] + counts[DeliveryState.SENDING]
    if waiting and issue.state is IssueState.PAUSED:
        told.append(f"{waiting} wait ('digest issue resume {issue.id}' goes on)")
    if waiting and issue.state is IssueState.SENDING:
        deferred = find_deferred(session, issue.id, now=now)
        at_hour = find_at_own_hour(session, issue.id, now=now)
        waits = waits_of(session, issue, throttle, now=now)
        told += waits.words
        later = (deferred.count if deferred else 0) + (at_hour.count if at_hour else 0)
        due = waiting - later - (waits.count - waits.put_off)
        if due:
            told.append(f"{due} to come ('digest up' goes on by itself, or 'digest send {issue.id}' again)")
        timezone = newsletter_by_id(session, issue.newsletter_id).timezone
        put_off = waits.put_off
        if at_hour:
            at_hour, put_off = _without(at_hour, put_off)
        if deferred:
            deferred, _ = _without(deferred, put_off)
        if deferred:
            told.append(_deferred_words(deferred, issue.id, timezone, now))
        if at_hour:
            told.append(_own_hour_words(at_hour, issue.id, timezone))
    if counts[DeliveryState.UNKNOWN]:
        told.append(
            f"{counts[DeliveryState.UNKNOWN]} unknown: the server never answered. They are not sent again "
            f"unasked; 'digest issue unknown {issue.id}' lists them, and 'digest issue reconcile {issue.id} "
            "--log FILE' settles them"
        )
    return ", ".join(told)


_Later = TypeVar("_Later", Deferred, AtOwnHour)


def _without(waiting: _Later, put_off: int) -> tuple[_Later | None, int]:
    """Take out of `waiting` what other words have told; return also how many of these are left."""
    rest = waiting.count - put_off
    return (replace(waiting, count=rest), 0) if rest > 0 else (None, -rest)


def _deferred_words(deferred: Deferred, issue_id: IssueId, timezone: str, now: datetime) -> str:
    """Say when deferred mails are tried again, as the newsletter's clock shows it, and what tries them."""
    tz = zone(timezone)
    # Up to the next whole minute: a try within the minute shown must not come too early.
    then = (deferred.next_try + timedelta(minutes=1, microseconds=-1)).astimezone(tz)
    day = "" if then.date() == now.astimezone(tz).date() else f"{then:%Y-%m-%d} at "
    of_which = "" if deferred.count == 1 else "for one of them: "
    why = f" ({of_which}{deferred.said.rstrip('.')})" if deferred.said else ""
    return (
        f"{deferred.count} deferred{why}; next try at {day}{then:%H:%M} ({timezone}): a running 'digest up' "
        f"or worker makes it by itself, without one 'digest send {issue_id}' does from then on"
    )


def _own_hour_words(at_hour: AtOwnHour, issue_id: IssueId, timezone: str) -> str:
    """Say when mails leave that wait for their readers' own hour, as the newsletter's clock shows it."""
    tz = zone(timezone)
    first, last = by_the_clock(at_hour.first, tz), by_the_clock(at_hour.last, tz)
    when = f"at {first}" if at_hour.first == at_hour.last else f"the first at {first}, the last at {last}"
    return (
        f"{at_hour.count} to come at their own hour, {when}: a running 'digest up' or worker sends them by "
        f"itself, without one 'digest send {issue_id}' does from then on"
    )


def open_issues(runtime: Runtime) -> tuple[IssueId, ...]:
    """Sweep, and return the issues that workers should send: approved ones and those under way.

    Not those that wait for the hour of their schedule.
    None while everything is held, as it is when the database turns out to be an older copy.
    """
    note_alive(runtime)
    with telling_of_full_disks(runtime):
        hold_if_restored(runtime)
        swept = sweep(runtime.engine, now=runtime.clock())
        finish_cancelled(runtime)
        with writing(runtime.engine) as session:
            end_waiting(session)
        tell_of_stops(runtime)
        tell_of_unknown(runtime, swept.finished)
    tell_paused(runtime)
    if is_held(runtime):
        return ()
    with reading(runtime.engine) as session:
        found = issues_in(session, IssueState.APPROVED, IssueState.SENDING)
        return tuple(issue.id for issue in found if not issue.awaits_hour)


def send_for_a_while(
    runtime: Runtime, issue_id: IssueId, *, should_stop: Callable[[], bool] = lambda: False
) -> Mapping[DeliveryState, int]:
    """Send an issue for one task's time. An issue that another worker moved on meanwhile is let be.

    So is one that waits for its hour, which a hint that comes late may still be about.
    """
    deadline = time.monotonic() + TASK_SECONDS
    runtime.require_mail()
    # A process that sends from minute to minute never comes to sweep.
    note_alive(runtime)
    try:
        with _about_to_send(runtime, issue_id):
            _, counts = _send(
                runtime,
                issue_id,
                Unwatched(),
                should_stop=lambda: should_stop() or time.monotonic() > deadline,
            )
    except Conflict as exc:
        log.info("send.passed", issue=issue_id, reason=str(exc))
        return {}
    return counts
