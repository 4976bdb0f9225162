"""Questions about readers as they are typed: what each asks, and where one that cannot be read is wrong."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.domain.query import Both, Either, Neither, Node, Term
from digest.domain.query_tokens import QueryError
from digest.domain.segments import (
    Amount,
    Condition,
    Field,
    Joined,
    Lately,
    Words,
    asks_beside_who_reads,
    asks_who_reads,
    condition_of,
    fits_who_reads,
    read_question,
    stored_question,
)

TOPICS = {"climate": 1, "space": 2}


def asked(query: str) -> Condition:
    tree = read_question(query, TOPICS)
    assert isinstance(tree, Term)
    return condition_of(tree)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("language:DE", Words(Field.LANGUAGE, "de")),
        ("zone:Europe/Berlin", Words(Field.ZONE, "europe/berlin")),
        ("zone:America*", Words(Field.ZONE, "america", is_prefix=True)),
        ("Cadence:Monthly", Words(Field.CADENCE, "monthly")),
        ("state:paused", Words(Field.STATE, "paused")),
        ("topic:climate", Words(Field.TOPIC, "climate")),
        ("topic:*", Words(Field.TOPIC, "", is_prefix=True)),
        ("domain:example.org", Words(Field.DOMAIN, "example.org")),
        ('attribute.City:"New York"', Words(Field.ATTRIBUTE, "new york", key="city")),
        ("attribute.home_town:St*", Words(Field.ATTRIBUTE, "st", is_prefix=True, key="home_town")),
        ("joined:2026", Joined(date(2026, 1, 1), date(2027, 1, 1))),
        ("joined:2026-12", Joined(date(2026, 12, 1), date(2027, 1, 1))),
        ("joined:2024-02-29", Joined(date(2024, 2, 29), date(2024, 3, 1))),
        ("joined:<2026-03", Joined(None, date(2026, 3, 1))),
        ("joined:<=2026-03", Joined(None, date(2026, 4, 1))),
        ("joined:>2026-03", Joined(date(2026, 4, 1), None)),
        ("joined:>=2026-03-15", Joined(date(2026, 3, 15), None)),
        ("days:<30", Amount(Field.DAYS, None, 29)),
        ("days:>=365", Amount(Field.DAYS, 365, None)),
        ("mails:0", Amount(Field.MAILS, 0, 0)),
        ("mails:>2", Amount(Field.MAILS, 3, None)),
        ("mails:<=4", Amount(Field.MAILS, None, 4)),
        ("opened:<30", Lately(Field.OPENED, 30)),
        ("followed:<=30", Lately(Field.FOLLOWED, 31)),
    ],
)
def test_each_field_asks_one_thing(query: str, condition: Condition) -> None:
    assert asked(query) == condition


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("days:1 mails:2", Both((Term("1", "days"), Term("2", "mails")))),
        ("NOT days:1", Neither(Term("1", "days"))),
        ("NOT days:1 NOT days:2", Both((Neither(Term("1", "days")), Neither(Term("2", "days"))))),
        ("days:(1 OR 2)", Either((Term("1", "days"), Term("2", "days")))),
        ("days:1 OR (NOT days:2)", Either((Term("1", "days"), Neither(Term("2", "days"))))),
    ],
)
def test_the_grammar_is_that_of_topics_and_not_may_stand_alone(query: str, tree: Node) -> None:
    assert read_question(query) == tree


@pytest.mark.parametrize(
    ("query", "column", "problem"),
    [
        ("", 1, "it is empty; a field with its value, as language:de"),
        ("ada", 1, "say what 'ada' is about, as in language:de; there are language:, zone:"),
        ("days:1 colour:red", 8, "there is no field 'colour:': there are language:"),
        ("attribute:red", 1, "attribute.KEY:"),
        ("attribute.ci--ty:x", 18, "'ci--ty' is no key of an attribute"),
        ("cadence:often", 9, "cadence: takes one of every, weekly, fortnightly, monthly, not 'often'"),
        ("state:act*", 7, "state: takes one of pending, active"),
        ("zone:Mars/One", 6, "'Mars/One' is not a time zone"),
        ("topic:sport", 7, "there is no topic 'sport'; there is: climate, space"),
        ("joined:2026-02-30", 8, "there is no day '2026-02-30'"),
        ("joined:March", 8, "joined: takes a year, month or day"),
        ("joined:0001", 8, "there is no day '0001'"),
        ("joined:9999", 8, "there is no day '9999'"),
        ("days:1.5", 6, "days: takes a whole number up to 100,000"),
        ("mails:many", 7, "not 'many'"),
        ("days:1^2", 7, "'^' means nothing here"),
        ("days:1 OR NOT days:2", 11, "write '(NOT …)'"),
        ("(days:1", 8, "the '(' of column 1 is never closed"),
        ("domain:büch*", 8, "write the whole domain"),
        ('domain:""', 8, "nothing to look for"),
        ("NOT NOT days:1", 5, "one NOT is enough"),
    ],
)
def test_a_question_that_cannot_be_read_shows_where(query: str, column: int, problem: str) -> None:
    with pytest.raises(QueryError) as caught:
        read_question(query, TOPICS)
    assert (caught.value.column, problem in str(caught.value)) == (column, True), str(caught.value)


@given(st.text(max_size=60) | st.text("NOT()ORAD :*\"'<>=^dayslngu.0129-", max_size=60))
def test_whatever_is_typed_is_read_or_refused_in_words(query: str) -> None:
    with suppress(InvalidInput):
        read_question(query, TOPICS)


@pytest.mark.parametrize("value", ["30", ">30", ">=30", "<0", "<731", "<=730", "<*", "yes"])
def test_what_was_done_lately_is_asked_in_one_way(value: str) -> None:
    with pytest.raises(
        InvalidInput, match=r"opened: takes fewer than so many days, 730 at most, as in opened:<30"
    ):
        asked(f"opened:{value}")


@pytest.mark.parametrize(
    ("query", "is_so"),
    [
        ("opened:<30", True),
        ("language:de NOT (days:<30 OR followed:<9)", True),
        ("mails:0 OR language:de", False),
        ("opened:soon", False),
    ],
)
def test_a_question_knows_whether_it_asks_who_reads(query: str, is_so: bool) -> None:
    assert asks_who_reads(query) is is_so


@pytest.mark.parametrize(
    ("query", "is_so"),
    [
        ("opened:<30", True),
        ("NOT opened:<30", False),
        ("NOT (opened:<30 OR followed:<30)", False),
        ("NOT (NOT opened:<30)", True),
        ("opened:<30 NOT followed:<30", True),
        ("(NOT opened:<30) OR (NOT (followed:<9 NOT opened:<9))", True),
        ("language:de", False),
        ("opened:soon", False),
    ],
)
def test_a_question_knows_whether_it_fits_who_reads(query: str, is_so: bool) -> None:
    assert fits_who_reads(query) is is_so


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("domain:known.example OR (opened:<30 domain:example.org)", 8),
        ("opened:<30 attribute.name:Ada", 27),
        ("NOT (days:<30 OR followed:<9)", 11),
        ("NOT opened:<30 state:active", 22),
    ],
)
def test_a_question_of_who_reads_asks_nothing_else(query: str, column: int) -> None:
    with pytest.raises(QueryError, match="a question of who reads asks nothing else") as caught:
        read_question(query, TOPICS)
    assert caught.value.column == column
    assert asks_beside_who_reads(stored_question(query)), "one that is stored can be read"
    assert not asks_beside_who_reads(read_question("followed:<9 OR (NOT opened:<30)"))
