"""Settle by evidence what the mail server left open: its log says which messages it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.deliver.logs.evidence import Evidence
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.issues import IssueId, IssueState
from digest.store.database import writing
from digest.store.deliveries import (
    cancel_for_issue,
    count_deliveries,
)
from digest.store.issues import change_issue, lock_issue
from digest.store.open_outcomes import (
    OpenOutcomes,
    open_outcomes,
    settle_unknown,
)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many unknown deliveries were found `accepted`, are sent `again`, and are still `unknown`."""

    accepted: int
    again: int
    unknown: int


def reconcile(
    engine: Engine,
    issue_id: int,
    evidence: Evidence,
    *,
    complete: bool,
    now: datetime,
    is_trial: bool = False,
) -> Reconciled:
    """Settle an issue's unknown deliveries by what a server's log says it took.

    With `complete`, the log holds all that the server took: what it does not name was never accepted, and is
    sent again, unless the issue was cancelled meanwhile. Raises `Conflict` when nothing is unknown, and for
    `complete` when the log does not cover the time in question; then nothing was changed, nor is by a trial.
    """
    with writing(engine) as session:
        # Locked, so that nobody closes the issue between the look at its state and the reopening.
        issue = lock_issue(session, issue_id)
        outcomes = open_outcomes(session, issue.id)
        if not outcomes:
            raise Conflict(
                f"issue {issue_id} has no delivery of unknown outcome: there is nothing to settle. "
                f"'digest issue show {issue_id}' tells how its sending stands."
            )
        if complete:
            require_covered(evidence, outcomes)
        done = _settle(session, issue.id, issue.state, evidence, complete=complete, now=now)
        if is_trial:
            session.rollback()
    return done


def _settle(
    session: Session,
    issue_id: IssueId,
    state: IssueState,
    evidence: Evidence,
    *,
    complete: bool,
    now: datetime,
) -> Reconciled:
    there, again = settle_unknown(
        session,
        issue_id,
        accepted=evidence.taken,
        asked=evidence.asked,
        absent_are_pending=complete,
        now=now,
    )
    if state is IssueState.CANCELLED:
        cancel_for_issue(session, issue_id)
        again = 0
    elif again and state is IssueState.SENT:
        change_issue(session, issue_id, IssueState.SENDING, now=now)
    return Reconciled(there, again, count_deliveries(session, issue_id)[DeliveryState.UNKNOWN])


def require_covered(evidence: Evidence, outcomes: Sequence[OpenOutcomes]) -> None:
    """Raise `Conflict` unless the evidence covers when these were armed.

    Otherwise a mail that the server took would count as never taken for want of a page of its log, and be
    sent a second time.
    """
    for one in outcomes:
        if not evidence.covers(one.first_armed, one.last_armed):
            raise Conflict(
                f"--complete: the log covers {_span(evidence.first, evidence.last)}, and the open mails of "
                f"issue {one.issue_id} were sent {_span(one.first_armed, one.last_armed)}: what it does not "
                "name may stand in another part of it. Give the older and newer files, too, wait until the "
                "log goes on, or leave --complete out. Nothing was changed."
            )


def _span(first: datetime | None, last: datetime | None) -> str:
    if first is None or last is None:
        return "a time that it does not say"
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
