from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.domain.times import http_date
from digest.gather.fetching.headers import (
    MAX_FRESH,
    Headers,
    charset,
    fresh_for,
    media_type,
    retry_after,
)
from digest.gather.fetching.reservation import reservation_in, reservation_of, reserved_patterns

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"
LATER = "Mon, 23 Nov 2026 13:00:00 GMT"
EARLIER = "Mon, 23 Nov 2026 11:00:00 GMT"


def headers(*fields: str) -> Headers:
    """Return headers from lines "Name: value"."""
    pairs = (line.partition(":") for line in fields)
    return Headers((name.encode(), value.strip().encode("latin-1", "replace")) for name, _, value in pairs)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([], None),
        (["Cache-Control: max-age=600"], 600),
        (["cache-control: public, MAX-AGE=600, must-revalidate"], 600),
        (['Cache-Control: max-age="600"'], 600),
        (["Cache-Control: max-age = 600"], 600),
        (["Cache-Control: max-age=600", "Age: 100"], 500),
        (["Cache-Control: max-age=600", "Age: 1000"], 0),
        (["Cache-Control: max-age=600", "Age: old"], 600),
        (["Cache-Control: max-age=600, max-age=10"], 600),
        (["Cache-Control: public", "Cache-Control: max-age=60"], 60),
        (["Cache-Control: s-maxage=600"], None),
        (["Cache-Control: s-maxage=600, max-age=60"], 60),
        (["Cache-Control: no-cache"], 0),
        (["Cache-Control: no-store, max-age=600"], 0),
        (['Cache-Control: no-cache="set-cookie", max-age=600'], 0),
        (["Cache-Control: max-age=soon"], 0),
        (["Cache-Control: max-age=-1"], 0),
        (["Cache-Control: max-age"], 0),
        (["Cache-Control: public"], None),
        ([f"Expires: {LATER}", f"Date: {DATE}"], 3600),
        ([f"Expires: {LATER}", f"Date: {EARLIER}"], 7200),
        ([f"Expires: {LATER}"], 3600),
        ([f"Expires: {LATER}", "Age: 600"], 3000),
        ([f"Expires: {EARLIER}", f"Date: {DATE}"], 0),
        (["Expires: 0"], 0),
        (["Expires: -1"], 0),
        (["Expires: Monday, 23-Nov-26 13:00:00 GMT"], 3600),
        (["Expires: Mon Nov 23 13:00:00 2026"], 3600),
        ([f"Expires: {LATER}", "Cache-Control: max-age=60"], 60),
    ],
)
def test_freshness_is_what_rfc_9111_makes_of_the_header(lines: list[str], seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert fresh_for(headers(*lines), now=NOW) == expected


@pytest.mark.parametrize("age", ["99999999999", "9" * 400, "2147483648"])
def test_an_answer_stays_fresh_for_a_year_at_most(age: str) -> None:
    assert fresh_for(headers(f"Cache-Control: max-age={age}"), now=NOW) == MAX_FRESH


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        (LATER, 3600),
        (EARLIER, 0),
        ("99999999999999999999", 7 * 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 7 * 86400),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("١٢", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_week(value: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after(headers(f"Retry-After: {value}"), now=NOW) == expected


def test_no_retry_after_is_none() -> None:
    assert retry_after(headers(), now=NOW) is None


@pytest.mark.parametrize(
    ("value", "kind", "encoding"),
    [
        ("Text/HTML; charset=Latin-1", "text/html", "latin-1"),
        ('text/xml;charset="utf-8"', "text/xml", "utf-8"),
        ("text/html; x=1; CHARSET = koi8-r ; y", "text/html", "koi8-r"),
        ("text/html;charset='utf-8'", "text/html", "utf-8"),
        ("text/html; charset=", "text/html", None),
        ("text/html", "text/html", None),
        (";", "", None),
        ("", "", None),
    ],
)
def test_a_content_type_is_a_media_type_and_a_charset(value: str, kind: str, encoding: str | None) -> None:
    found = headers(f"Content-Type: {value}")
    assert (media_type(found), charset(found)) == (kind, encoding)


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([], ""),
        (["X-Robots-Tag: noindex, nofollow"], ""),
        (["X-Robots-Tag: noai"], "noai"),
        (["X-Robots-Tag: noindex, NoAI, noimageai"], "noai"),
        (["X-Robots-Tag: noimageai"], "noimageai"),
        (["X-Robots-Tag: noindex", "X-Robots-Tag: noai"], "noai"),
        (["X-Robots-Tag: digest: noai"], "noai"),
        (["X-Robots-Tag: *: noai"], "noai"),
        (["X-Robots-Tag: otherbot: noai"], ""),
        (["X-Robots-Tag: otherbot: noindex, noai"], ""),
        (["X-Robots-Tag: otherbot: noindex, digest: noai"], "noai"),
        (["X-Robots-Tag: otherbot: noai", "X-Robots-Tag: noai"], "noai"),
        (["X-Robots-Tag: max-snippet: 20, noai"], "noai"),
        (["X-Robots-Tag: unavailable_after: 25 Jun 2027 15:00:00 PST, noai"], "noai"),
        (["tdm-reservation: 1"], "tdm-reservation"),
        (["TDM-Reservation: 0"], ""),
        (["tdm-reservation: yes"], ""),
    ],
)
def test_a_reservation_for_us_or_for_all_is_told_in_words(lines: list[str], word: str) -> None:
    said = reservation_in(headers(*lines))
    assert word in said
    assert bool(said) == bool(word)


def test_the_first_rule_of_a_site_that_matches_says_what_is_reserved() -> None:
    patterns = reserved_patterns(
        """[{"location": "/free/*", "tdm-reservation": 0},
            {"location": "/free/exactly$", "tdm-reservation": 1},
            {"location": "/news/*.html$", "tdm-reservation": 1, "tdm-policy": "https://example.org/p.json"},
            {"location": "/", "tdm-reservation": "1"}]"""
    )
    site = "https://example.org"
    assert reservation_of(f"{site}/free/exactly", patterns) == ""
    assert "'/news/*.html'" not in reservation_of(f"{site}/news/a.html", patterns)
    assert "'/news/*.html$'" in reservation_of(f"{site}/news/a.html", patterns)
    assert "of '/'" in reservation_of(f"{site}/news/a.htm", patterns)
    assert reservation_of(f"{site}/x", patterns[:3]) == ""


@pytest.mark.parametrize(
    "document",
    [
        *("", "{}", "null", "[1, null, [], {}]", "not json", "[" * 100_000, '[{"location": "/"}]', "NaN"),
        '[{"location": 1, "tdm-reservation": 1}]',
        '[{"location": "/", "tdm-reservation": 2}]',
        '[{"location": "/", "tdm-reservation": [1]}]',
    ],
)
def test_a_tdmrep_file_that_breaks_the_protocol_reserves_nothing(document: str) -> None:
    assert reserved_patterns(document) == ()


@settings(max_examples=50)
@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_words_in_a_header_are_read_without_an_error(one: str, two: str, three: str) -> None:
    names = ("cache-control", "expires", "age", "date", "retry-after", "content-type", "x-robots-tag")
    for name in names:
        fields = [(name.encode(), value.encode("utf-8", "surrogatepass")) for value in (one, two, three)]
        found = Headers(fields)
        fresh = fresh_for(found, now=NOW)
        assert fresh is None or timedelta(0) <= fresh <= MAX_FRESH
        wait = retry_after(found, now=NOW)
        assert wait is None or timedelta(0) <= wait <= timedelta(days=7)
        assert isinstance(reservation_in(found) + media_type(found) + (charset(found) or ""), str)


@given(st.text(alphabet="0123456789:,- +MonNvGT.", max_size=40))
def test_any_date_is_an_aware_one_or_none(text: str) -> None:
    when = http_date(text)
    assert when is None or when.utcoffset() == timedelta(0)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3)
)


@given(JSON)
def test_any_json_as_a_tdmrep_rule_is_read_without_an_error(value: object) -> None:
    document = json.dumps([{"location": "/*", "tdm-reservation": value}, {"location": value}, value])
    for location, _ in reserved_patterns(document):
        assert location == "/*"
