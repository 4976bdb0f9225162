"""A reader's settings by the link of their mail: what they choose, what the next issue would hold, pauses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, update

from digest.compose.edits import mark_of
from digest.domain.cadences import Cadence
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.domain.times import Window
from digest.pipeline import next_issue
from digest.pipeline.managing import segments
from digest.store.contents import IssueTopicRow
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow, make_issue
from digest.store.newsletters import change_newsletter, remove_topic
from digest.store.schedules import add_schedule
from digest.store.subscribers import get_subscription, set_subscription_state
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, FOOD
from tests.web.draft.test_pages import write
from tests.web.site import Site
from tests.web.test_editor import text_of
from tests.web.world import ADA, BEN, DRAFT, NOW, SENDING, contents, follows_of, reader_id, state_of

ALL = {
    "save": "topics",
    "topic": ["space"],
    "day": "saturday",
    "hour": "8",
    "zone": "America/New_York",
    "most": "5",
    "language": "fr",
    "form": "text",
}


def of(site: Site, email: str) -> Subscription:
    with reading(site.runtime.engine) as session:
        return get_subscription(session, NewsletterId(1), email)


def chosen(page: str, field: str) -> str:
    """Return the option that is chosen of a field, '' for the first."""
    select = re.search(rf'<select id="{field}".*?</select>', page, re.DOTALL)
    assert select, field
    found = re.search(r'<option value="([^"]*)"[^>]* selected', select[0])
    return found[1] if found else ""


def test_all_that_is_chosen_is_stored_and_shown_again(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    saved = site.post(link, **ALL)
    assert saved.status_code == 200
    found = of(site, ADA)
    assert (found.follows, found.send_at, found.max_items) == ({"space"}, "saturday 08:00", 5)
    assert (found.subscriber.timezone, found.subscriber.language, found.text_only) == (
        *("America/New_York", "fr"),
        True,
    )
    assert "Vos réglages" in saved.text, "the page speaks what was chosen at once"
    page = site.get(link).text
    assert [chosen(page, field) for field in ("day", "hour", "zone", "language")] == [
        *("saturday", "8", "America/New_York", "fr")
    ]
    assert re.search(r'id="most"[^>]* value="5"', page)
    assert re.search(r'name="form" value="text" checked', page)


@pytest.mark.parametrize("language", ["xx", "en-UK", "x", "tlh"])
def test_a_language_that_nobody_knows_is_shown_by_its_tag(language: str, site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    # A list that was imported has such a one; what a form sends goes the same way.
    saved = site.post(link, **{**ALL, "language": language})
    assert of(site, ADA).subscriber.language == (language if saved.status_code == 200 else "")
    page = site.get(link)
    assert page.status_code == 200
    assert saved.status_code == 422 or chosen(page.text, "language") == language


def test_what_is_taken_back_is_the_newsletters_again(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    site.post(link, **ALL)
    nothing = dict.fromkeys(("day", "hour", "zone", "most", "language"), "")
    site.post(link, save="topics", topic=["climate"], form="html", **nothing)
    found = of(site, ADA)
    assert (found.send_at, found.max_items, found.text_only) == ("", None, False)
    assert (found.subscriber.timezone, found.subscriber.language) == ("", "")


def test_a_page_opened_before_there_were_these_fields_takes_none_of_them_away(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    site.post(link, **ALL)
    assert site.post(link, save="topics", topic=["food"]).status_code == 200
    found = of(site, ADA)
    assert (found.follows, found.send_at, found.max_items, found.text_only) == (
        *({FOOD}, "saturday 08:00", 5),
        True,
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("most", "many", "Give a number from 1 to 200"),
        ("most", "0", "Give a number from 1 to 200"),
        ("most", "99999999999999999999", "Give a number from 1 to 200"),
        ("day", "samedi", "Choose one of these days."),
        ("hour", "24", "Choose one of these hours."),
        ("zone", "Mars/Olympus", "Choose one of these zones."),
        ("language", "English, please", "Choose one of these languages."),
        ("cadence", "hourly", ""),
        ("form", "smoke", ""),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_nothing_typed_is_lost(
    field: str, value: str, said: str, site: Site
) -> None:
    before = contents(site.runtime.engine)
    typed = ALL | {field: value} | ({} if field == "language" else {"language": ""})
    answer = site.post(site.link(Purpose.PREFERENCES, ADA), **typed)
    assert answer.status_code == 422
    assert "nothing was saved" in answer.text
    assert said in answer.text
    assert contents(site.runtime.engine) == before
    assert re.findall(r'name="topic" value="([^"]+)" checked', answer.text) == ["space"]
    if field != "most":
        assert re.search(r'id="most"[^>]* value="5"', answer.text)
    if said:
        marked = rf'id="{field}"[^>]* aria-invalid="true" aria-describedby="{field}-wrong'
        assert re.search(marked, answer.text)


def test_a_topic_that_is_gone_meanwhile_loses_nothing_else(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    with writing(site.runtime.engine) as session:
        remove_topic(session, NewsletterId(1), "space")
    before = contents(site.runtime.engine)
    answer = site.post(link, **(ALL | {"topic": ["space", "food"], "language": ""}))
    assert answer.status_code == 422
    assert "no longer offered, so nothing was saved" in answer.text
    assert re.findall(r'name="topic" value="([^"]+)" checked', answer.text) == ["food"]
    assert chosen(answer.text, "day") == "saturday"
    assert contents(site.runtime.engine) == before


def test_how_often_is_asked_where_there_is_a_choice_and_stays_where_it_is_offered_no_more(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    assert 'name="cadence"' not in site.get(link).text
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), cadences="every,monthly")
    assert "The first issue of each month" in site.get(link).text
    site.post(link, save="topics", topic=["food"], cadence="monthly")
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), cadences="every")
    assert chosen(site.get(link).text, "cadence") == "monthly"
    assert site.post(link, save="topics", topic=["food"], cadence="monthly").status_code == 200
    assert of(site, ADA).cadence is Cadence.MONTHLY
    assert site.post(link, save="topics", topic=["food"], cadence="weekly").status_code == 422


def test_each_topic_says_how_often_it_appears_once_there_are_issues_to_say_it_of(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    assert "of the last" not in site.get(link).text
    with writing(site.runtime.engine) as session:
        for week, topics in enumerate((("food",), ("food", "space"), ("food",))):
            start = NOW - timedelta(days=70 - 7 * week)
            issue = make_issue(session, NewsletterId(1), Window(start, start + timedelta(days=7)), now=NOW)
            session.execute(update(IssueRow).where(IssueRow.id == issue.id).values(sending_at=NOW))
            session.add_all(
                IssueTopicRow(issue_id=issue.id, slug=slug, name=slug, articles=1) for slug in topics
            )
    told = text_of(site.get(link).text)
    assert "From the field to the plate In 4 of the last 4 issues" in told
    assert "In 2 of the last 4 issues" in told


# --- the next issue


def test_the_next_issue_is_shown_as_other_choices_make_it_and_nothing_is_stored(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    before = contents(site.runtime.engine)
    everything = site.post(link, save="preview", topic=["climate", "space", "food"])
    some = site.post(link, save="preview", topic=["climate", "space", "food"], most="1")
    assert contents(site.runtime.engine) == before
    assert (everything.status_code, some.status_code) == (200, 200)
    told = text_of(everything.text)
    assert "Nothing was saved." in told
    assert "1 article." in text_of(some.text)
    assert re.search(r"\d+ more (is|are) online", text_of(some.text))
    assert 'id="next"' in some.text
    assert re.findall(r'name="topic" value="([^"]+)" checked', some.text) == ["climate", "space", "food"]


def test_why_there_would_be_no_mail_is_told(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    assert "No mail: no topic is ticked." in text_of(site.post(link, save="preview").text)


def test_who_has_the_cancelled_issue_of_the_same_days_is_told_so_without_reading_who_else_has(
    site: Site,
) -> None:
    with writing(site.runtime.engine) as session:
        week = session.get_one(IssueRow, DRAFT)
        cancelled = session.get_one(IssueRow, SENDING)
        cancelled.state = IssueState.CANCELLED
        cancelled.window_start, cancelled.window_end = week.window_start, week.window_end
        hers = DeliveryRow.subscriber_id == reader_id(site.runtime.engine, ADA)
        session.execute(update(DeliveryRow).where(hers).values(state=DeliveryState.ACCEPTED.value))
    asked: list[str] = []
    event.listen(site.runtime.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert "No mail: you have an earlier issue of the same days." in next_of(site)
    assert "earlier issue of the same days" not in next_of(site, BEN)
    assert asked
    assert not [one for one in asked if one.startswith("SELECT deliveries.subscriber_id \nFROM")]


def on_schedule(site: Site) -> None:
    """Have a schedule let the draft out a week from now."""
    with writing(site.runtime.engine) as session:
        add_schedule(
            session,
            NewsletterId(1),
            cron="0 7 * * 1",
            timezone="UTC",
            window_days=7,
            next_due=NOW + timedelta(days=7),
            now=NOW,
        )


def next_of(site: Site, email: str = ADA, **form: str | list[str]) -> str:
    chosen = {"topic": ["climate", "space", "food"], **form}
    return text_of(site.post(site.link(Purpose.PREFERENCES, email), save="preview", **chosen).text)


def test_a_segment_is_asked_with_the_choices_that_are_tried_out(site: Site) -> None:
    segments.add(site.runtime, "saturday", {"slug": "french", "query": "language:fr"}, by="Edith")
    assert write(site, "only", "french", seen=mark_of("")) == 303
    before = contents(site.runtime.engine)
    assert "No mail: this issue is for other readers of the newsletter." in next_of(site, language="de")
    assert "article" in next_of(site, language="fr").partition("Nothing was saved")[2]
    assert "this issue is for other readers" not in next_of(site, language="fr")
    assert contents(site.runtime.engine) == before


def test_by_the_readers_own_clock_it_leaves_at_its_hour_there(site: Site) -> None:
    on_schedule(site)
    assert "It leaves on Monday, 30 November 2026, 02:00." in next_of(site, zone="America/New_York")
    with writing(site.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), local_time=True)
    assert "It leaves on Monday, 30 November 2026, 07:00." in next_of(site, zone="America/New_York")
    assert "30 November 2026, 18:00." in next_of(site, zone="Australia/Sydney"), "its hour is over there"
    wished = next_of(site, zone="America/New_York", day="saturday", hour="9")
    assert "It leaves on Saturday, 5 December 2026, 09:00." in wished


def test_what_the_mail_has_no_room_for_is_told_as_online(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = re.search(r"(\d+) articles?\.", next_of(site))
    assert whole
    monkeypatch.setattr(next_issue, "layout_of", lambda _issue, edition: dict.fromkeys(edition.positions))
    told = next_of(site)
    assert "0 articles." in told
    assert f"{whole[1]} more are online." in told


# --- pauses


def test_a_pause_until_a_day_is_shown_and_may_be_moved(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, ADA)
    day = NOW.date() + timedelta(days=9)
    told = text_of(site.post(f"{link}/pause", until=f"{day}").text)
    assert f"no mail comes, whatever is ticked, until {day:%A}" in told
    found = of(site, ADA)
    assert (found.state, found.paused_until) == (
        SubscriptionState.PAUSED,
        datetime(day.year, day.month, day.day, tzinfo=UTC),
    )
    later = day + timedelta(days=1)
    assert f'value="{later}"' in site.post(f"{link}/pause", until=f"{later}").text
    site.post(f"{link}/return")
    assert (of(site, ADA).state, of(site, ADA).paused_until) == (SubscriptionState.ACTIVE, None)


@pytest.mark.parametrize("until", ["2020-01-01", "9999-12-31", "tomorrow", "2026-02-31"])
def test_a_day_that_no_pause_can_end_on_is_told_and_nothing_is_paused(until: str, site: Site) -> None:
    answer = site.post(f"{site.link(Purpose.PREFERENCES, ADA)}/pause", until=until)
    assert answer.status_code == 422
    assert "Give a day to come, at most a year from now." in answer.text
    assert re.search(rf'id="until"[^>]* value="{re.escape(until)}"', answer.text), "as it was typed"
    assert state_of(site.runtime.engine, ADA) is SubscriptionState.ACTIVE


def test_nobody_else_is_changed(site: Site) -> None:
    before = of(site, BEN)
    site.post(site.link(Purpose.PREFERENCES, ADA), **ALL)
    assert of(site, BEN) == before
    assert follows_of(site.runtime.engine, ADA) == {"space"}
    with writing(site.runtime.engine) as session:
        set_subscription_state(
            session,
            NewsletterId(1),
            reader_id(site.runtime.engine, ADA),
            SubscriptionState.ACTIVE,
            now=NOW,
        )
    assert CLIMATE not in follows_of(site.runtime.engine, ADA)
