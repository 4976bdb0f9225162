"""Figures in the ops room: charts that are drawn here, with tables that say the same."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, delete, update

from digest.domain.clicks import Clicks
from digest.domain.deliveries import DeliveryState
from digest.domain.measuring import LEAST, Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState
from digest.store.clicks import Hit, count_clicks
from digest.store.database import reading, writing
from digest.store.growth import growth_of
from digest.store.issues import get_issue
from digest.store.measures import IssueMeasureRow, note_measured
from digest.store.newsletters import change_newsletter
from digest.store.revisions import get_rendered
from digest.store.subscribers import find_subscription, set_subscription_state, subscribe
from digest.web.ops.charts import HEIGHT, RANKS, WIDTH, Group, ranked, stacked
from tests.stored import NOW as STORED_NOW
from tests.stored import stored_newsletter
from tests.waiting import PATIENCE
from tests.web.ops.reading import read
from tests.web.ops.world import BLOCKED, add_mails
from tests.web.site import Site
from tests.web.world import ADA, NOW, SENDING, set_state


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


def follow(site: Site, *clicks: tuple[int, str, str, int, int]) -> None:
    """Have links of the issue under way followed: position, topic, source, place, how often."""
    hits = [
        Hit("", SENDING, NOW, position, topic, source, place)
        for position, topic, source, place, times in clicks
        for _ in range(times)
    ]
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), clicks=Clicks.COUNTED)
        count_clicks(session, hits, hits[:1])


def test_what_was_followed_is_told_by_topic_source_place_and_article(ops: Site) -> None:
    follow(
        ops,
        (0, "climate", "Meridian", 1, 5),
        (3, "space", "Meridian", 12, 2),
        (1, "gone", "Northlight", 2, 1),
    )
    told = read(ops, "/ops/figures")
    assert "Links followed by issue followed left out as scanners at most 9" in told
    assert "23 Nov 2026, issue 1 8 1" in told
    assert "Followed by topic Topic Links followed Climate & energy 5 Space 2 gone 1" in told
    assert "Followed by source Source Links followed Meridian 7 Northlight 1" in told
    assert "Followed by place in the mail Place Links followed Article 1 5 Article 2 1 Article 12 2" in told
    with reading(ops.runtime.engine) as session:
        first = get_rendered(session, get_issue(session, SENDING)).titles[0]
    assert f"Followed by article: 23 Nov 2026, issue 1 Article Links followed {first} 5" in told
    assert "Clicks are counted without who it was, but for readers who agreed to more." in told


def test_without_clicks_the_page_says_how_to_have_them_counted(ops: Site) -> None:
    told = read(ops, "/ops/figures")
    assert "Clicks are not counted. Let its settings say so" in told
    assert 'href="/manage/newsletters/saturday#contents"' in ops.get("/ops/figures").text
    follow(ops)
    assert "No link was followed yet." in read(ops, "/ops/figures")


def measure(site: Site, agreed: int, *, opened: int = 0, followed: int = 0) -> None:
    """Have so many mails of the issue under way measured, and this become of them."""
    with writing(site.runtime.engine) as session:
        session.execute(delete(IssueMeasureRow))
        note_measured(session, SENDING, html=agreed, text=0, has_links=True)
        session.execute(update(IssueMeasureRow).values(opened=opened, followed=followed))


def test_what_was_opened_is_told_of_readers_who_agreed(ops: Site) -> None:
    measure(ops, 1204, opened=494, followed=120)
    told = read(ops, "/ops/figures")
    assert "Opened, by readers who agreed opened it others who agreed at most 1,204" in told
    assert "23 Nov 2026, issue 1: 41 % of 1,204 readers who agreed 494 710" in told
    assert "23 Nov 2026, issue 1: 10 % of 1,204 readers who agreed 120 1,084" in told
    assert "Only of readers who agreed, and never of all." in told
    page = ops.get("/ops/figures").text
    assert 'aria-label="Opened, by readers who agreed; the table below has the numbers"' in page


@pytest.mark.parametrize(
    ("agreed", "said"),
    [
        (LEAST - 1, f"So far fewer than {LEAST} readers of an issue agreed to be measured."),
        (LEAST, f"15 % of {LEAST} readers who agreed 3 17"),
    ],
)
def test_of_few_readers_nothing_is_told(ops: Site, agreed: int, said: str) -> None:
    measure(ops, agreed, opened=3)
    told = read(ops, "/ops/figures")
    assert said in told
    assert f"{LEAST - 1} readers" not in told


def test_readers_who_are_asked_are_not_measured_yet(ops: Site) -> None:
    with writing(ops.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), measuring=Measuring.ASKED)
    assert "Readers are asked where they sign up and in their settings." in read(ops, "/ops/figures")


def test_without_measuring_the_page_says_how_readers_are_asked(ops: Site) -> None:
    assert "Nobody is asked, so nothing is measured." in read(ops, "/ops/figures")


def test_a_ranking_shows_the_most_and_counts_the_rest() -> None:
    found = ranked("Followed", "Source", {f"source {n}": n for n in range(RANKS + 3)})
    assert len(found.rows) == RANKS
    assert (found.rows[0].name, found.rows[0].length) == (f"source {RANKS + 2}", 100)
    assert (found.left_out, found.rest) == (2, 3), "of nothing nothing is shown"
    in_order = ranked("Followed", "Place", {"1": 1, "2": 4}, in_order=["1", "2"])
    assert [(row.name, row.length) for row in in_order.rows] == [("1", 25), ("2", 100)]
    assert ranked("Followed", "Source", {}).rows == ()


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
