"""Mail over a provider's HTTP API, with the promise of every transport: armed before it can be taken.

A conversation is one connection. It begins with a question that sends nothing, SMTP's greeting and log-in so
to say: a server that is away or does not know the key is met before anything is armed. None of the four
providers has a key that makes a request idempotent, so a request whose answer is lost is never made again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

import httpx2

from digest.deliver.providers.http import Answer, Ask, exchange, new_client
from digest.deliver.providers.verdicts import Meaning, Verdict
from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Ambiguous, Refused, Unavailable

PATIENCE = 4.0
"""Seconds that an armed mail waits for a busy provider: a pause has to hold within five."""

_MEND = 60.0
_RECOVER = 5.0
_LONGEST_REST = 3600.0
"""Seconds in which nothing is sent: after a fault of ours, after one of theirs, and whatever they ask for."""

_LOST_IN_A_ROW = 3
_LOST_REST = 10.0
"""So many answers lost in a row are no accident: a gateway that is out of order would make a whole issue
unknown. Nothing is sent for so long then, and after each further loss for twice as long, up to `_MEND`."""

_STATES = {
    Meaning.TAKEN: DeliveryState.ACCEPTED,
    Meaning.NOT_TO_THEM: DeliveryState.FAILED,
    Meaning.UNCLEAR: DeliveryState.UNKNOWN,
}
"""The rest is pending."""


class Provider(Protocol):
    """What one provider's API looks like. `secrets` are the texts that no message of ours may show."""

    name: str
    scheme: str
    most_bytes: int
    secrets: tuple[str, ...]

    def hello(self) -> Ask:
        """Return a GET that changes nothing, and that an account in order answers."""
        ...

    def greeted(self, answer: Answer) -> str:
        """Return in words what the answer to `hello` says. Raises `Refused` or `Unavailable`."""
        ...

    def mail(self, envelope: Envelope, message: bytes) -> Ask:
        """Return the request that sends one mail. Raises `Refused` for one that the API cannot carry."""
        ...

    def verdict(self, answer: Answer) -> Verdict:
        """Read the answer to `mail`."""
        ...


class HttpTransport:
    """Opens conversations with one provider. What it is told to leave alone holds for all of them."""

    def __init__(self, provider: Provider, *, relay: str = "", timeout: float = 60.0) -> None:
        self.relay = relay or provider.scheme
        self._provider = provider
        self._timeout = timeout
        self._rest = Rest()

    @property
    def name(self) -> str:
        """The provider, as a person reads it."""
        return self._provider.name

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Connect and greet. Raises `Unavailable` also while the provider wants to be left alone."""
        self._rest.require_over()
        async with new_client(self._timeout) as client:
            await self._greet(client)
            yield HttpSession(client, self._provider, self._rest, relay=self.relay, timeout=self._timeout)

    async def look(self) -> str:
        """Return in words what the provider says of our account. Raises as `session` does."""
        async with new_client(self._timeout) as client:
            return await self._greet(client)

    async def _greet(self, client: httpx2.AsyncClient) -> str:
        try:
            answer = await exchange(client, self._provider.hello(), seconds=self._timeout)
            told = self._provider.greeted(answer)
            if 200 <= answer.status < 300 and not isinstance(answer.json(), dict):
                raise Unavailable(f"what answers is not {self.name}: it does not speak JSON. Check mail_url")
            return _hidden(self._provider, told)
        except Ambiguous as exc:
            raise Unavailable(f"{self.name} takes no mail: {exc}") from exc
        except (Refused, Unavailable) as exc:
            exc.args = (_hidden(self._provider, str(exc)),)
            raise


class HttpSession:
    """A conversation after the greeting."""

    def __init__(
        self, client: httpx2.AsyncClient, provider: Provider, rest: Rest, *, relay: str, timeout: float
    ) -> None:
        self.relay = relay
        self._client = client
        self._provider = provider
        self._rest = rest
        self._timeout = timeout
        self._is_sound = True

    @property
    def is_open(self) -> bool:
        """Whether the connection held so far, and the provider may be asked now."""
        return self._is_sound and not self._rest.is_on

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Send one message, the whole request only after `arm`. See `MailSession.send`."""
        if why := self._impossible(envelope, message):
            return Outcome(DeliveryState.FAILED, None, why)
        try:
            ask = self._provider.mail(envelope, message)
        except Refused as exc:
            return Outcome(DeliveryState.FAILED, None, str(exc))
        if not await arm():
            raise NotArmed
        verdict = await self._handed_over(ask)
        text = _hidden(self._provider, verdict.text)
        return Outcome(_STATES.get(verdict.meaning, DeliveryState.PENDING), verdict.status, text)

    def _impossible(self, envelope: Envelope, message: bytes) -> str:
        name, most = self._provider.name, self._provider.most_bytes
        if len(message) > most:
            return f"the mail has {len(message) / 1e6:.1f} MB, and {name} takes {most / 1e6:.0f}: shorten it"
        if not envelope.recipient.isascii():
            return (
                f"{envelope.recipient} has letters before the @ that {name} does not take; ask the "
                "subscriber for another address"
            )
        return ""

    async def _handed_over(self, ask: Ask) -> Verdict:
        """Ask until the provider is not busy, or the patience is over. Busy means for certain: not taken."""
        spent, tries = 0.0, 0
        while True:
            verdict = await self._asked(ask)
            if verdict.meaning is not Meaning.BUSY:
                break
            wait = _seconds(verdict.wait, 0.25 * 2**tries * random.uniform(0.5, 1.0))
            if spent + wait > PATIENCE:
                break
            await asyncio.sleep(wait)
            spent, tries = spent + wait, tries + 1
        self._heed(verdict)
        return verdict

    async def _asked(self, ask: Ask) -> Verdict:
        try:
            answer = await exchange(self._client, ask, seconds=self._timeout)
            return self._provider.verdict(answer)
        except Unavailable as exc:
            self._is_sound = False
            return Verdict(Meaning.LATER, str(exc))
        except Ambiguous as exc:
            self._is_sound = False
            return Verdict(Meaning.UNCLEAR, str(exc))

    def _heed(self, verdict: Verdict) -> None:
        """Leave the provider alone, with every conversation, for as long as the answer calls for."""
        text = _hidden(self._provider, verdict.text)
        self._rest.count(Unavailable(text) if verdict.meaning is Meaning.UNCLEAR else None)
        match verdict.meaning:
            case Meaning.NOT_FROM_US:
                self._rest.begin(_MEND, Refused(text))
            case Meaning.AWAY:
                self._rest.begin(_seconds(verdict.wait, _RECOVER), Unavailable(text))
            case Meaning.BUSY:
                self._rest.begin(_seconds(verdict.wait, 1.0), Unavailable(text))


class Rest:
    """A time in which nothing is asked of a provider, and why. Conversations in several threads share it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._why: Refused | Unavailable = Unavailable("")
        self._lost = 0

    @property
    def is_on(self) -> bool:
        """Whether the provider is to be left alone now."""
        return time.monotonic() < self._until

    def begin(self, seconds: float, why: Refused | Unavailable) -> None:
        """Leave it alone for so long; a rest under way that is longer stays."""
        until = time.monotonic() + min(seconds, _LONGEST_REST)
        if until > self._until:
            self._why, self._until = why, until

    def count(self, lost: Unavailable | None) -> None:
        """Take note of an answer, None, or of one that was lost: after several in a row there is a rest."""
        self._lost = 0 if lost is None else self._lost + 1
        if lost is not None and self._lost >= _LOST_IN_A_ROW:
            # Capped first: the power of a long row is no number that fits.
            doubled = 2 ** min(10, self._lost - _LOST_IN_A_ROW)
            self.begin(min(_MEND, _LOST_REST * doubled), lost)

    def require_over(self) -> None:
        """Raise why the provider is left alone, as long as it is."""
        left = self._until - time.monotonic()
        if left <= 0:
            return
        if isinstance(self._why, Refused):
            raise Refused(*self._why.args)
        raise Unavailable(*self._why.args, retry_after=timedelta(seconds=left))


def _seconds(wait: timedelta | None, otherwise: float) -> float:
    return otherwise if wait is None else wait.total_seconds()


def _hidden(provider: Provider, text: str) -> str:
    """Return `text` without the key, should a provider repeat it."""
    for secret in provider.secrets:
        text = text.replace(secret, "***")
    return text
