"""Taking an unsubscription back: each subscription becomes what it was, and nothing that was left since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState
from digest.store.database import open_engine, reading, writing
from digest.store.departures import DepartureRow, find_departure
from digest.store.leaving import left_together
from digest.store.subscribers import get_subscription, set_subscription_state, subscribe
from digest.store.subscription_lists import unsubscribe_all
from digest.track.leaving import resubscribe, unsubscribe_from_all
from digest.track.steps import Change, pause, restart, unsubscribe
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader

ANNA = "anna@example.org"
ACTIVE, PAUSED, PENDING, UNSUBSCRIBED = (
    SubscriptionState.ACTIVE,
    SubscriptionState.PAUSED,
    SubscriptionState.PENDING,
    SubscriptionState.UNSUBSCRIBED,
)
LATER = NOW + timedelta(days=3)


def standing(engine: Engine, newsletter: Newsletter) -> tuple[SubscriptionState, datetime | None]:
    with reading(engine) as session:
        found: Subscription = get_subscription(session, newsletter.id, ANNA)
    return found.state, found.paused_until


def two_newsletters(engine: Engine) -> tuple[Newsletter, Newsletter, SubscriberId]:
    weekly, daily = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    stored_reader(engine, weekly, ANNA, CLIMATE)
    return weekly, daily, stored_reader(engine, daily, ANNA, CLIMATE)


def test_undoing_confirms_nobody(engine: Engine) -> None:
    weekly = stored_newsletter(engine)
    who = stored_reader(engine, weekly, ANNA, CLIMATE)
    with writing(engine) as session:
        set_subscription_state(session, weekly.id, who, PENDING, now=NOW)
    unsubscribe(engine, weekly.id, who, now=NOW)
    assert restart(engine, weekly.id, who, now=LATER) is Change.NEVER_CONFIRMED
    assert standing(engine, weekly) == (UNSUBSCRIBED, None)
    for change in (Change.DONE, Change.ALREADY):
        assert resubscribe(engine, weekly.id, who, now=LATER) is change
        assert standing(engine, weekly) == (PENDING, None)


@pytest.mark.parametrize("until", [None, NOW + timedelta(days=20)])
def test_undoing_ends_no_pause(engine: Engine, until: datetime | None) -> None:
    weekly = stored_newsletter(engine)
    who = stored_reader(engine, weekly, ANNA, CLIMATE)
    pause(engine, weekly.id, who, now=NOW, until=until)
    unsubscribe(engine, weekly.id, who, now=NOW)
    for change in (Change.DONE, Change.ALREADY):
        assert resubscribe(engine, weekly.id, who, now=LATER) is change
        assert standing(engine, weekly) == (PAUSED, until)
    assert restart(engine, weekly.id, who, now=LATER) is Change.DONE
    assert standing(engine, weekly) == (ACTIVE, None)


def test_undoing_what_a_list_said_ends_no_pause(engine: Engine) -> None:
    weekly, daily, who = two_newsletters(engine)
    until = NOW + timedelta(days=20)
    pause(engine, weekly.id, who, now=NOW, until=until)
    for newsletter in (weekly, daily):
        with writing(engine) as session:
            unsubscribe_all(session, newsletter.id, [ANNA], now=NOW)
        assert standing(engine, newsletter) == (UNSUBSCRIBED, None)
    assert resubscribe(engine, weekly.id, who, now=LATER) is Change.DONE
    assert standing(engine, weekly) == (PAUSED, until)
    assert standing(engine, daily) == (UNSUBSCRIBED, None), "each was left by itself"


def test_a_list_looks_at_its_own_readers_departures_alone(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    weekly = stored_newsletter(engine)
    stored_reader(engine, weekly, ANNA, CLIMATE)
    plans: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def plan(_: object, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
        if statement.startswith("UPDATE departures"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    with writing(engine) as session:
        unsubscribe_all(session, weekly.id, [ANNA], now=NOW)
    assert "ix_departures_subscriber_id" in plans[0], "an import would walk all who ever left, page by page"
    engine.dispose()


def test_a_pause_that_has_ended_since_is_over(engine: Engine) -> None:
    weekly = stored_newsletter(engine)
    who = stored_reader(engine, weekly, ANNA, CLIMATE)
    pause(engine, weekly.id, who, now=NOW, until=NOW + timedelta(days=2))
    unsubscribe(engine, weekly.id, who, now=NOW)
    assert resubscribe(engine, weekly.id, who, now=LATER) is Change.DONE
    assert standing(engine, weekly) == (ACTIVE, None)


def test_who_asks_for_it_to_be_sent_again_ends_the_pause_they_left(engine: Engine) -> None:
    weekly = stored_newsletter(engine)
    who = stored_reader(engine, weekly, ANNA, CLIMATE)
    pause(engine, weekly.id, who, now=NOW, until=NOW + timedelta(days=20))
    unsubscribe(engine, weekly.id, who, now=NOW)
    assert restart(engine, weekly.id, who, now=LATER) is Change.DONE
    assert standing(engine, weekly) == (ACTIVE, None)


def test_what_was_left_after_the_first_comes_back_with_it(engine: Engine) -> None:
    weekly, daily, who = two_newsletters(engine)
    pause(engine, daily.id, who, now=NOW, until=NOW + timedelta(days=20))
    unsubscribe(engine, weekly.id, who, now=NOW)
    unsubscribe_from_all(engine, weekly.id, who, now=NOW + timedelta(minutes=1))
    assert resubscribe(engine, weekly.id, who, now=LATER) is Change.DONE
    assert standing(engine, weekly) == (ACTIVE, None)
    assert standing(engine, daily) == (PAUSED, NOW + timedelta(days=20))


def test_what_was_left_by_another_link_stays_left(engine: Engine) -> None:
    weekly, daily, who = two_newsletters(engine)
    unsubscribe(engine, weekly.id, who, now=NOW)
    unsubscribe(engine, daily.id, who, now=NOW)
    resubscribe(engine, weekly.id, who, now=LATER)
    assert standing(engine, weekly) == (ACTIVE, None)
    assert standing(engine, daily) == (UNSUBSCRIBED, None)


def test_what_was_left_too_long_ago_stays_left_and_the_rest_comes_back(engine: Engine) -> None:
    weekly, daily, who = two_newsletters(engine)
    unsubscribe(engine, weekly.id, who, now=NOW)
    unsubscribe_from_all(engine, weekly.id, who, now=NOW + timedelta(days=20))
    assert resubscribe(engine, weekly.id, who, now=NOW + timedelta(days=40)) is Change.DONE
    assert standing(engine, weekly) == (UNSUBSCRIBED, None)
    assert standing(engine, daily) == (ACTIVE, None)


@pytest.mark.parametrize("way", ["sign_up", "confirm", "restart"])
def test_whichever_way_somebody_comes_back_their_departure_is_over(engine: Engine, way: str) -> None:
    weekly, daily, who = two_newsletters(engine)
    unsubscribe_from_all(engine, weekly.id, who, now=NOW)
    with writing(engine) as session:
        if way == "sign_up":
            subscribe(session, daily.id, email=ANNA, follows=[CLIMATE], now=NOW)
        elif way == "confirm":
            set_subscription_state(session, daily.id, who, ACTIVE, now=NOW)
    if way == "restart":
        restart(engine, daily.id, who, now=NOW)
    with reading(engine) as session:
        assert find_departure(session, daily.id, who) is None
        assert [one.newsletter_id for one in left_together(session, weekly.id, who, now=NOW)] == [weekly.id]
    unsubscribe(engine, daily.id, who, now=LATER)
    resubscribe(engine, weekly.id, who, now=LATER)
    assert standing(engine, daily) == (UNSUBSCRIBED, None), "they left it by itself since"


def test_who_leaves_and_comes_back_in_a_loop_leaves_one_row_of_each_newsletter(engine: Engine) -> None:
    weekly, daily, who = two_newsletters(engine)
    for _ in range(3):
        assert unsubscribe_from_all(engine, weekly.id, who, now=NOW) == (weekly.id, daily.id)
        assert resubscribe(engine, daily.id, who, now=LATER) is Change.DONE
        assert standing(engine, weekly)[0] is standing(engine, daily)[0] is ACTIVE
    unsubscribe(engine, daily.id, who, now=LATER)
    with reading(engine) as session:
        rows = session.scalars(select(DepartureRow).order_by(DepartureRow.id)).all()
        assert [(row.newsletter_id, bool(row.undone_at)) for row in rows] == [
            (weekly.id, True),
            (daily.id, False),
        ]
    assert resubscribe(engine, daily.id, who, now=LATER) is Change.DONE
    assert standing(engine, weekly)[0] is ACTIVE
