from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.issues import Issue
from digest.store.claims import claim_deliveries, settle_deliveries
from digest.store.database import reading, writing
from digest.store.standing import Deferred, find_deferred, standings
from tests.stored import CLIMATE, NOW, approved_issue, stored_newsletter, stored_reader


@pytest.fixture
def issue(engine: Engine) -> Issue:
    """An issue under way to anna, ben and cy."""
    newsletter = stored_newsletter(engine)
    issue = approved_issue(engine, newsletter)
    for name in ("cy", "anna", "ben"):
        stored_reader(engine, newsletter, f"{name}@example.org", CLIMATE)
    address_issue(engine, issue.id, now=NOW)
    return issue


def settle(engine: Engine, issue: Issue, **outcomes: Outcome) -> None:
    with writing(engine) as session:
        claims: tuple[Claim, ...] = claim_deliveries(
            session, issue.id, owner="w", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
        by_name = {claim.email.partition("@")[0]: claim for claim in claims}
        settle_deliveries(session, [(by_name[name], outcome) for name, outcome in outcomes.items()], now=NOW)


def deferred_for(minutes: int) -> Outcome:
    return Outcome(DeliveryState.PENDING, 451, f"4.7.1 wait {minutes}", timedelta(minutes=minutes))


def test_each_addressed_reader_is_named_with_how_their_mail_stands(engine: Engine, issue: Issue) -> None:
    settle(engine, issue, anna=Outcome(DeliveryState.ACCEPTED, 250), cy=Outcome(DeliveryState.FAILED, 550))
    with reading(engine) as session:
        found = {one.email: one.state for one in standings(session, issue.id)}
    assert list(found) == ["anna@example.org", "ben@example.org", "cy@example.org"]
    assert [state.value for state in found.values()] == ["accepted", "claimed", "failed"]


def test_what_was_put_off_is_counted_with_its_next_try_and_the_servers_words(
    engine: Engine, issue: Issue
) -> None:
    with reading(engine) as session:
        assert find_deferred(session, issue.id, now=NOW) is None
    settle(engine, issue, anna=deferred_for(9), ben=deferred_for(4), cy=Outcome(DeliveryState.ACCEPTED, 250))
    with reading(engine) as session:
        found = find_deferred(session, issue.id, now=NOW)
        later = find_deferred(session, issue.id, now=NOW + timedelta(minutes=5))
        last = find_deferred(session, issue.id, now=NOW + timedelta(minutes=9))
    assert found == Deferred(2, NOW + timedelta(minutes=4), "451 4.7.1 wait 4")
    assert later == Deferred(1, NOW + timedelta(minutes=9), "451 4.7.1 wait 9")
    assert last is None
