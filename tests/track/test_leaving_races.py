"""A thousand readers leave while their issue is sent: nothing is armed after what they did is committed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

from sqlalchemy import Engine, select

from digest.address.steps import address_issue
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId
from digest.store.claims import arm_deliveries, claim_deliveries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.track.steps import unsubscribe
from tests.stored import CLIMATE, NOW, approved_issue, stored_crowd, stored_newsletter

READERS, BATCH, LEAVERS = 1_000, 20, 4


def test_nothing_is_armed_after_an_unsubscription_was_committed(engine: Engine) -> None:
    newsletter, issue, readers = being_sent(engine)

    def leave(who: SubscriberId) -> datetime | None:
        unsubscribe(engine, newsletter.id, who, now=NOW)
        return armed_at(engine, issue, who)

    at_once, in_the_end = while_sending(engine, issue, readers, leave)
    assert at_once == in_the_end
    assert any(at_once.values()), "the sending did not run beside it"
    assert not all(at_once.values()), "everybody was too late"


def test_the_race_is_one_that_can_be_lost(engine: Engine) -> None:
    """The control: who only has their delivery looked at is armed afterwards all the same."""
    _, issue, readers = being_sent(engine)
    at_once, in_the_end = while_sending(engine, issue, readers, lambda who: armed_at(engine, issue, who))
    assert at_once != in_the_end


def being_sent(engine: Engine) -> tuple[Newsletter, Issue, list[SubscriberId]]:
    newsletter = stored_newsletter(engine)
    emails = [f"reader{number}@example.org" for number in range(READERS)]
    readers = stored_crowd(engine, newsletter, emails, CLIMATE)
    issue = approved_issue(engine, newsletter)
    address_issue(engine, issue.id, now=NOW)
    return newsletter, issue, readers


def while_sending(
    engine: Engine,
    issue: Issue,
    readers: list[SubscriberId],
    act: Callable[[SubscriberId], datetime | None],
) -> tuple[dict[SubscriberId, datetime | None], dict[SubscriberId, datetime | None]]:
    """Have each reader act while the issue is sent; return when each was armed, then and in the end."""
    has_begun = Event()
    with ThreadPoolExecutor(LEAVERS + 1) as threads:
        sending = threads.submit(arm_all, engine, issue, has_begun)
        has_begun.wait(30)
        # The last in the queue first: they meet the sending in the middle.
        acts = dict(zip(reversed(readers), threads.map(act, reversed(readers)), strict=True))
        sending.result()
    with reading(engine) as session:
        rows = select(DeliveryRow.subscriber_id, DeliveryRow.armed_at).where(DeliveryRow.issue_id == issue.id)
        armed = {SubscriberId(who): moment for who, moment in session.execute(rows)}
    return acts, {who: armed.get(who) for who in readers}


def arm_all(engine: Engine, issue: Issue, has_begun: Event) -> None:
    """Claim and arm everything, as a worker does."""
    while True:
        with writing(engine) as session:
            claims = claim_deliveries(
                session, issue.id, owner="w", limit=BATCH, now=NOW, lease_until=NOW + timedelta(minutes=5)
            )
        if not claims:
            return
        with writing(engine) as session:
            arm_deliveries(session, claims, owner="w", now=NOW)
        has_begun.set()


def armed_at(engine: Engine, issue: Issue, who: SubscriberId) -> datetime | None:
    with reading(engine) as session:
        return session.scalar(
            select(DeliveryRow.armed_at).where(
                DeliveryRow.issue_id == issue.id, DeliveryRow.subscriber_id == who
            )
        )
