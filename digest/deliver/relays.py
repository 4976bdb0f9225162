"""Several relays behind one port: conversations are spread by weight, and who takes no mail is left out.

A message never goes to a second relay while the first may have it: it goes through one conversation, as with
one relay, and what became of it decides whether it is sent again. Conversations in several threads share what
is known of the relays; other processes find out for themselves.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import structlog

from digest.deliver.standing import Absence, Relay, Standing
from digest.deliver.transport import Arm, Envelope, MailSession
from digest.domain.deliveries import Outcome
from digest.domain.errors import Refused, Unavailable

log = structlog.get_logger(__name__)

_PROVIDERS_NAME = re.compile(r"[a-z]+:\S+")
"""What a provider calls a mail that it has, and its reports name: it tells the relay as it is."""


class RelaysTransport:
    """Opens conversations with whichever of several relays has the least of its share."""

    def __init__(self, relays: Sequence[Relay], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._standings = tuple(Standing(relay, clock) for relay in relays)
        self._lock = threading.Lock()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Open a conversation with the first relay that will have one.

        Raises, when none will, `Refused` if all refuse us, else `Unavailable`: with the words of each.
        """
        async with AsyncExitStack() as stack:
            yield await self._open(stack)

    def absences(self) -> tuple[Absence, ...]:
        """Return the relays that have been away for long enough to be told, each once; the log has them."""
        with self._lock:
            found = tuple(filter(None, [standing.absence() for standing in self._standings]))
        for absence in found:
            log.error(
                "relay.away",
                relay=absence.name,
                reason=absence.why,
                minutes=int(absence.seconds) // 60,
                advice=absence.advice,
            )
        return found

    async def _open(self, stack: AsyncExitStack) -> MailSession:
        tried: set[str] = set()
        while (chosen := self._choose(tried)) is not None:
            standing, is_trial = chosen
            tried.add(standing.relay.name)
            try:
                session = await stack.enter_async_context(standing.relay.transport.session())
            except (Unavailable, Refused) as exc:
                with self._lock:
                    standing.fail(exc, is_trial=is_trial)
                self._leave(standing, is_trial)
            except BaseException:
                self._leave(standing, is_trial)
                raise
            else:
                stack.callback(self._leave, standing, is_trial)
                return _RelaySession(session, standing, self._lock, is_trial=is_trial)
        raise self._all_away()

    def _choose(self, tried: set[str]) -> tuple[Standing, bool] | None:
        """Return the relay to try next, counted in, and whether it is on trial; None when none is left."""
        with self._lock:
            left = [standing for standing in self._standings if standing.relay.name not in tried]
            free = [standing for standing in left if standing.is_free]
            usual = [standing for standing in free if standing.relay.weight] or free
            chosen = _next_of(usual)
            if chosen is None and not tried:
                asked = [standing for standing in left if standing.may_be_asked]
                chosen = min(asked, key=lambda standing: standing.rest_ends, default=None)
            return None if chosen is None else (chosen, chosen.enter())

    def _leave(self, standing: Standing, is_trial: bool) -> None:
        with self._lock:
            standing.leave(is_trial=is_trial)

    def _all_away(self) -> Unavailable | Refused:
        with self._lock:
            known = [standing.why for standing in self._standings if standing.why is not None]
        told = f"none of {len(self._standings)} mail servers takes mail: " + "; ".join(
            str(why).rstrip(".") for why in known
        )
        is_refused = len(known) == len(self._standings) and all(isinstance(why, Refused) for why in known)
        return Refused(told) if is_refused else Unavailable(told)


class _RelaySession:
    """A conversation with one of the relays, which is watched for whether it takes mail."""

    def __init__(
        self, session: MailSession, standing: Standing, lock: threading.Lock, *, is_trial: bool
    ) -> None:
        self._session = session
        self._is_trial = is_trial
        self._standing = standing
        self._lock = lock
        self.relay = standing.relay.name

    @property
    def is_open(self) -> bool:
        """Whether the conversation goes on, and its relay is not left out."""
        return self._session.is_open and not self._standing.rests

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Send one message. See `MailSession.send`; the outcome's text ends in the relay's name."""
        is_armed = False

        async def armed() -> bool:
            nonlocal is_armed
            is_armed = True
            return await arm()

        try:
            outcome = await self._session.send(envelope, message, armed)
        except Unavailable as exc:
            # From the arm on it is the database that is away. A conversation that is over is no failure.
            if not is_armed and exc.retry_after is None:
                with self._lock:
                    self._standing.stumble(exc, is_trial=self._is_trial)
            raise
        with self._lock:
            self._standing.weigh(outcome, is_trial=self._is_trial)
        if _PROVIDERS_NAME.fullmatch(outcome.text):
            return outcome
        return replace(outcome, text=f"{outcome.text} [{self.relay}]".lstrip())


def _next_of(standings: Sequence[Standing]) -> Standing | None:
    """Return whose turn it is: who has the fewest open conversations for its share, then who is behind most.

    The second is smooth weighted round robin, for conversations that follow each other.
    """
    whole = sum(standing.share for standing in standings)
    for standing in standings:
        standing.credit = min(whole, standing.credit + standing.share)
    chosen = min(standings, key=lambda standing: (standing.load, -standing.credit), default=None)
    if chosen is not None:
        chosen.credit = max(-whole, chosen.credit - whole)
    return chosen
