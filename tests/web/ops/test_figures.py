"""Figures in the ops room: charts that are drawn here, with tables that say the same."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.deliveries import DeliveryState
from digest.domain.subscribers import SubscriptionState
from digest.store.database import reading, writing
from digest.store.growth import growth_of
from digest.store.subscribers import find_subscription, set_subscription_state, subscribe
from digest.web.ops.charts import HEIGHT, WIDTH, Group, stacked
from tests.stored import NOW as STORED_NOW
from tests.stored import stored_newsletter
from tests.waiting import PATIENCE
from tests.web.ops.reading import read
from tests.web.ops.world import BLOCKED, add_mails
from tests.web.site import Site
from tests.web.world import ADA, SENDING, set_state


@pytest.fixture(autouse=True)
def counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for page in ("figure_views", "sends"):
        monkeypatch.setattr(f"digest.web.ops.{page}.WAIT_SECONDS", PATIENCE)


def test_a_newsletters_figures_are_drawn_and_told(ops: Site) -> None:
    add_mails(ops.runtime.engine, DeliveryState.ACCEPTED, 60)
    add_mails(ops.runtime.engine, DeliveryState.FAILED, 20, said=BLOCKED)
    set_state(ops.runtime.engine, ADA, SubscriptionState.UNSUBSCRIBED)
    read(ops, f"/ops/sends/{SENDING}")
    told = read(ops, "/ops/figures")
    assert "The Saturday Reader 4 readers now." in told
    assert "Mails by issue accepted called spam failed at most 80" in told
    assert "23 Nov 2026, issue 1 60 0 20" in told
    assert "New readers by week" in told
    assert re.search(r"16 Nov 2026 0 23 Nov 2026 6 ", told), "all of them came this week"
    assert "unsubscribed 23 Nov 2026, issue 1 1" in told
    page = ops.get("/ops/figures").text
    assert page.count("<svg") == 3
    assert 'role="img" aria-label="Mails by issue; the table below has the numbers"' in page


def test_what_is_not_there_is_told(ops: Site, empty_site: Site) -> None:
    assert "There is no newsletter yet." in read(empty_site, "/ops/figures")
    assert "no newsletter 'sunday'" in read(ops, "/ops/figures?newsletter=sunday", 404)


def test_bars_stand_on_one_another_and_fill_the_drawing() -> None:
    groups = [Group(f"week {number}", (number, 10 - number)) for number in range(11)]
    chart = stacked("Sent", ("good", "bad"), ("accent", "bad"), groups)
    assert chart.top == "10"
    assert len(chart.bars) == 20, "of nothing nothing is drawn"
    by_place: dict[float, float] = {}
    for bar in chart.bars:
        assert 0 <= bar.x < bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.1
        by_place[bar.x] = by_place.get(bar.x, 0) + bar.height
    assert all(abs(height - HEIGHT) < 0.2 for height in by_place.values())
    assert chart.bars[0].title == "week 0: 10 bad"
    assert stacked("Sent", ("good",), ("accent",), [Group("now", (0,))]).is_empty


def test_who_came_and_left_is_counted_by_day(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    with writing(engine) as session:
        for number, ago in enumerate((0, 0, 3, 400)):
            came = STORED_NOW - timedelta(days=ago)
            subscribe(session, newsletter.id, email=f"r{number}@example.org", follows=[], now=came)
        gone = find_subscription(session, newsletter.id, "r1@example.org")
        assert gone
        state = SubscriptionState.UNSUBSCRIBED
        set_subscription_state(session, newsletter.id, gone.subscriber.id, state, now=STORED_NOW)
    with reading(engine) as session:
        found = growth_of(session, newsletter.id, since=STORED_NOW - timedelta(days=30))
    assert found.active == 3
    assert found.came == {date(2026, 11, 23): 2, date(2026, 11, 20): 1}
    assert found.left == {date(2026, 11, 23): 1}
