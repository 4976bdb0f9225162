"""A conversation after the log-in: one message after the other, each with its dot only after the arm.

aiosmtplib has connected and logged in. From there the conversation is ours, because its `sendmail` writes
message and dot in one go, and the dot must not leave before the arm is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from contextlib import suppress
from typing import TypeVar

from digest.deliver.smtp.verdicts import outcome_of
from digest.deliver.smtp.wire import Reply, Wire
from digest.deliver.transport import Arm, Envelope, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable

_END = b".\r\n"

_PIPELINING, _SMTPUTF8 = EXTENSIONS = ("PIPELINING", "SMTPUTF8")
_NEEDS_SMTPUTF8 = (
    "{} has letters before the @ that need a mail server with SMTPUTF8, and this one has not; "
    "ask the subscriber for another address"
)

_T = TypeVar("_T")


class SmtpSession:
    """A conversation after the log-in."""

    def __init__(self, transport: asyncio.Transport, extensions: Collection[str], *, timeout: float) -> None:
        self._wire = Wire(transport)
        self._extensions = extensions
        self._timeout = timeout

    @property
    def is_open(self) -> bool:
        """Whether the server still listens."""
        return self._wire.is_open

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Send one message, its dot only after `arm`. See `MailSession.send`."""
        is_ascii = envelope.recipient.isascii()
        if not is_ascii and _SMTPUTF8 not in self._extensions:
            return Outcome(DeliveryState.FAILED, None, _NEEDS_SMTPUTF8.format(envelope.recipient))
        refusal = await self._offer(envelope, "" if is_ascii else " BODY=8BITMIME SMTPUTF8")
        if refusal is not None:
            return refusal
        self._wire.write(message)
        await self._before_dot(self._wire.drained())
        if not await arm():
            # There is no command that takes DATA back: only hanging up does.
            self._wire.abort()
            raise NotArmed
        if not self.is_open:
            raise Unavailable("the server hung up before the dot")
        self._wire.write(_END)
        try:
            async with asyncio.timeout(self._timeout):
                return outcome_of(await self._wire.reply())
        except (ConnectionError, TimeoutError) as exc:
            self._wire.abort()
            return Outcome(DeliveryState.UNKNOWN, None, f"no answer after the dot: {exc or 'timed out'}")

    async def _offer(self, envelope: Envelope, parameters: str) -> Outcome | None:
        """Say MAIL, RCPT and DATA. None: the server waits for the message. Otherwise why it does not."""
        mail = f"MAIL FROM:<{envelope.return_path}>{parameters}"
        replies = await self._before_dot(self._converse(mail, f"RCPT TO:<{envelope.recipient}>", "DATA"))
        refused = next((reply for reply in replies if not reply.is_ok), None)
        if refused is None:
            return None
        is_about_sender = refused is replies[0]
        if len(replies) == 3 and replies[-1].code == 354:
            # A server may say 354 although it refused the recipient (RFC 2920 §3.1): end an empty message.
            self._wire.write(_END)
            await self._before_dot(self._wire.reply())
        elif self.is_open and refused.code != 421:
            await self._before_dot(self._converse("RSET"))
        if refused.code == 421:
            self._wire.abort()
        return outcome_of(refused, is_about_us=is_about_sender)

    async def _converse(self, *commands: str) -> list[Reply]:
        """Return a reply for each command, or those up to the first refusal where nothing is pipelined."""
        if _PIPELINING in self._extensions:
            self._wire.write("".join(f"{command}\r\n" for command in commands).encode())
            return [await self._wire.reply() for _ in commands]
        replies: list[Reply] = []
        for command in commands:
            self._wire.write(f"{command}\r\n".encode())
            replies.append(await self._wire.reply())
            if not replies[-1].is_ok:
                break
        return replies

    async def _before_dot(self, step: Awaitable[_T]) -> _T:
        """Await a step before which and in which nothing can be accepted."""
        try:
            async with asyncio.timeout(self._timeout):
                return await step
        except (ConnectionError, TimeoutError) as exc:
            self._wire.abort()
            raise Unavailable(f"the conversation broke before the dot: {exc or 'timed out'}") from exc

    async def close(self) -> None:
        """Say goodbye and hang up. A server that does not answer is not waited for."""
        if self.is_open:
            self._wire.write(b"QUIT\r\n")
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._wire.reply()
        self._wire.abort()
