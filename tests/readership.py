"""One reader of a weekly, and what becomes of the issues they are sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.domain.deliveries import DeliveryId, DeliveryState, Outcome
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.times import Window
from digest.store.bounces import count_soft_bounce, record_refusals, soft_bounces_in_a_row
from digest.store.claims import claim_deliveries, settle_deliveries
from digest.store.database import reading, writing
from digest.store.subscribers import subscription_of
from tests.stored import CLIMATE, NOW, approved_issue, stored_newsletter, stored_reader


class Readership:
    """One reader and their issues, a week apart."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)
        self.reader: SubscriberId = stored_reader(engine, self.newsletter, "ada@example.org", CLIMATE)
        self.weeks = 0

    def address(self) -> Issue:
        self.weeks += 1
        first = date(2026, 11, 16) + timedelta(weeks=self.weeks)
        window = Window.of_days(first, first + timedelta(days=6), ZoneInfo("UTC"))
        issue = approved_issue(self.engine, self.newsletter, window=window)
        address_issue(self.engine, issue.id, now=self.now)
        return issue

    @property
    def now(self) -> datetime:
        return NOW + timedelta(weeks=self.weeks)

    def settle(self, issue: Issue, outcome: Outcome) -> DeliveryId:
        with writing(self.engine) as session:
            then = self.now + timedelta(minutes=1)
            (claim,) = claim_deliveries(
                session, issue.id, owner="w", limit=9, now=then, lease_until=then + timedelta(minutes=5)
            )
            settle_deliveries(session, [(claim, outcome)], now=then)
            record_refusals(session, [(claim, outcome)], now=then)
        return claim.id

    def sent(self) -> DeliveryId:
        return self.settle(self.address(), Outcome(DeliveryState.ACCEPTED, 250, "ok"))

    def soft(self, delivery: DeliveryId) -> bool | None:
        with writing(self.engine) as session:
            return count_soft_bounce(session, delivery, detail="4.2.2 full", now=self.now)

    @property
    def state(self) -> SubscriptionState:
        with reading(self.engine) as session:
            found = subscription_of(session, self.newsletter.id, self.reader)
        assert found
        return found.state

    @property
    def in_a_row(self) -> int:
        with reading(self.engine) as session:
            return soft_bounces_in_a_row(session, self.newsletter.id, self.reader)
