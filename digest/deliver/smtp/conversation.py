"""A conversation after the log-in: one message after the other, each with its dot only after the arm.

aiosmtplib has connected and logged in. From there the conversation is ours, because its `sendmail` writes
message and dot in one go, and the dot must not leave before the arm is committed.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn, TypeVar

from digest.deliver.smtp.connection import Connection
from digest.deliver.smtp.limits import USUAL, Lasting, Limits, largest
from digest.deliver.smtp.verdicts import CLOSING, is_final, outcome_of, wants_another
from digest.deliver.smtp.wire import Reply, Wire
from digest.deliver.transport import Arm, Envelope, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable

_END = b".\r\n"
_AT_ONCE = timedelta(0)
_GOODBYE_SECONDS = 1.0

_NEEDS_SMTPUTF8 = (
    "{} has letters before the @ that need a mail server with SMTPUTF8, and this one has not; "
    "ask the subscriber for another address"
)

_T = TypeVar("_T")


class SmtpSession:
    """A conversation after the log-in. `relay` names the server, without the log-in."""

    def __init__(self, connection: Connection, *, relay: str, timeout: float, limits: Limits = USUAL) -> None:
        self.relay = relay
        self._wire = Wire(connection.transport)
        self._offers = connection.offers
        self._most_octets = largest(connection.offers)
        self._lasting = Lasting(limits, connection.offers)
        self._timeout = timeout
        self._has_settled = False
        self._is_answered = False

    @property
    def is_open(self) -> bool:
        """Whether the server listens, has nothing more to say, and another message is to be sent here."""
        return self._wire.is_open and not self._wire.has_reply and not self._lasting.is_over

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Send one message, its dot only after `arm`. See `MailSession.send`."""
        if why := self._impossible(envelope, message):
            return Outcome(DeliveryState.FAILED, None, why)
        self._lasting.count()
        try:
            refusal = await self._offer(envelope, len(message)) or await self._body(message)
            if refusal is None and not await arm():
                raise NotArmed
            return refusal or self._early_refusal() or await self._end()
        except BaseException:
            # There is no command that takes DATA back: only hanging up does.
            self._wire.abort()
            raise

    def _impossible(self, envelope: Envelope, message: bytes) -> str:
        """Return why this server can never take the message, '' when it may."""
        if not envelope.recipient.isascii() and "SMTPUTF8" not in self._offers:
            return _NEEDS_SMTPUTF8.format(envelope.recipient)
        if 0 < self._most_octets < len(message):
            return (
                f"the mail has {len(message):,} octets, and {self.relay} takes {self._most_octets:,} at "
                "most: shorten the issue, or have the server take more"
            )
        return ""

    async def _body(self, message: bytes) -> Outcome | None:
        """Send all but the dot; return why the server would not wait for it, None when it waits."""
        self._wire.write(message)
        try:
            await self._before_dot(self._wire.drained())
        except Unavailable:
            reply = self._wire.early_reply()
            if reply is None or reply.is_ok:
                raise
            return outcome_of(reply)
        return self._early_refusal()

    def _early_refusal(self) -> Outcome | None:
        """Return what the server has said of the message although it is not ended, None when it waits.

        Without the dot nothing can have been accepted, whatever it said.
        """
        reply = self._wire.early_reply()
        if reply is None and self._wire.is_open:
            return None
        self._wire.abort()
        if reply is None or reply.is_ok:
            raise Unavailable("the server hung up before the dot")
        return outcome_of(reply)

    async def _end(self) -> Outcome:
        """Send the dot, and return what the server says then."""
        self._wire.write(_END)
        try:
            self._wire.allow(self._timeout)
            reply = await self._wire.reply()
        except (ConnectionError, TimeoutError) as exc:
            self._wire.abort()
            return Outcome(DeliveryState.UNKNOWN, None, f"no answer after the dot: {exc or 'timed out'}")
        self._lasting.heard()
        self._has_settled = True
        if reply.code == CLOSING or not is_final(reply):
            self._wire.abort()
        if not is_final(reply):
            text = f"the answer to the dot says nothing of the mail: {reply.code or ''} {reply.text}".rstrip()
            return Outcome(DeliveryState.UNKNOWN, None, text)
        return outcome_of(reply)

    async def _offer(self, envelope: Envelope, octets: int) -> Outcome | None:
        """Say MAIL, RCPT and DATA. None: the server waits for the message. Otherwise why it does not."""
        mail = f"MAIL FROM:<{envelope.return_path}>{self._parameters(envelope, octets)}"
        self._is_answered = False
        self._require_silence()
        replies = await self._before_dot(self._converse(mail, f"RCPT TO:<{envelope.recipient}>", "DATA"))
        refused = next((reply for reply in replies if not reply.is_ok), None)
        if refused is None:
            self._require_in_step(replies)
            return None
        await self._leave_transaction(replies, refused)
        is_to_mail = refused is replies[0]
        outcome = outcome_of(refused, is_to_mail=is_to_mail)
        if is_to_mail and self._has_settled and wants_another(refused):
            self._lasting.end()
            return replace(outcome, retry_in=_AT_ONCE)
        self._has_settled = True
        return outcome

    def _require_silence(self) -> None:
        """Hang up when more was said than was asked for: each answer would be taken for the next command's.

        But for 421, which is the answer to whatever is asked next.
        """
        reply = self._wire.early_reply()
        if reply is None:
            return
        if reply.code == CLOSING:
            self._wire.unread(reply)
            return
        self._hang_up(f"{reply.code} {reply.text} before anything was asked")

    def _require_in_step(self, replies: list[Reply]) -> None:
        """Hang up unless MAIL and RCPT were accepted and DATA is waited for: only then is the dot a dot."""
        for reply, wanted in zip(replies, (2, 2, 3), strict=True):
            if reply.code // 100 != wanted:
                self._hang_up(f"{reply.code} {reply.text} is no answer to what was asked")

    def _hang_up(self, why: str) -> NoReturn:
        self._wire.abort()
        at_once = _AT_ONCE if self._has_settled else None
        raise Unavailable(f"the server's answers are out of step: {why}", retry_after=at_once)

    def _parameters(self, envelope: Envelope, octets: int) -> str:
        """Return what stands behind MAIL's address. All octets count, as no dot is doubled (RFC 1870 §3)."""
        size = f" SIZE={octets}" if "SIZE" in self._offers else ""
        if envelope.recipient.isascii():
            return size
        # The body is ASCII; who offers SMTPUTF8 is to offer this, too, and not all do.
        body = " BODY=8BITMIME" if "8BITMIME" in self._offers else ""
        return f"{size}{body} SMTPUTF8"

    async def _leave_transaction(self, replies: list[Reply], refused: Reply) -> None:
        """Bring the conversation to where another MAIL may follow, or end it."""
        is_open_to_mail = len(replies) == 3 and replies[-1].code == 354
        if refused.code == CLOSING or (is_open_to_mail and replies[1].is_ok):
            # The second: it would send our empty message to a reader.
            self._wire.abort()
        elif is_open_to_mail:
            # A server may say 354 although it refused the recipient (RFC 2920 §3.1): end an empty message.
            self._wire.write(_END)
            await self._before_dot(self._wire.reply())
        elif self._wire.is_open:
            (reply,) = await self._before_dot(self._converse("RSET"))
            if not reply.is_ok:
                self._lasting.end()

    async def _converse(self, *commands: str) -> list[Reply]:
        """Return a reply for each command, or those up to the first refusal where nothing is pipelined.

        Also when the server closes after a refusal, as it does after 421: what it said is what counts.
        """
        is_pipelined = "PIPELINING" in self._offers
        if is_pipelined:
            self._wire.write("".join(f"{command}\r\n" for command in commands).encode())
        replies: list[Reply] = []
        for command in commands:
            if not is_pipelined:
                self._wire.write(f"{command}\r\n".encode())
            try:
                replies.append(await self._wire.reply())
            except ConnectionError:
                if replies and not all(reply.is_ok for reply in replies):
                    break
                raise
            self._is_answered = True
            if replies[-1].code == CLOSING or not (is_pipelined or replies[-1].is_ok):
                break
        self._lasting.heard()
        return replies

    async def _before_dot(self, step: Awaitable[_T]) -> _T:
        """Await a step before which and in which nothing can be accepted.

        A server that has ended the conversation between two messages delays nobody's mail.
        """
        try:
            self._wire.allow(self._timeout)
            return await step
        except (ConnectionError, TimeoutError) as exc:
            self._wire.abort()
            has_left = self._has_settled and not self._is_answered and isinstance(exc, ConnectionError)
            raise Unavailable(
                f"the conversation broke before the dot: {exc or 'timed out'}",
                retry_after=_AT_ONCE if has_left else None,
            ) from exc

    async def close(self) -> None:
        """Say goodbye and hang up. A server that does not answer is not waited for."""
        if self._wire.is_open:
            self._wire.write(b"QUIT\r\n")
            with suppress(ConnectionError, TimeoutError):
                self._wire.allow(_GOODBYE_SECONDS)
                await self._wire.reply()
        self._wire.abort()
