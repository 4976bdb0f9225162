"""Whom the tests of erasing erase, and what becomes of their mail meanwhile."""

from __future__ import annotations

from sqlalchemy import select

from digest.domain.deliveries import Claim, Outcome
from digest.domain.subscribers import SubscriberId
from digest.store.bounces import record_refusals
from digest.store.claims import arm_deliveries, settle_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.subscribers import SubscriberRow
from tests.pipeline.controlled import OWNER, Controlled
from tests.stored import NOW

ADA = "r0@example.org"
SAID = f"5.1.1 <{ADA}> is not here"


def number_of(send: Controlled, email: str = ADA) -> SubscriberId:
    with reading(send.engine) as session:
        found = session.scalars(select(SubscriberRow.id).where(SubscriberRow.email_key == email)).one()
    return SubscriberId(found)


def claim_of(send: Controlled, who: SubscriberId) -> Claim:
    (found,) = [claim for claim in send.claim() if claim.subscriber_id == who]
    return found


def arm(send: Controlled, claim: Claim) -> bool:
    with writing(send.engine) as session:
        return bool(arm_deliveries(session, [claim], owner=OWNER, now=NOW))


def settle(send: Controlled, claim: Claim, outcome: Outcome) -> int:
    with writing(send.engine) as session:
        count = settle_deliveries(session, [(claim, outcome)], now=NOW)
        record_refusals(session, [(claim, outcome)], now=NOW)
    return count


def mail_to(send: Controlled, who: SubscriberId) -> DeliveryRow:
    with reading(send.engine) as session:
        return session.scalars(select(DeliveryRow).where(DeliveryRow.subscriber_id == who)).one()
