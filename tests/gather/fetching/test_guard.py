from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from digest.domain.errors import Misconfigured
from digest.gather.fetching.guard import Guard, why_denied

DENIED = (Path(__file__).parent.parent / "data" / "inner-addresses.txt").read_text().splitlines()

PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
)


@pytest.mark.parametrize("address", DENIED)
def test_an_address_that_is_not_public_is_denied_with_a_reason(address: str) -> None:
    assert why_denied(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert why_denied(ip_address(address)) is None


def test_one_denied_address_among_many_condemns_the_name() -> None:
    reason = Guard().why_not("both.example", 443, ["1.1.1.1", "10.0.0.1"])
    assert reason == "10.0.0.1 is a private network"


def test_only_the_two_web_ports_are_public() -> None:
    guard = Guard()
    assert guard.why_not_port("example.com", 80) is None
    assert guard.why_not_port("example.com", 443) is None
    for port in (21, 22, 25, 3306, 5432, 6379, 8080, 11211):
        assert guard.why_not_port("example.com", port)
        assert guard.why_not("example.com", port, ["1.1.1.1"])


def test_an_allowed_endpoint_is_that_host_and_port_only() -> None:
    guard = Guard.allowing({"127.0.0.1:8123", "[::1]:8124"})
    assert guard.why_not("127.0.0.1", 8123, ["127.0.0.1"]) is None
    assert guard.why_not("::1", 8124, ["::1"]) is None
    assert guard.why_not("127.0.0.1", 8124, ["127.0.0.1"])
    assert guard.why_not("localhost", 8123, ["127.0.0.1"])


def test_an_allowed_range_opens_its_addresses_and_no_others() -> None:
    guard = Guard.allowing({"127.0.0.0/8"})
    assert guard.why_not("localhost", 5000, ["127.0.0.1"]) is None
    assert guard.why_not("inner.example", 80, ["10.0.0.1"])
    assert guard.why_not("example.com", 5000, ["1.1.1.1"])


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.1:port", ":80", "10.0.0.1/8", "host:70000"])
def test_an_exception_that_names_nothing_is_a_misconfiguration(entry: str) -> None:
    with pytest.raises(Misconfigured, match="allowed address"):
        Guard.allowing({entry})
