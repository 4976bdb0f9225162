"""A mail server's log against what is open: what it took is settled, what it gave up is a bounce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from digest.deliver.logs.evidence import Evidence, read_logs
from digest.deliver.logs.files import HeldLog
from digest.deliver.logs.servers import LoggedBounce
from digest.deliver.reconcile import Reconciled, reconcile, require_covered
from digest.domain.issues import IssueId
from digest.pipeline.returns import tell_of_refusal
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.issues import get_issue
from digest.store.open_outcomes import (
    open_message_ids,
    open_outcomes,
)
from digest.store.returned import Effect
from digest.track.events import Event, EventKind, EventsTaken, take_events

VIA = "log"
AT_ONCE = 200
"""Bounces of one transaction, as with webhooks."""


@dataclass(frozen=True, slots=True)
class LogReconciled:
    """What a log came to: the outcomes it settled, by issue, and the bounces of ours in it.

    `effects` counts the bounces that are new by what they changed; `known` are those taken in before, and
    `strange` those of mails that are not there any more.
    """

    evidence: Evidence
    issues: Mapping[IssueId, Reconciled]
    bounces: int
    effects: Mapping[Effect, int]
    known: int
    strange: int


def reconcile_logs(
    runtime: Runtime,
    names: Sequence[str | HeldLog],
    *,
    issue_id: IssueId | None = None,
    complete: bool = False,
    zone: tzinfo | None = None,
    is_trial: bool = False,
) -> LogReconciled:
    """Settle open outcomes of one issue, or of all, and record the bounces that the logs hold.

    Raises `InvalidInput` for what is no log and `Conflict` as `reconcile` does; then nothing was changed. A
    trial changes nothing, and returns what would be.
    """
    engine = runtime.engine
    with reading(engine) as session:
        if issue_id is not None:
            get_issue(session, issue_id)
        wanted = open_message_ids(session, issue_id)
    evidence = read_logs(names, wanted=wanted, now=runtime.clock(), zone=zone)
    with reading(engine) as session:
        outcomes = open_outcomes(session, issue_id)
    if complete:
        require_covered(evidence, outcomes)
    issues = {
        one.issue_id: reconcile(
            engine, one.issue_id, evidence, complete=complete, now=runtime.clock(), is_trial=is_trial
        )
        for one in outcomes
    }
    bounced = [one for one in evidence.bounced if issue_id is None or _issue_of(one) == issue_id]
    taken = _record(runtime, bounced, is_trial=is_trial)
    return LogReconciled(
        evidence=evidence,
        issues=issues,
        bounces=len(bounced),
        effects=Counter(one.effect for one in taken.told),
        known=taken.matched - len(taken.told),
        strange=taken.events - taken.matched,
    )


def _record(runtime: Runtime, bounced: Sequence[LoggedBounce], *, is_trial: bool) -> EventsTaken:
    taken = EventsTaken(0, 0, 0, ())
    events = list(_events(bounced))
    for first in range(0, len(events), AT_ONCE):
        page = events[first : first + AT_ONCE]
        keys = runtime.erasure_keys
        taken += take_events(runtime.engine, page, via=VIA, now=runtime.clock(), keys=keys, is_trial=is_trial)
    for one in taken.told:
        if one.effect is Effect.TOLD and not is_trial:
            tell_of_refusal(runtime, one.email, one.detail)
    return taken


def _events(bounced: Sequence[LoggedBounce]) -> Iterator[Event]:
    for one in bounced:
        yield Event(
            id=f"{one.message_id} {one.email} {one.status}",
            kind=EventKind.BOUNCED,
            names=(one.message_id,),
            email=one.email,
            status=one.status,
            diagnostic=one.text,
            must_match=True,
        )


def _issue_of(bounce: LoggedBounce) -> int:
    """Return whose issue's mail it was: our Message-IDs begin with its number."""
    number = bounce.message_id.strip("<").partition(".")[0]
    return int(number) if number.isdigit() else 0
