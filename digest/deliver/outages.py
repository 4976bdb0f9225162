"""A mail server that stays away: tried again ever more calmly, told to ops once an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.store.database import reading, writing
from digest.store.deliveries import count_deliveries
from digest.store.outages import Outage, claim_telling, end_outage, find_outage, record_outage

log = structlog.get_logger(__name__)

TELL_AFTER = timedelta(minutes=5)
"""A server that restarts is back before, and nobody needs to be told."""

TELL_AGAIN = timedelta(hours=1)

_SOONEST, _LATEST = timedelta(seconds=5), timedelta(minutes=1)


def retry_wait(lasted: timedelta) -> timedelta:
    """Return how long to wait for the next try: as long as it has lasted, from 5 seconds to a minute."""
    return min(_LATEST, max(_SOONEST, lasted))


def meet_outage(engine: Engine, issue_id: IssueId, reason: str, *, now: datetime) -> None:
    """Record that no conversation could be opened for an issue, and tell ops when it is time to."""
    with writing(engine) as session:
        known = find_outage(session, issue_id)
        since = known.since if known else now
        outage = Outage(issue_id, reason, since, now + retry_wait(now - since))
        record_outage(session, outage)
        is_ours = claim_telling(session, issue_id, now=now, after=TELL_AFTER, again=TELL_AGAIN)
        waiting = count_deliveries(session, issue_id)[DeliveryState.PENDING] if is_ours else 0
    if is_ours:
        log.error(
            "mail.away",
            issue=issue_id,
            reason=reason,
            since=f"{since:%Y-%m-%d %H:%M} UTC",
            waiting=waiting,
            next_try=f"{outage.retry_at:%Y-%m-%d %H:%M:%S} UTC",
            advice=_advice(issue_id),
        )


def leave_outage(engine: Engine, issue_id: IssueId, *, now: datetime) -> None:
    """Record that the server answers; nothing is written when it did before."""
    with reading(engine) as session:
        outage = find_outage(session, issue_id)
    if outage is None:
        return
    with writing(engine) as session:
        end_outage(session, issue_id)
    log.info("mail.back", issue=issue_id, minutes=(now - outage.since) // timedelta(minutes=1))


def outage_note(session: Session, issue_id: IssueId) -> str:
    """Return in words what the issue waits for, since when, and what to do; '' when the server answers."""
    outage = find_outage(session, issue_id)
    if outage is None:
        return ""
    return (
        f"No mail of issue {issue_id} could be handed over since {outage.since:%Y-%m-%d %H:%M} UTC: "
        f"{outage.reason.rstrip('.')}. A worker tries again at {outage.retry_at:%H:%M:%S} UTC. "
        f"{_advice(issue_id)}"
    )


def _advice(issue_id: IssueId) -> str:
    return (
        "Check mail_url, and that the server is up: 'digest doctor' tries it. Nothing is lost: a worker goes "
        f"on by itself when it answers, and so does 'digest send {issue_id}'."
    )
