"""Passwords: which are taken, which are one, and the work that guessing at them costs."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from digest.admit import passwords
from digest.admit.passwords import choose, hash_password, is_outdated, is_right, prepare
from digest.domain.errors import InvalidInput


@pytest.fixture
def kept() -> str:
    return hash_password(choose("four calm words here"))


def test_a_password_is_kept_with_the_work_that_is_promised(kept: str) -> None:
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert is_right(kept, "four calm words here")
    assert not is_right(kept, "four calm words her")
    assert not is_outdated(kept)
    assert hash_password("four calm words here") != kept, "each has a salt of its own"


def test_who_has_no_password_costs_the_same_work() -> None:
    assert not is_outdated(passwords._NOBODYS)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(passwords._NOBODYS, "")


def test_one_kept_with_less_work_is_right_and_outdated() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("four calm words here")
    assert is_right(old, "four calm words here")
    assert is_outdated(old)


@pytest.mark.parametrize("typed", ["", "nobody's password", "x" * 600, "a\x00b", "\ud800"])
@pytest.mark.parametrize("stored", ["", "no hash"])
def test_who_has_no_password_has_no_right_one(stored: str, typed: str) -> None:
    assert not is_right(stored, typed)


def test_one_password_typed_in_several_ways_is_one() -> None:
    assert prepare("cafe\u0301\u00a0\u3000Malmo\u0308") == "café  Malmö"
    assert prepare("ﬁne") != prepare("fine"), "what only looks alike is not the same (RFC 8265)"


@pytest.mark.parametrize(
    "text", ["tab\there it stands", "null\x00 here it is", "\ud800 lone surrogate", "\ue000" * 12]
)
def test_what_no_keyboard_types_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no keyboard") as told:
        choose(text)
    assert text not in str(told.value)


def test_a_password_of_any_length_costs_the_same_bound() -> None:
    with pytest.raises(InvalidInput, match="room for 512"):
        choose("x y z " * 1_000_000)
    assert len(choose("äöüßé" * 100)) == 500
    assert passwords.LONGEST == 512
