import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import Refused
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import ReaderAddress, SubscriberId
from digest.track.tokens import OnlineLink, Purpose, SubscriptionLink, Tokens

TOKENS = Tokens(["a key of thirty-two characters!!"])
ids = st.integers(0, 2**63 - 1)
stored_ids = st.integers(0, 2**31 - 1)


@given(ids, ids)
def test_a_token_carries_whose_subscription_it_is_about(one: int, other: int) -> None:
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, one, other)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", token)
    link = SubscriptionLink(one, other)  # type: ignore[arg-type]
    assert TOKENS.read_subscription(Purpose.UNSUBSCRIBE, token) == link


ADA = "ada@example.org"
MOVED = datetime(2026, 7, 1, tzinfo=UTC)


def settings(token: str, email: str, moved_at: datetime | None = None, tokens: Tokens = TOKENS) -> object:
    """Return whom a token is about where this is their address, None where it opens no settings."""
    try:
        return tokens.read_preferences(token, lambda _: ReaderAddress(email, moved_at))
    except Refused:
        return None


@given(stored_ids, stored_ids, st.emails())
def test_a_link_to_the_settings_is_good_for_the_address_it_was_mailed_to(
    one: int, other: int, email: str
) -> None:
    link = SubscriptionLink(one, other)  # type: ignore[arg-type]
    token = TOKENS.sign_preferences(link.newsletter_id, link.subscriber_id, email)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", token)
    assert settings(token, email) == settings(token, email.upper(), MOVED) == link
    for moved_at in (None, MOVED):
        assert settings(token, f"x{email}", moved_at) is None
    with pytest.raises(Refused):
        TOKENS.read_preferences(token, lambda _: None)


def test_a_link_of_an_older_version_is_good_until_its_reader_has_another_address() -> None:
    token = TOKENS.sign(Purpose.PREFERENCES, 1, 2)
    assert settings(token, ADA) == SubscriptionLink(1, 2)  # type: ignore[arg-type]
    assert settings(token, ADA, MOVED) is None
    assert settings(TOKENS.sign(Purpose.UNSUBSCRIBE, 1, 2), ADA) is None


def test_no_changed_bit_opens_the_settings_nor_does_another_key() -> None:
    token = Tokens(["old"]).sign_preferences(NewsletterId(1), SubscriberId(2), ADA)
    assert settings(token, ADA, tokens=Tokens(["old", "new"]))
    assert settings(token, ADA, tokens=Tokens(["new"])) is None
    for at in range(len(token) - 1):  # the last letter carries bits that base64 does not use
        for bit in range(7):
            forged = token[:at] + chr(ord(token[at]) ^ (1 << bit)) + token[at + 1 :]
            assert settings(forged, ADA, tokens=Tokens(["old"])) is None


@pytest.mark.parametrize(
    "text", ["", ".", "1.2", "1.2.", "é", "\ud800", "1.2.\ud800", f"1.{2**63}.x", "-1.2.x"]
)
def test_what_is_no_link_to_the_settings_is_refused_before_a_number_is_too_large(text: str) -> None:
    asked: list[int] = []

    def address_of(subscriber_id: SubscriberId) -> ReaderAddress:
        asked.append(subscriber_id)
        return ReaderAddress(ADA)

    with pytest.raises(Refused):
        TOKENS.read_preferences(text, address_of)
    assert all(number < 2**63 for number in asked)


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
