"""Bounces and complaints from wherever they come in, and telling ops what they have to mend."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog

from digest.domain.bounces import Meaning
from digest.domain.issues import IssueId, IssueState
from digest.pipeline.breaches import pause_breached
from digest.pipeline.ops import tell_ops
from digest.pipeline.telling import tell_of_stops
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.failures import FAILING
from digest.store.issues import issues_in
from digest.store.returned import Effect
from digest.track.bounces import Taken, take_in
from digest.track.mailboxes import mailbox_at

log = structlog.get_logger(__name__)

TASK_SECONDS = 45.0
"""How long one look at a mailbox takes at most."""


def take_returned(runtime: Runtime, octets: bytes, *, to: Collection[str] = (), via: str) -> Taken:
    """Take in one mail that came back; committed when this returns. Raises as `take_in` does."""
    taken = take_in(runtime.engine, octets, paths=runtime.return_paths, to=to, via=via, now=runtime.clock())
    if taken.effect is Effect.TOLD and not taken.is_copy:
        tell_of_refusal(runtime, taken.email, taken.detail)
    if taken.issue_id is not None and not taken.is_copy and taken.meaning in _HELD_AGAINST_ISSUES:
        look_after_return(runtime, taken.issue_id)
    return taken


_HELD_AGAINST_ISSUES = frozenset({*FAILING, Meaning.COMPLAINT})


def look_after_return(runtime: Runtime, issue_id: IssueId) -> None:
    """Pause the issue and tell ops when too many of its mails came back or were called spam.

    For whatever takes bounces and complaints in, after it has recorded one. Nothing happens to an issue that
    is not being sent now.
    """
    if pause_breached(runtime, issue_id):
        tell_of_stops(runtime)


def look_after_returns(runtime: Runtime, meanings: Collection[Meaning]) -> None:
    """Do the same for every issue under way, when what came back together is of these meanings."""
    if _HELD_AGAINST_ISSUES.isdisjoint(meanings):
        return
    with reading(runtime.engine) as session:
        sending = issues_in(session, IssueState.SENDING)
    for issue in sending:
        look_after_return(runtime, issue.id)


def tell_of_refusal(runtime: Runtime, email: str, detail: str) -> None:
    """Tell ops that the server of a reader's domain refuses us, in its own words."""
    domain = email.rpartition("@")[2].lower()
    # It is logged as well, and servers like to repeat whom a mail was for: no log names a reader.
    said = re.sub(re.escape(email), "(a reader)", detail, flags=re.IGNORECASE)
    tell_ops(
        runtime,
        f"{domain} refuses our mail",
        f"The mail server of {domain} does not want mail from us: {said}. No reader is to "
        "blame, and none was suppressed.",
        to_do="Look at the sender's SPF, DKIM and reputation. What came back from there:",
        commands=["digest bounces list --meaning refuses_us", "digest doctor"],
    )


@dataclass(slots=True)
class Polled:
    """What one look at a mailbox came to: mails taken in, by what they changed, and copies of known ones."""

    mails: int = 0
    copies: int = 0
    effects: dict[Effect, int] = field(default_factory=dict)


def poll_mailbox(runtime: Runtime, url: str, *, should_stop: Callable[[], bool] = lambda: False) -> Polled:
    """Take in what is new in a mailbox, for most of a minute.

    Raises `Misconfigured`, `Unavailable` or `Refused`; what was taken in until then is recorded and marked.
    """
    mailbox = mailbox_at(url)
    via = url.partition(":")[0]
    deadline = time.monotonic() + TASK_SECONDS
    polled = Polled()

    def take(octets: bytes) -> None:
        taken = take_returned(runtime, octets, via=via)
        polled.copies += taken.is_copy
        if not taken.is_copy:
            polled.effects[taken.effect] = polled.effects.get(taken.effect, 0) + 1

    polled.mails = mailbox.read(take, should_stop=lambda: should_stop() or time.monotonic() > deadline)
    return polled
