"""The port through which mail leaves, and what every transport promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from digest.domain.deliveries import Outcome

Arm = Callable[[], Awaitable[bool]]
"""Commit to sending this one message; False means that it must not be sent."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom a message is from and for, as the SMTP envelope has it. One recipient a message.

    Both are ASCII, but for the local part of a recipient that only SMTPUTF8 carries (RFC 6531).
    """

    return_path: str
    recipient: str


class NotArmed(Exception):
    """The arm was refused and nothing was sent; the session has withdrawn the message."""


class MailSession(Protocol):
    """One conversation with the server that takes the mail."""

    @property
    def relay(self) -> str:
        """The server's name, short and without the log-in, the same in each conversation with it."""
        ...

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Hand over one message and return what became of it.

        The session calls `arm` when all but the last step is done: before it nothing can have been
        accepted, after it anything may. `message` has CRLF line ends, ends in one, and no line of it
        begins with a dot. Raises `NotArmed` when the arm is refused, and `Unavailable` when the
        conversation broke before the arm; either way the message was not accepted. A `retry_in` of zero in
        the outcome, or such a `retry_after`, says that only this conversation was over before the arm: the
        message is for the next one, at once.
        """
        ...

    @property
    def is_open(self) -> bool:
        """Whether another message can be sent in this conversation."""
        ...


class Transport(Protocol):
    """Opens sessions."""

    def session(self) -> AbstractAsyncContextManager[MailSession]:
        """Open a conversation.

        Raises `Unavailable` when the server cannot be reached, `Refused` when it will not have us.
        """
        ...
