import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.deliveries import DeliveryId
from digest.domain.errors import Misconfigured, Refused
from digest.track.returns import ReturnPaths

KEY, OLDER = "k" * 32, "o" * 32
PATHS = ReturnPaths("bounces+*@news.example.org", [OLDER, KEY])
ids = st.integers(1, 2**63 - 1).map(DeliveryId)


@given(ids)
def test_a_return_path_tells_its_delivery_whatever_case_it_comes_back_in(number: DeliveryId) -> None:
    address = PATHS.write(number)
    assert address.endswith("@news.example.org")
    assert len(address.rpartition("@")[0]) <= 64
    for written in (address, address.upper(), address.title()):
        assert PATHS.read(written) == number


@given(ids, st.data())
def test_a_changed_return_path_is_refused(number: DeliveryId, data: st.DataObject) -> None:
    address = PATHS.write(number)
    place = data.draw(st.integers(0, len(address) - 1))
    other = data.draw(st.sampled_from("abz279+-@.*").filter(lambda char: char != address[place]))
    with pytest.raises(Refused, match="no return path of ours"):
        PATHS.read(address[:place] + other + address[place + 1 :])


@pytest.mark.parametrize(
    "address", ["", "@", "bounces@news.example.org", "bounces+1@news.example.org", "é@é"]
)
def test_what_was_never_a_return_path_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        PATHS.read(address)


def test_paths_signed_with_an_older_key_are_still_read_and_with_another_are_not() -> None:
    number = DeliveryId(7)
    older = ReturnPaths("bounces+*@news.example.org", [OLDER]).write(number)
    assert PATHS.read(older) == number
    assert PATHS.write(number) != older
    with pytest.raises(Refused):
        PATHS.read(ReturnPaths("bounces+*@news.example.org", ["n" * 32]).write(number))


def test_the_mark_may_stand_anywhere_before_the_at() -> None:
    paths = ReturnPaths("b.*.Digest@example.org", [KEY])
    assert paths.read(paths.write(DeliveryId(12))) == 12


@pytest.mark.parametrize(
    "pattern",
    [
        "bounces@example.org",
        "b*b*@example.org",
        "b@*.example.org",
        "*",
        "*" + "a" * 40 + "@e.org",
        "é*@e.org",
    ],
)
def test_a_pattern_without_room_for_the_mark_is_refused(pattern: str) -> None:
    with pytest.raises(Misconfigured, match=r"bounces\+\*@news\.example\.org"):
        ReturnPaths(pattern, [KEY])
