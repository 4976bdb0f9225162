"""An address is found in whatever form a server or a person wrote it, and nobody else's with it."""

from __future__ import annotations

import pytest

from digest.store.mentions import Mentions

NAMES_HER = [
    "ada@example.org",
    "<ADA@Example.ORG>: no such user",
    "RCPT TO:<ada@example.org>",
    "rfc822;ada+40example.org",
    "ada=40example.org",
    "https://example.org/?to=ada%40example.org&x=1",
    "bounces+ada=example.org@news.example.net",
    "bounces-ada=example.org@news.example.net",
    '{"email":"ada@example.org","name":"Ada"}',
    "ada&#64;example.org.",
    "ada@example.org.csv line 3",
]

NAMES_ANOTHER = [
    "nada@example.org",
    "x.ada@example.org",
    "x+ada@example.org",
    "ada@example.org.uk",
    "ada@example.orgs",
    "ada@example.org.csvs",
    "ada@my-example.org",
    "ada at example.org",
    "ada.example.org",
    "",
]


@pytest.mark.parametrize("text", NAMES_HER)
def test_her_address_is_taken_out(text: str) -> None:
    ada = Mentions("Ada@example.org")
    assert ada.are_in(text)
    without = ada.without(text)
    assert "(erased)" in without
    assert not ada.are_in(without)
    assert "ada" not in without.lower().replace('ada"}', "")


@pytest.mark.parametrize("text", NAMES_ANOTHER)
def test_others_stay(text: str) -> None:
    ada = Mentions("ada@example.org")
    assert not ada.are_in(text)
    assert ada.without(text) == text


@pytest.mark.parametrize(
    ("email", "text"),
    [
        ("o'neil+news@example.org", "o%27neil%2Bnews%40example.org"),
        ("o'neil+news@example.org", "o=27neil=2Bnews=40example.org"),
        ("o'neil+news@example.org", "O+27NEIL+2BNEWS+40EXAMPLE.ORG"),
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("jürgen@example.org", "j%C3%BCrgen@example.org"),
    ],
)
def test_signs_are_known_by_their_codes_and_domains_in_both_forms(email: str, text: str) -> None:
    assert Mentions(email).without(f"<{text}>") == "<(erased)>"


def test_signs_of_an_address_are_no_pattern() -> None:
    assert not Mentions("a.a@example.org").are_in("aba@example.org")
    assert not Mentions("a*@example.org").are_in("aaa@example.org")
