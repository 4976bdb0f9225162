from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.gather.dates import EARLIEST, instant_of, parsed_date

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00.5-0500", datetime(2026, 11, 20, 15, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-20 10:00:00 +0100", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 10:00:00 +0200", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-22", NOW),
        ("2026-11-22T09:10:00Z", NOW),
        ("2026-11-22T22:59:00Z", NOW),
        ("2026-11-22T23:01:00Z", None),
        ("2026-11-23", None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("last Friday", None),
        ("2026-13-45", None),
        ("", None),
    ],
)
def test_a_date_is_an_instant_in_utc_or_none(text: str, moment: datetime | None) -> None:
    assert parsed_date(text, NOW) == moment


TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20t10:00z", TEN),
        ("2026-11-20T11:00+01", TEN),
        ("2026-11-20T11:00:00+01:00[Europe/Berlin]", TEN),
        ("20261120T100000Z", TEN),
        ("20261120", NOON),
        ("2026/11/20 10:00:00", TEN),
        ("2026-11-20 10:00:00 GMT", TEN),
        ("2026-11-20T05:00:00 EST", TEN),
        ("2026-11-19T24:00:00Z", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T09:59:60Z", datetime(2026, 11, 20, 9, 59, 59, tzinfo=UTC)),
        ("1795168800", TEN),
        ("1795168800000", TEN),
        ("Fri, 20 Nov 26 05:00 EST", TEN),
        ("20 Nov 2026 10:00:00 UT", TEN),
        ("Fri, 20 Nov 2026 10:00:00 -0000", TEN),
        ("Fri, 20 Nov 2026 10:00:00 +0000 (Coordinated (Universal) Time)", None),
        ("Fri, 20 Nov 2026 11:00:00 +0100 (CET)", TEN),
        ("Fri, 20 Nov 2026 15:30:00 +530", TEN),
        ("Fri, 20 Nov 2026 11:00:00 GMT+01:00", TEN),
        ("Fri, 20 Nov 2026 10:00:00 ZULU", TEN),
        ("Fri Nov 20 11:00:00 CET 2026", TEN),
        ("Fri Nov 20 10:00:00 2026", TEN),
        ("Friday, 20th of November 2026", NOON),
        ("November 20, 2026 at 10:00 AM", TEN),
        ("Nov. 20th, 2026 2:00 a.m. PST", TEN),
        ("20-Nov-2026", NOON),
        ("Mi, 05 Mär 2025 07:00:00 +0100", datetime(2025, 3, 5, 6, tzinfo=UTC)),
        ("Freitag, 20. November 2026, 10:00 Uhr", TEN),
        ("vendredi 20 novembre 2026 à 10h00", TEN),
        ("1er février 2026", datetime(2026, 2, 1, 12, tzinfo=UTC)),
        ("viernes, 20 de noviembre de 2026 10:00", TEN),
        ("venerdì 20 novembre 2026 alle ore 10:00", TEN),
        ("sexta-feira, 20 de novembro de 2026 às 10:00", TEN),
        ("vrijdag 20 november 2026 om 10:00", TEN),
        ("piątek, 20 listopada 2026 r. 10:00", TEN),
        ("3 października 2026", datetime(2026, 10, 3, 12, tzinfo=UTC)),
        ("20.11.2026 10:00", TEN),
        ("20/11/2026", NOON),
        ("11/20/2026", NOON),
        ("11/11/2026", datetime(2026, 11, 11, 12, tzinfo=UTC)),
        ("20 Nov 99", datetime(1999, 11, 20, 12, tzinfo=UTC)),
        ("11/12/2026", None),
        ("yesterday", None),
        ("2 hours ago", None),
        ("2026", None),
        ("2026-11", None),
        ("November 2026", None),
        ("Fri, 32 Nov 2026 10:00:00 GMT", None),
        ("Fri, 20 Nov 2026 25:00:00 GMT", None),
        ("5 articles of may 2024", None),
        ("2026-11-20T10:00:00+99:00", None),
        ("20 November 2026 " + "x" * 100, None),
    ],
)
def test_a_date_is_read_in_whatever_way_it_is_written(text: str, moment: datetime | None) -> None:
    assert instant_of(text) == moment


MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września październik listopada grudnia",
}


@pytest.mark.parametrize("names", MONTHS.values(), ids=MONTHS)
def test_the_months_of_ten_languages_are_known(names: str) -> None:
    read = [instant_of(f"14 {name} 2025") for name in names.upper().split()]
    assert read == [datetime(2025, month, 14, 12, tzinfo=UTC) for month in range(1, 13)]


@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2026, 11, 20)),
    st.integers(-12, 14),
    st.sampled_from(["%Y-%m-%dT%H:%M:%S{}", "%a, %d %b %Y %H:%M:%S {}", "%d %B %Y %H:%M:%S {}"]),
)
def test_an_instant_is_the_same_in_every_zone_and_spelling(moment: datetime, hours: int, form: str) -> None:
    aware = moment.replace(microsecond=0, tzinfo=UTC)
    there = (aware + timedelta(hours=hours)).strftime(form.format(f"{hours:+03d}00"))
    assert parsed_date(there, NOW) == aware


ALPHABET = "0123456789-:/.,+ TZGMTAPMnovaié()[]\t"


@given(st.text(max_size=60) | st.text(ALPHABET, max_size=40))
def test_any_text_is_a_believable_date_or_none(text: str) -> None:
    moment = parsed_date(text, NOW)
    assert moment is None or EARLIEST <= moment <= NOW
