"""Send an issue: claim what is due, hand it over, record what became of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from digest.deliver.hand import USUAL_PACE, Hand, Pace
from digest.deliver.ledger import Clock, Ledger, OnArmed
from digest.deliver.outages import leave_outage, meet_outage
from digest.deliver.owners import dead_among
from digest.deliver.throttle.caps import UNTHROTTLED, Throttle
from digest.deliver.throttle.complaints import Complaints
from digest.deliver.throttle.gates import is_closed
from digest.deliver.throttle.relays import RelayTurns, Sleep
from digest.deliver.transport import Envelope, MailSession, NotArmed, Transport
from digest.domain.deliveries import RETRY_AT_LEAST, RETRY_FOR, Claim, DeliveryState, Outcome, back_off
from digest.domain.errors import Conflict, DigestError, DiskFull, Refused, Unavailable
from digest.domain.issues import IssueId, IssueState
from digest.store.claims import claimable_issues, lease_owners, reap_leases
from digest.store.database import reading, writing
from digest.store.deliveries import is_unfinished, sent_but_pending
from digest.store.holds import open_holds
from digest.store.issues import change_issue, get_issue, issues_in, lock_issue

log = structlog.get_logger(__name__)

MailFor = Callable[[Claim], tuple[Envelope, bytes]]
"""Write one reader's mail. Raises `Refused` when there is no way to address them."""

__all__ = ["MailFor", "Pace", "Swept", "due_issues", "finish_issue", "send_issue", "sweep"]

_ANSWERS_COME_WITHIN = timedelta(days=7)
"""So long after its issue was closed a worker that stood still may hear what became of a mail."""

_RECONNECTS = 5
"""Connections a conversation tries to open in a row before the server counts as away."""

_PAUSE_SECONDS = 0.2
"""Half to all of this, doubled with every failure in a row, lies between them."""


async def send_issue(
    engine: Engine,
    issue_id: IssueId,
    *,
    transport: Transport,
    mail_for: MailFor,
    owner: str,
    clock: Clock,
    pace: Pace = USUAL_PACE,
    throttle: Throttle = UNTHROTTLED,
    should_stop: Callable[[], bool] = lambda: False,
    on_settled: Callable[[Outcome], None] = lambda _: None,
    sleep: Sleep = asyncio.sleep,
    on_armed: OnArmed = lambda *_: None,
    before_claim: Callable[[], None] = lambda: None,
) -> None:
    """Send what is due of an issue and may leave, until nothing is or `should_stop` says so.

    Stopping finishes the messages under way and gives back the rest. Raises `Unavailable` when the mail
    server or the database stays away, `Refused` when the server will not have us; what was not sent is
    pending again. `sleep` waits for turns, on the same time as `clock`.
    """
    async with Ledger(
        engine, owner=owner, clock=clock, conversations=pace.sessions, on_armed=on_armed
    ) as ledger:
        hand = Hand(
            engine,
            issue_id,
            ledger,
            owner=owner,
            clock=clock,
            pace=pace,
            throttle=throttle,
            sleep=sleep,
            before_claim=before_claim,
        )
        relays = RelayTurns(engine, throttle, clock=clock, sleep=sleep)
        complaints = Complaints(engine, throttle, clock=clock)
        round_ = _Round(
            engine, issue_id, ledger, hand, relays, complaints, mail_for, clock, should_stop, on_settled
        )
        try:
            async with asyncio.TaskGroup() as conversations:
                for _ in range(pace.sessions):
                    conversations.create_task(round_.converse(transport))
        finally:
            trouble = round_.close()
    hand.refund()
    if round_.away is not None:
        meet_outage(engine, issue_id, str(round_.away), now=clock())
    if trouble is not None:
        raise trouble


class _Round:
    """One call of `send_issue`: what its conversations share."""

    def __init__(
        self,
        engine: Engine,
        issue_id: IssueId,
        ledger: Ledger,
        hand: Hand,
        relays: RelayTurns,
        complaints: Complaints,
        mail_for: MailFor,
        clock: Clock,
        should_stop: Callable[[], bool],
        on_settled: Callable[[Outcome], None],
    ) -> None:
        self._engine = engine
        self._issue_id = issue_id
        self._ledger = ledger
        self._hand = hand
        self._relays = relays
        self._complaints = complaints
        self._mail_for = mail_for
        self._clock = clock
        self._should_stop = should_stop
        self._on_settled = on_settled
        self._is_stopped = False
        self._trouble: Unavailable | Refused | None = None
        self._has_talked = False
        self.away: Unavailable | Refused | None = None
        """Why no conversation could be opened, as long as none was."""
        self._failure: DigestError | None = None

    async def converse(self, transport: Transport) -> None:
        """Hold one conversation after another while there is something to send.

        A conversation that cannot be opened leaves its claim to the others: the server may allow fewer.
        """
        failures = 0
        while failures < _RECONNECTS and (claim := await self._next()) is not None:
            is_open = False
            try:
                async with transport.session() as session:
                    is_open, failures = True, 0
                    await self._talk()
                    if not await self._send_from(session, claim):
                        return
            except (Unavailable, Refused) as exc:
                self._trouble = exc
                if not is_open:
                    self._hand.put_back(claim)
                    self.away = None if self._has_talked else exc
                failures = _RECONNECTS if isinstance(exc, Refused) else failures + 1
                if failures < _RECONNECTS and not self._stops():
                    await asyncio.sleep(random.uniform(0.5, 1.0) * _PAUSE_SECONDS * 2**failures)

    async def _talk(self) -> None:
        """Take note, once a round, that the server answers."""
        if self._has_talked:
            return
        self._has_talked, self.away = True, None
        try:
            await asyncio.to_thread(leave_outage, self._engine, self._issue_id, now=self._clock())
        except DigestError as exc:
            self._fail(exc)

    async def _send_from(self, session: MailSession, claim: Claim | None) -> bool:
        """Send this claim and those after it, as long as the conversation lasts.

        Returns False when the relay takes no more for now: another conversation with it would not either.
        """
        while claim is not None:
            was_open = session.is_open
            if not await self._relays.wait(session, self._stops):
                self._hand.put_back(claim)
                return False
            if was_open and not session.is_open:
                # It has stood idle for too long: a server may have ended it, and that is no reader's fault.
                self._relays.give_back(session)
                self._hand.put_back(claim)
                return True
            # Every line that is logged on its way names the delivery: each conversation has names of its own.
            with structlog.contextvars.bound_contextvars(delivery=claim.id):
                await self._send(session, claim)
            claim = await self._next() if session.is_open else None
        return True

    async def _send(self, session: MailSession, claim: Claim) -> None:
        try:
            envelope, message = self._mail_for(claim)
            outcome = await session.send(envelope, message, lambda: self._arm(claim))
        except NotArmed:
            self._ledger.give_back(claim)
            await self._look_at_issue()
            return
        except Refused as exc:
            outcome = Outcome(DeliveryState.FAILED, None, str(exc))
        except DiskFull as exc:
            # There will be no room for the next one either.
            self._ledger.give_back(claim)
            self._fail(exc)
            return
        except Unavailable as exc:
            outcome = Outcome(DeliveryState.PENDING, None, str(exc), exc.retry_after)
        if outcome.retry_in == timedelta(0):
            # Not armed, and nobody's fault: it is the next conversation's, and counts as no attempt.
            self._hand.put_back(claim)
            return
        said, outcome = outcome, _with_retry(claim, outcome, now=self._clock())
        self._ledger.settle(claim, outcome)
        self._on_settled(outcome)
        if outcome.state is not DeliveryState.ACCEPTED:
            # Not what the server said: most name the reader's address. It is with the delivery.
            log.info(
                "delivery.not_accepted", state=outcome.state, code=outcome.code, attempt=claim.attempts + 1
            )
        if self._complaints.hear(claim, said):
            await self._heed()

    async def _arm(self, claim: Claim) -> bool:
        return not self._hand.is_quiet() and await self._ledger.arm(claim)

    async def _heed(self) -> None:
        """Tell all workers what a receiver complained of, and keep to what that comes to."""
        try:
            if await self._complaints.tell():
                await self._hand.reconsider()
        except DigestError as exc:
            self._fail(exc)

    async def _next(self) -> Claim | None:
        """Return the next claim, or None when nothing is due or the round is to stop."""
        self._complaints.freshen()
        try:
            return await self._hand.next(self._stops)
        except DigestError as exc:
            self._fail(exc)
            return None

    def _stops(self) -> bool:
        self._is_stopped = self._is_stopped or self._should_stop()
        return self._is_stopped

    async def _look_at_issue(self) -> None:
        """Stop the round when the issue is paused, cancelled or gone, or all is held.

        Otherwise claim by claim would be refused.
        """
        try:
            may_go_on = await asyncio.to_thread(self._is_sending)
        except DigestError as exc:
            self._fail(exc)
        else:
            self._is_stopped = self._is_stopped or not may_go_on

    def _fail(self, exc: DigestError) -> None:
        """Stop the round for a reason that whoever called must hear."""
        self._failure = self._failure or exc
        self._is_stopped = True

    def _is_sending(self) -> bool:
        with reading(self._engine) as session:
            return get_issue(session, self._issue_id).state is IssueState.SENDING and not open_holds(session)

    def close(self) -> DigestError | None:
        """Give back the claims nobody got to; return why, when that was not asked for."""
        has_left_any = self._hand.give_back_all()
        trouble = self._trouble if has_left_any and not self._is_stopped else None
        return self._failure or trouble


def _with_retry(claim: Claim, outcome: Outcome, *, now: datetime) -> Outcome:
    """Say when a deferred delivery is tried again, or give it up when that has gone on for too long."""
    if outcome.state is not DeliveryState.PENDING:
        return outcome
    if claim.attempts >= RETRY_AT_LEAST - 1 and now - claim.addressed_at > RETRY_FOR:
        text = f"given up after {RETRY_FOR.days} days of trying: {outcome.text}"
        return replace(outcome, state=DeliveryState.FAILED, text=text)
    return replace(outcome, retry_in=back_off(claim.attempts + 1, jitter=random.random()))


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: leases that ran out, by what became of them, and issues that are sent."""

    released: int
    unknown: int
    finished: tuple[IssueId, ...]


def sweep(engine: Engine, *, now: datetime) -> Swept:
    """Take back what dead workers held, and close the issues of which nothing is left to send.

    One of which something is to be sent although it was closed is opened again.
    """
    with writing(engine) as session:
        released, unknown = reap_leases(session, now=now, dead=dead_among(lease_owners(session)))
    _reopen(engine, now=now)
    with reading(engine) as session:
        sending = issues_in(session, IssueState.SENDING)
    finished = tuple(issue.id for issue in sending if finish_issue(engine, issue.id, now=now))
    if released or unknown:
        log.warning("deliveries.reaped", released=released, unknown=unknown)
    return Swept(released, unknown, finished)


def _reopen(engine: Engine, *, now: datetime) -> None:
    """Have issues sent on of which a delivery came back to be sent after they had been closed."""
    with reading(engine) as session:
        waiting = sent_but_pending(session, since=now - _ANSWERS_COME_WITHIN)
    for issue_id in waiting:
        with suppress(Conflict), writing(engine) as session:
            change_issue(session, issue_id, IssueState.SENDING, now=now, only_from=(IssueState.SENT,))
            log.warning("issue.reopened", issue=issue_id)


def due_issues(
    engine: Engine, issue_ids: Collection[IssueId], *, now: datetime, throttle: Throttle = UNTHROTTLED
) -> tuple[IssueId, ...]:
    """Return those of `issue_ids` that a worker could do something for now.

    Not when all that is left was deferred and its time has not come, is in other workers' hands, or waits
    for the next try of a mail server that is away; nor when nothing may leave for a while.
    """
    with reading(engine) as session:
        due = claimable_issues(session, issue_ids, now=now)
        return tuple(one for one in due if not is_closed(session, one, throttle, now=now))


def finish_issue(engine: Engine, issue_id: IssueId, *, now: datetime) -> bool:
    """Mark an issue as sent when every delivery of it is settled; return whether this call did it."""
    with writing(engine) as session:
        # Locked: evidence may be making a delivery pending again at this moment.
        issue = lock_issue(session, issue_id)
        if issue.state is not IssueState.SENDING or is_unfinished(session, issue_id):
            return False
        change_issue(session, issue_id, IssueState.SENT, now=now)
    log.info("issue.sent", issue=issue_id)
    return True
