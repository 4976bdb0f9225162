"""A newsletter with readers and an approved issue, addressed when a test says so."""

from __future__ import annotations

from sqlalchemy import Engine

from digest.address.steps import Addressed, address_issue
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason, SubscriberId, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.database import reading, writing
from digest.store.deliveries import planned_deliveries, planned_skips
from digest.store.issues import get_issue
from digest.store.subscribers import set_subscription_state
from digest.store.suppressions import suppress
from tests.stored import CITIES, CLIMATE, NOW, SPACE, approved_issue, stored_newsletter, stored_reader


class Audience:
    """A newsletter with readers and an approved issue: climate, space+climate, space, cities."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)
        self.issue: Issue = approved_issue(
            engine, self.newsletter, (CLIMATE,), (SPACE, CLIMATE), (SPACE,), (CITIES,)
        )

    def add(self, name: str, *follows: TopicSlug) -> SubscriberId:
        return stored_reader(self.engine, self.newsletter, f"{name}@example.org", *follows)

    def set(self, who: SubscriberId, state: SubscriptionState) -> None:
        with writing(self.engine) as session:
            set_subscription_state(session, self.newsletter.id, who, state, now=NOW)

    def suppress(self, email: str) -> None:
        with writing(self.engine) as session:
            suppress(session, email, reason="bounce", detail="", now=NOW)

    def address(self) -> Addressed:
        return address_issue(self.engine, self.issue.id, now=NOW)

    @property
    def planned(self) -> dict[str, str]:
        with reading(self.engine) as session:
            return dict(planned_deliveries(session, self.issue.id))

    @property
    def skipped(self) -> dict[str, SkipReason]:
        with reading(self.engine) as session:
            return {email: skip.reason for email, skip in planned_skips(session, self.issue.id)}

    @property
    def state(self) -> IssueState:
        with reading(self.engine) as session:
            return get_issue(session, self.issue.id).state
