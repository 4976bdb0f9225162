"""An issue under way in a database, for tests of what becomes of its deliveries."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.store.audiences import add_editions
from digest.store.claims import (
    arm_deliveries,
    claim_deliveries,
    reap_leases,
    return_claims,
    settle_deliveries,
)
from digest.store.database import reading, writing
from digest.store.deliveries import NewDelivery, add_deliveries, cancel_for_subscriber, find_delivery
from digest.store.open_outcomes import settle_unknown
from digest.store.subscribers import set_subscription_state
from tests.stored import CLIMATE, NOW, approved_issue, change, states, stored_newsletter, stored_reader

PENDING, CLAIMED, SENDING = DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING
ACCEPTED, FAILED, UNKNOWN = DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNKNOWN
CANCELLED = DeliveryState.CANCELLED

LEASE = timedelta(minutes=5)
LATER = NOW + LEASE + timedelta(seconds=1)
"""After every lease has run out."""

OK = Outcome(ACCEPTED, 250, "2.0.0 queued")


class Sending:
    """An issue under way to a few readers, and the questions a worker asks."""

    def __init__(self, engine: Engine, readers: int) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)
        self.issue: Issue = approved_issue(engine, self.newsletter)
        self.readers = [
            stored_reader(engine, self.newsletter, f"r{number}@example.org", CLIMATE)
            for number in range(readers)
        ]
        self.address(self.issue)

    def address(self, issue: Issue) -> None:
        with writing(self.engine) as session:
            (edition,) = add_editions(session, issue.id, ["climate:0"], after=0).values()
            emails = [(who, f"r{number}@example.org") for number, who in enumerate(self.readers)]
            new = [
                NewDelivery(who, email, email_key(email), f"<{issue.id}.{who}@news.example.org>", edition)
                for who, email in emails
            ]
            add_deliveries(session, issue.id, new, now=NOW)
        change(self.engine, issue, IssueState.SENDING)

    def claim(
        self, owner: str = "w1", *, limit: int = 100, now: datetime = NOW, issue: Issue | None = None
    ) -> tuple[Claim, ...]:
        with writing(self.engine) as session:
            return claim_deliveries(
                session,
                (issue or self.issue).id,
                owner=owner,
                limit=limit,
                now=now,
                lease_until=now + LEASE,
            )

    def claim_one(self, owner: str = "w1", *, now: datetime = NOW) -> Claim:
        (claim,) = self.claim(owner, limit=1, now=now)
        return claim

    def arm(self, *claims: Claim, owner: str = "w1") -> set[int]:
        with writing(self.engine) as session:
            return {claim.id for claim in arm_deliveries(session, claims, owner=owner, now=NOW)}

    def settle(self, claim: Claim, outcome: Outcome = OK, *, now: datetime = NOW) -> int:
        with writing(self.engine) as session:
            return settle_deliveries(session, [(claim, outcome)], now=now)

    def give_back(self, *claims: Claim, owner: str = "w1") -> None:
        with writing(self.engine) as session:
            return_claims(session, claims, owner=owner)

    def reap(self, *, now: datetime = LATER) -> tuple[int, int]:
        with writing(self.engine) as session:
            return reap_leases(session, now=now)

    def reconcile(self, *accepted: Claim, absent_are_pending: bool = False) -> tuple[int, int]:
        taken = {claim.message_id for claim in accepted}
        with writing(self.engine) as session:
            return settle_unknown(
                session,
                self.issue.id,
                accepted=taken,
                absent_are_pending=absent_are_pending,
                now=LATER,
            )

    def unsubscribe(self, who: SubscriberId) -> int:
        with writing(self.engine) as session:
            set_subscription_state(session, self.newsletter.id, who, SubscriptionState.UNSUBSCRIBED, now=NOW)
            return cancel_for_subscriber(session, self.newsletter.id, who)

    @property
    def states(self) -> dict[DeliveryState, int]:
        return states(self.engine, self.issue)

    def in_state(self, state: DeliveryState) -> Claim:
        """Bring the next pending delivery into `state`; return the claim that did."""
        claim = self.claim_one()
        if state is PENDING:
            self.give_back(claim)
        if state in (SENDING, UNKNOWN, ACCEPTED, FAILED):
            assert self.arm(claim) == {claim.id}
        if state in (ACCEPTED, FAILED, UNKNOWN):
            self.settle(claim, Outcome(state, 250, "said so"))
        if state is CANCELLED:
            self.unsubscribe(claim.subscriber_id)
        assert self.state_of(claim) is state
        return claim

    def state_of(self, claim: Claim) -> DeliveryState:
        with reading(self.engine) as session:
            row = find_delivery(session, self.issue.id, claim.subscriber_id)
            assert row is not None
            return DeliveryState(row.state)
