"""Mails of unknown outcome, with the evidence there is and the choices that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.domain.counting import counted
from digest.domain.issues import Issue, IssueState
from digest.store.resending import UnknownDelivery
from digest.web.ops.times import second


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A mail of which nobody knows whether it arrived."""

    email: str
    began: str
    worker: str
    said: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be done about them. `command` finds out; `may_resend` tells whether they can go once more."""

    total: int
    mails: str
    command: str
    may_resend: bool


def unknown_lines(found: Sequence[UnknownDelivery]) -> tuple[UnknownLine, ...]:
    """Return mails of unknown outcome in words."""
    return tuple(
        UnknownLine(
            email=one.email,
            began=second(one.armed_at) if one.armed_at else "",
            worker=one.worker,
            said=one.said or "No answer: the worker ended before it came.",
            message_id=one.message_id,
        )
        for one in found
    )


def choices_of(issue: Issue, total: int) -> Choices:
    """Return what can be done about an issue's mails of unknown outcome."""
    return Choices(
        total=total,
        mails=counted(total, "mail"),
        command=f"digest issue reconcile {issue.id} --log FILE",
        may_resend=issue.state in (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT),
    )
