import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import Refused
from digest.track.tokens import OnlineLink, Purpose, SubscriptionLink, Tokens

TOKENS = Tokens(["a key of thirty-two characters!!"])
ids = st.integers(0, 2**63 - 1)


@given(ids, ids, st.sampled_from([Purpose.UNSUBSCRIBE, Purpose.PREFERENCES]))
def test_a_token_carries_whose_subscription_it_is_about(one: int, other: int, purpose: Purpose) -> None:
    token = TOKENS.sign(purpose, one, other)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", token)
    assert TOKENS.read_subscription(purpose, token) == SubscriptionLink(one, other)  # type: ignore[arg-type]


def test_a_token_shows_one_readers_copy() -> None:
    assert TOKENS.read_online(TOKENS.sign(Purpose.ONLINE, 3, 14)) == OnlineLink(3, 14)  # type: ignore[arg-type]


@pytest.mark.parametrize("signed", list(Purpose))
@pytest.mark.parametrize("read", list(Purpose))
def test_a_token_does_what_it_was_signed_for_and_nothing_else(signed: Purpose, read: Purpose) -> None:
    token = TOKENS.sign(signed, 1, 2)
    if signed is read:
        TOKENS.read_subscription(read, token)
    else:
        with pytest.raises(Refused, match="open it from the mail once more"):
            TOKENS.read_subscription(read, token)


@given(st.data())
def test_a_token_that_was_changed_is_refused(data: st.DataObject) -> None:
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, 12, 345)
    place = data.draw(st.integers(0, len(token) - 2))  # the last character holds two spare bits
    other = data.draw(st.sampled_from("0123456789abcABC._-").filter(lambda char: char != token[place]))
    with pytest.raises(Refused):
        TOKENS.read_subscription(Purpose.UNSUBSCRIBE, token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("text", ["", ".", "1.2", "1.2.", "é", "\ud800", "1.2.\x00", "a" * 100_000])
def test_what_is_no_token_is_refused(text: str) -> None:
    for purpose in Purpose:
        with pytest.raises(Refused):
            TOKENS.read_subscription(purpose, text)


def test_links_signed_with_an_older_key_go_on_working() -> None:
    old = Tokens(["old"]).sign(Purpose.UNSUBSCRIBE, 1, 2)
    rotated = Tokens(["old", "new"])
    assert rotated.read_subscription(Purpose.UNSUBSCRIBE, old) == SubscriptionLink(1, 2)  # type: ignore[arg-type]
    new = rotated.sign(Purpose.UNSUBSCRIBE, 1, 2)
    assert Tokens(["new"]).read_subscription(Purpose.UNSUBSCRIBE, new)
    with pytest.raises(Refused):
        Tokens(["old"]).read_subscription(Purpose.UNSUBSCRIBE, new)


def test_a_token_of_another_installation_is_refused() -> None:
    with pytest.raises(Refused):
        TOKENS.read_online(Tokens(["another key"]).sign(Purpose.ONLINE, 1, 2))
