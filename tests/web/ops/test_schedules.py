"""Schedules in the ops room: seen in words, made, changed, left out once, begun at once."""

from __future__ import annotations

import pytest

from digest.domain.accounts import Role
from digest.domain.schedules import OccurrenceState, Schedule
from digest.store.audit import list_entries
from digest.store.database import reading
from digest.store.schedules import list_occurrences, list_schedules
from tests.web.ops.reading import buttons, follow, read, text_of
from tests.web.ops.world import WEEKLY
from tests.web.site import Site

PAGE = "/ops/schedules"
MAKE = {"newsletter": "saturday", "how": "week", "timezone": "Europe/Paris", "window_days": "7"}


def schedules(site: Site) -> tuple[Schedule, ...]:
    with reading(site.runtime.engine) as session:
        return list_schedules(session)


def audited(site: Site) -> list[tuple[str, str]]:
    with reading(site.runtime.engine) as session:
        return [(one.by, one.what) for one in list_entries(session, limit=5)]


def test_a_schedule_stands_there_in_words_and_cron_with_its_next_dates(ops: Site) -> None:
    told = read(ops, PAGE)
    assert "Every Monday at 07:00 Europe/Berlin · 0 7 * * MON · an issue covers 7 days" in told
    assert "Monday 30 November 2026, 07:00 CET in 6 days 23 h Monday 7 December 2026, 07:00 CET" in told
    assert "Monday 28 December 2026, 07:00 CET" in told
    assert "January 2027" not in told, "the next five are enough"


def test_without_a_schedule_the_page_says_what_to_do_first(empty_site: Site) -> None:
    told = read(empty_site, PAGE)
    assert "No schedule yet, so no newsletter is made by itself." in told
    assert "its first issue can be made at once, too. Make the first one" in told
    assert "there is none" in read(empty_site, f"{PAGE}/new")


def test_a_schedule_is_made_by_days_and_time(ops: Site) -> None:
    assert "The schedule is made." in follow(ops, f"{PAGE}/new", **MAKE, day=["0", "3"], at="06:15")
    (made,) = (one for one in schedules(ops) if one.id != WEEKLY)
    assert (made.cron, made.timezone, made.window_days) == ("15 6 * * MON,THU", "Europe/Paris", 7)
    assert audited(ops)[0] == ("Omar Haddad", "schedule.made")


def test_sent_a_second_time_the_form_says_that_there_is_one_already(ops: Site) -> None:
    given = {**MAKE, "day": ["0", "3"], "at": "06:15"}
    assert ops.submit(f"{PAGE}/new", **given).status_code == 303
    again = ops.submit(f"{PAGE}/new", **given)
    assert again.status_code == 422
    assert "makes the same issues already: 15 6 * * MON,THU in Europe/Paris, 7 days" in text_of(again.text)
    assert len(schedules(ops)) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"how": "rule", "rule": "mondays"}, "'mondays' is not a cron rule"),
        ({"how": "rule", "rule": "0 7,8 * * *"}, "comes due 2 times a day"),
        ({"how": "week", "day": []}, "Choose at least one day of the week"),
        ({"day": ["0"], "at": "25:00"}, "'25:00' is no time of day"),
        ({"day": ["0"], "at": "07:00", "timezone": "Mars/Base"}, "'Mars/Base' is not a time zone"),
        ({"day": ["0"], "at": "07:00", "window_days": "0"}, "1 to 366 days, not 0"),
        ({"day": ["0"], "at": "07:00", "window_days": "a week"}, "'a week' is no number of days"),
        ({"day": ["0"], "at": "07:00", "newsletter": "sunday"}, "No newsletter 'sunday'"),
        ({"how": "rule", "rule": "<script>"}, "'<script>' is not a cron rule"),
    ],
)
def test_a_form_that_is_wrong_comes_back_as_it_was_filled_in(
    given: dict[str, str], words: str, ops: Site
) -> None:
    response = ops.submit(f"{PAGE}/new", **{**MAKE, **given})
    assert response.status_code == 422
    told = text_of(response.text)
    assert words in told
    assert "Nothing was changed." in told
    assert "<script>" not in response.text
    for value in given.values():
        if isinstance(value, str) and value not in ("rule", "week", "sunday", "<script>"):
            assert f'value="{value}"' in response.text
    assert len(schedules(ops)) == 1


def test_a_form_of_neither_way_to_say_when_makes_nothing(ops: Site) -> None:
    assert ops.submit(f"{PAGE}/new", **{**MAKE, "how": "moon"}).status_code == 422
    assert len(schedules(ops)) == 1


def test_a_schedule_that_is_saved_as_it_is_is_recorded_by_nobody(ops: Site) -> None:
    before = schedules(ops)
    form = {"how": "rule", "rule": before[0].cron, "timezone": before[0].timezone, "window_days": "7"}
    assert ops.submit(f"{PAGE}/1", **form).status_code == 303
    assert schedules(ops) == before
    with reading(ops.runtime.engine) as session:
        assert list_entries(session, limit=9, what="schedule.changed") == ()


def test_the_dates_of_a_form_are_shown_before_anything_is_stored(ops: Site) -> None:
    asked = {**MAKE, "how": "rule", "rule": "0 9 * * MON#1", "look": "1"}
    page = ops.submit(f"{PAGE}/new", **asked)
    fragment = ops.submit(f"{PAGE}/dates", **asked)
    for response in (page, fragment):
        assert response.status_code == 200
        told = text_of(response.text)
        assert "On the first Monday of the month at 09:00, by clocks in Europe/Paris." in told
        assert "Monday 7 December 2026, 09:00" in told
    assert "<html" not in fragment.text
    wrong = text_of(ops.submit(f"{PAGE}/dates", **MAKE, day=["1"], at="").text)
    assert wrong == "'' is no time of day: give hours and minutes, as in 07:30."
    assert len(schedules(ops)) == 1


def test_a_schedule_is_changed_and_its_form_shows_what_it_is(ops: Site) -> None:
    page = ops.get(f"{PAGE}/{WEEKLY}").text
    assert '<input type="checkbox" name="day" value="0" checked>' in page
    assert 'value="07:00"' in page
    told = follow(ops, f"{PAGE}/{WEEKLY}", **{**MAKE, "how": "rule", "rule": "30 8 1 * *"})
    assert "The schedule is changed." in told
    assert "On the first day of every month at 08:30 Europe/Paris" in told
    assert '<input type="radio" name="how" value="rule" checked>' in ops.get(f"{PAGE}/{WEEKLY}").text
    refused = ops.submit(f"{PAGE}/{WEEKLY}", **{**MAKE, "how": "rule", "rule": "x"})
    assert refused.status_code == 422
    assert "no schedule 99: 'digest schedule list' shows" in read(ops, f"{PAGE}/99", 404)


def test_the_next_date_is_left_out_and_put_back(ops: Site) -> None:
    told = follow(ops, f"{PAGE}/{WEEKLY}/skip")
    assert "The next date is left out." in told
    assert "Monday 30 November 2026, 07:00 CET left out Put back Monday 7 December 2026, 07:00 CET in" in told
    with reading(ops.runtime.engine) as session:
        skipped = list_occurrences(session, WEEKLY, limit=1)[0]
    assert skipped.state is OccurrenceState.SKIPPED
    assert "left out Put back" not in follow(ops, f"/ops/runs/{skipped.id}/back")
    assert ops.submit(f"/ops/runs/{skipped.id}/back").status_code == 404


def test_a_schedule_rests_and_goes_on(ops: Site) -> None:
    told = follow(ops, f"{PAGE}/{WEEKLY}/pause")
    assert "Rests" in told
    assert "Let it run again" in buttons(ops, PAGE)
    assert "is paused, so nothing is due" in text_of(ops.submit(f"{PAGE}/{WEEKLY}/skip").text)
    assert "No schedule is running" in read(ops, "/ops")
    assert "Rests" not in follow(ops, f"{PAGE}/{WEEKLY}/resume")


def test_todays_run_is_begun_once(ops: Site) -> None:
    refused = ops.submit(f"{PAGE}/{WEEKLY}/start")
    assert refused.status_code == 409
    assert "is under way: it stands at 'approve'" in text_of(refused.text)
    follow(ops, f"{PAGE}/new", **MAKE, day=["4"], at="06:00")
    told = follow(ops, f"{PAGE}/2/start")
    assert "Today’s run has begun." in told
    assert "No stage has begun. A worker begins the first within seconds" in told


def test_a_schedule_is_removed_with_the_record_of_its_runs(ops: Site) -> None:
    assert "Its issues stay." in follow(ops, f"{PAGE}/{WEEKLY}/remove")
    assert schedules(ops) == ()
    assert "No run yet." in read(ops, "/ops/runs")


def test_who_may_only_look_sees_the_dates_and_no_buttons(ops: Site) -> None:
    with ops.seen_by(Role.VIEWER) as viewer:
        assert "Monday 30 November 2026, 07:00" in read(viewer, PAGE)
        assert buttons(viewer, PAGE) == set()
        assert "New schedule" not in read(viewer, PAGE)
        assert viewer.submit(f"{PAGE}/{WEEKLY}/pause").status_code == 403
    assert not schedules(ops)[0].is_paused
