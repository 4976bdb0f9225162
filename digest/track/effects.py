"""What follows from a verdict about a reader, wherever it came from: as mail, from a provider, from a log."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from digest.domain.bounces import Meaning
from digest.domain.suppressions import SuppressionReason
from digest.store.bounces import count_soft_bounce, suppress_bounced
from digest.store.returned import Effect, ReturnedDelivery, was_told
from digest.track.verdicts import Verdict

TELL_AGAIN = timedelta(hours=24)
"""So long ops are told once of a domain that refuses us, however many reports say so."""


def follow_from(session: Session, verdict: Verdict, delivery: ReturnedDelivery, *, now: datetime) -> Effect:
    """Do what a verdict about a delivery calls for, once; return what is different now."""
    match verdict.meaning:
        case Meaning.GONE | Meaning.COMPLAINT:
            is_complaint = verdict.meaning is Meaning.COMPLAINT
            reason = SuppressionReason.COMPLAINT if is_complaint else SuppressionReason.HARD_BOUNCE
            is_new = suppress_bounced(
                session, delivery.email, verdict.detail, delivery_id=delivery.id, reason=reason, now=now
            )
            return Effect.SUPPRESSED if is_new else Effect.KNOWN
        case Meaning.SOFT:
            has_paused = count_soft_bounce(session, delivery.id, detail=verdict.detail, now=now)
            if has_paused is None:
                return Effect.KNOWN
            return Effect.PAUSED if has_paused else Effect.COUNTED
        case Meaning.REFUSES_US:
            domain = delivery.email.rpartition("@")[2].lower()
            return Effect.NONE if was_told(session, domain, since=now - TELL_AGAIN) else Effect.TOLD
        case _:
            return Effect.NONE
