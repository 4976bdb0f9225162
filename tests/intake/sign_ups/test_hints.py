"""Addresses that are probably not what was meant."""

import pytest

from digest.intake.sign_ups.hints import LARGE, Hint, hint_at, is_one_slip


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmal.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gnail.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("Ada.F@GMAIL.CMO", "Ada.F@gmail.com"),
        ("ada@hotmial.com", "ada@hotmail.com"),
        ("ada@outlok.com", "ada@outlook.com"),
        ("ada@yaho.com", "ada@yahoo.com"),
        ("ada@icoud.com", "ada@icloud.com"),
    ],
)
def test_a_slip_is_told_with_what_was_probably_meant(typed: str, meant: str) -> None:
    assert hint_at(typed) == Hint(meant)


@pytest.mark.parametrize(
    "email",
    [
        *(f"ada@{domain}" for domain in LARGE),
        "ada@example.org",
        "ada@gmx.ch",
        "ada@gmx.at",
        "ada@mail.de",
        "ada@ymail.com",
        "ada@yahoo.co",
        "ada@yahoo.it",
        "ada@me.org",
        "ada@we.de",
        "ada@gmail.example.org",
    ],
)
def test_an_address_that_may_well_be_somebodys_is_not_asked_about(email: str) -> None:
    assert hint_at(email) is None


@pytest.mark.parametrize("domain", ["mailinator.com", "YOPMAIL.com", "trashmail.de"])
def test_an_address_to_be_thrown_away_is_told_as_one(domain: str) -> None:
    hint = hint_at(f"ada@{domain}")
    assert hint is not None
    assert hint.is_disposable


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        ("abcd", False),
        ("abc", True),
        ("bcd", True),
        ("abcde", True),
        ("xabcd", True),
        ("abxcd", True),
        ("xbcd", True),
        ("abcx", True),
        ("bacd", True),
        ("abdc", True),
        ("acbd", True),
        ("badc", False),
        ("ab", False),
        ("axxd", False),
        ("", False),
    ],
)
def test_one_slip_is_a_letter_less_more_other_or_swapped(typed: str, is_one: bool) -> None:
    assert is_one_slip(typed, "abcd") is is_one
    assert is_one_slip("abcd", typed) is is_one
