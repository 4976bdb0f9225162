"""Mails of which nobody knows whether they arrived, settled by what a mail server's log proves."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictInt

from digest.deliver.logs.files import HeldLog
from digest.domain.accounts import Right
from digest.domain.issues import IssueId
from digest.domain.times import zone
from digest.pipeline.reconciling import LogReconciled, reconcile_logs
from digest.store.returned import Effect
from digest.web.api.access import Call, asks
from digest.web.api.shapes import NUMBER_MOST, Given, Line, Text, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Sending"])

LOG_MAX = 8_000_000
"""Characters of a log: some 40,000 mails of Postfix's. Longer ones come in parts, or on the server itself."""


class Evidence(Given):
    """What a mail server says of mails whose outcome is open."""

    log: Text = Field(
        min_length=1,
        max_length=LOG_MAX,
        description="A log of Postfix's or Exim's, or a Message-ID on each line, of mails that were taken.",
        examples=["<1.2.0123456789ab@example.org>"],
    )
    issue: StrictInt | None = Field(
        None, ge=1, le=NUMBER_MOST, description="Only this issue's mails; null: all."
    )
    complete: StrictBool = Field(
        False, description="It holds all that was taken: what is not in it is sent again."
    )
    timezone: Line = Field("", description="The zone of stamps without one; '' for the server's.")
    is_trial: StrictBool = Field(False, description="Change nothing, and say what would be.")


class Settled(Told):
    """What became of an issue's mails of unknown outcome."""

    issue: int
    accepted: int
    again: int = Field(description="Mails that are sent again.")
    unknown: int = Field(description="Mails that are still of unknown outcome.")


class Reconciled(Told):
    """What a log came to."""

    is_trial: bool
    servers: list[str] = Field(description="Whose log it is; none for a list of Message-IDs.")
    lines: int
    first: datetime | None = Field(description="When its first line was written.")
    last: datetime | None
    issues: list[Settled]
    bounces: int = Field(description="Bounces of ours in it.")
    effects: dict[Effect, int] = Field(description="What the new ones of them changed.")
    known: int = Field(description="Bounces taken in before.")
    strange: int = Field(description="Bounces of mails that are not there any more.")

    @classmethod
    def of(cls, one: LogReconciled, *, is_trial: bool) -> Reconciled:
        """Return what a log came to as the API tells it."""
        return cls(
            is_trial=is_trial,
            servers=sorted(one.evidence.servers),
            lines=one.evidence.lines,
            first=one.evidence.first,
            last=one.evidence.last,
            issues=[
                Settled(issue=issue, accepted=done.accepted, again=done.again, unknown=done.unknown)
                for issue, done in one.issues.items()
            ],
            bounces=one.bounces,
            effects=dict(one.effects),
            known=one.known,
            strange=one.strange,
        )


@router.post("/deliveries/reconcile", **asks(Right.OPERATE))
def reconcile_deliveries(runtime: TheRuntime, evidence: Evidence) -> Reconciled:
    """Settle mails of unknown outcome by a mail server's log, or by a list of those that arrived."""
    where = zone(evidence.timezone.strip()) if evidence.timezone.strip() else None
    log = HeldLog("the log", evidence.log.encode("utf-8", "surrogatepass"))
    done = reconcile_logs(
        runtime,
        [log],
        issue_id=IssueId(evidence.issue) if evidence.issue else None,
        complete=evidence.complete,
        zone=where,
        is_trial=evidence.is_trial,
    )
    return Reconciled.of(done, is_trial=evidence.is_trial)
