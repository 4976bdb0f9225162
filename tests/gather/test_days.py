from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.gather.days import day_in_line, named_day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Sat, Nov. 7th, 2026", date(2026, 11, 7)),
        ("le 1er mai 2026", date(2026, 5, 1)),
        ("Von Ada Berg, 3. März 2026 um 9 Uhr", date(2026, 3, 3)),
        ("Seite 12, 5 lutego 2026", date(2026, 2, 5)),
        ("Publicerad den 4 augusti 2026", date(2026, 8, 4)),
        ("Středa 7. října 2026", date(2026, 10, 7)),
        ("Stand: 18. 11. 2026", date(2026, 11, 18)),
        ("Posted 20/11/2026 by Ada", date(2026, 11, 20)),
        ("公開日 2026年11月18日", date(2026, 11, 18)),
        ("Room 12 Berlin 2026, on 18 November 2026", date(2026, 11, 18)),
        ("2026-13-45 or 2026-11-18", date(2026, 11, 18)),
        ("11/12/2026", None),
        ("40 May 2026", None),
        ("Room 12 Berlin 2026", None),
        ("May 2026", None),
        ("12 Marathon 2026", None),
        ("x" * 300 + " 18 November 2026", None),
        ("", None),
    ],
)
def test_a_day_is_found_in_a_line(text: str, day: date | None) -> None:
    assert day_in_line(text) == day


def test_a_text_that_says_more_than_a_day_is_no_day() -> None:
    assert named_day("18 November 2026") == date(2026, 11, 18)
    assert named_day("By Ada Berg, 18 November 2026") is None


@given(st.dates(date(1950, 1, 1), date(2049, 12, 31)), st.sampled_from(["%d %B %Y", "%b %d, %Y", "%d.%m.%Y"]))
def test_a_day_that_is_read_by_itself_is_read_the_same_in_a_line(day: date, form: str) -> None:
    written = day.strftime(form)
    assert named_day(written) == day
    assert day_in_line(f"By Ada Berg, {written} (updated)") == day
