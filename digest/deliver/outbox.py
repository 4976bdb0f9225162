"""Send the letters that are due, with the promise of deliveries: armed before the dot, never sent twice.

Letters are few beside an issue's mails, so one conversation and a commit for each step will do.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from digest.deliver.owners import dead_among
from digest.deliver.transport import Envelope, MailSession, NotArmed, Transport
from digest.domain.deliveries import DeliveryState, Outcome, back_off, is_hard_bounce
from digest.domain.errors import DigestError, Misconfigured, NotFound, Refused, Unavailable
from digest.domain.letters import LETTER_STALE_AFTER, Letter, LetterId
from digest.store.bounces import suppress_bounced
from digest.store.database import reading, writing
from digest.store.letter_leases import letter_owners, reap_letters
from digest.store.letters import (
    arm_letter,
    claim_letters,
    is_letter_due,
    return_letters,
    settle_letter,
)

log = structlog.get_logger(__name__)

LetterFor = Callable[[Letter], tuple[Envelope, bytes]]
"""Write a letter. Raises `Refused` or `NotFound` where there is nobody to write to any more, and
`Misconfigured` when it cannot be written now."""

LEASE = timedelta(minutes=5)
_BATCH = 50
_BREAKS = 5
"""Letters in a row at which a conversation may break before the mail server counts as away."""


def are_letters_due(engine: Engine, *, now: datetime) -> bool:
    """Take back what dead workers held, and return whether any letter could be sent now."""
    with reading(engine) as session:
        owners = letter_owners(session)
    if owners:
        with writing(engine) as session:
            released, unknown = reap_letters(session, now=now, dead=dead_among(owners))
        if released or unknown:
            log.warning("letters.reaped", released=released, unknown=unknown)
    with reading(engine) as session:
        return is_letter_due(session, now=now)


async def send_letters(
    engine: Engine,
    *,
    transport: Transport,
    letter_for: LetterFor,
    owner: str,
    clock: Callable[[], datetime],
    only: LetterId | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_settled: Callable[[Outcome], None] = lambda _: None,
) -> None:
    """Send every letter that is due, or `only` one, until none is or `should_stop` says so.

    Raises `Unavailable` when the mail server is away, `Refused` when it will not have us: then all wait. Also
    `Unavailable` when a conversation broke at a letter and `Misconfigured` when one could not be written:
    that one waits, longer from try to try, and the others are sent all the same.
    """
    round_ = _Round(engine, letter_for, owner, clock, only, should_stop, on_settled)
    try:
        while await round_.has_next():
            try:
                async with transport.session() as session:
                    await round_.send_from(session)
            except (Unavailable, Refused) as exc:
                round_.put_off(exc)
                raise
    finally:
        round_.close()
    if round_.trouble is not None:
        raise round_.trouble


@dataclass(slots=True)
class _Round:
    """One round of sending: the letters it holds, and what went wrong with one of them."""

    engine: Engine
    letter_for: LetterFor
    owner: str
    clock: Callable[[], datetime]
    only: LetterId | None
    should_stop: Callable[[], bool]
    on_settled: Callable[[Outcome], None]
    held: deque[Letter] = field(default_factory=deque)
    trouble: DigestError | None = None
    breaks: int = 0

    async def has_next(self) -> bool:
        """Claim more when nothing is held; return whether there is something to send."""
        if not self.held and not self.should_stop():
            self.held.extend(await asyncio.to_thread(self._claim))
        return bool(self.held) and not self.should_stop()

    async def send_from(self, session: MailSession) -> None:
        """Send what is held and due, as long as the conversation lasts.

        Raises `Unavailable` when one conversation after another has broken.
        """
        while session.is_open and await self.has_next():
            letter = self.held[0]
            try:
                outcome = await self._sent(session, letter)
            except NotArmed:
                await asyncio.to_thread(self._give_back, [letter])
            else:
                await asyncio.to_thread(self._settle, letter, outcome)
            self.held.popleft()
            if self.breaks == _BREAKS and self.trouble is not None:
                raise self.trouble

    async def _sent(self, session: MailSession, letter: Letter) -> Outcome:
        async def arm() -> bool:
            return await asyncio.to_thread(self._arm, letter)

        try:
            envelope, message = await asyncio.to_thread(self.letter_for, letter)
        except (Refused, NotFound) as exc:
            return Outcome(DeliveryState.FAILED, None, str(exc))
        except Misconfigured as exc:
            return self._waiting(exc)
        try:
            outcome = await session.send(envelope, message, arm)
        except Refused as exc:
            outcome = Outcome(DeliveryState.FAILED, None, str(exc))
        except Unavailable as exc:
            if exc.retry_after is not None:
                return Outcome(DeliveryState.PENDING, None, str(exc), exc.retry_after)
            self.breaks += 1
            return self._waiting(exc)
        self.breaks = 0
        return outcome

    def _waiting(self, trouble: DigestError) -> Outcome:
        """Have one letter wait for better times; whoever called hears of it when the others are sent."""
        self.trouble = trouble
        return Outcome(DeliveryState.PENDING, None, str(trouble))

    def put_off(self, trouble: DigestError) -> None:
        """Have what is held wait for the mail server, longer from try to try."""
        while self.held:
            self._settle(self.held.popleft(), Outcome(DeliveryState.PENDING, None, str(trouble)))

    def close(self) -> None:
        """Give back what nobody got to."""
        if self.held:
            self._give_back(list(self.held))

    def _claim(self) -> tuple[Letter, ...]:
        now = self.clock()
        with writing(self.engine) as session:
            return claim_letters(
                session, owner=self.owner, limit=_BATCH, now=now, lease_until=now + LEASE, only=self.only
            )

    def _arm(self, letter: Letter) -> bool:
        with writing(self.engine) as session:
            return arm_letter(session, letter, owner=self.owner, now=self.clock())

    def _give_back(self, letters: list[Letter]) -> None:
        with writing(self.engine) as session:
            return_letters(session, letters, owner=self.owner)

    def _settle(self, letter: Letter, outcome: Outcome) -> None:
        now = self.clock()
        outcome = _with_retry(letter, outcome, now=now)
        with writing(self.engine) as session:
            is_ours = settle_letter(session, letter, outcome, now=now)
            if is_ours and is_hard_bounce(outcome):
                suppress_bounced(session, letter.email, outcome.text, now=now)
        self.on_settled(outcome)
        log.info("letter.settled", letter=letter.id, kind=letter.kind, state=outcome.state)


def _with_retry(letter: Letter, outcome: Outcome, *, now: datetime) -> Outcome:
    """Say when a deferred letter is tried again, or give it up when whoever waited for it no longer does."""
    if outcome.state is not DeliveryState.PENDING:
        return outcome
    if now - letter.created_at > LETTER_STALE_AFTER:
        text = f"given up as stale: {outcome.text}"
        return replace(outcome, state=DeliveryState.FAILED, text=text, retry_in=None)
    if outcome.retry_in is not None:
        return outcome
    return replace(outcome, retry_in=back_off(letter.attempts + 1, jitter=random.random()))
