"""Whose address a request has: what a proxy of ours says, and nothing that a client says of itself."""

from __future__ import annotations

import pytest
from fastapi import Request

from digest.web.clients import client_of, network_of

PROXY, INNER = "127.0.0.1", "10.0.0.0/8"


def asked(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # nobody we trust says so
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("1.1.1.1, 198.51.100.1",), "198.51.100.1"),  # the client wrote the first itself
        ("127.0.0.1", ("1.1.1.1", "198.51.100.1"), "198.51.100.1"),
        ("127.0.0.1", ("198.51.100.1, 10.1.2.3",), "198.51.100.1"),  # two proxies of ours
        ("127.0.0.1", ("10.1.2.3",), "10.1.2.3"),
        ("127.0.0.1", ("127.0.0.1, 127.0.0.1",), "127.0.0.1"),
        ("127.0.0.1", ("nonsense",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1, nonsense",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1:4711",), "127.0.0.1"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        ("127.0.0.1", ("1.1.1.1,",), "127.0.0.1"),
        ("::ffff:127.0.0.1", ("2001:db8::7",), "2001:db8::7"),
        ("127.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("fe80::1%eth0",), "fe80::1"),
        ("testclient", ("198.51.100.1",), ""),
    ],
)
def test_only_a_trusted_proxy_names_the_client(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    assert client_of(asked(peer, *forwarded), [PROXY, INNER]) == client


def test_by_default_no_proxy_is_trusted() -> None:
    assert client_of(asked("127.0.0.1", "198.51.100.1"), ()) == "127.0.0.1"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "fd00::1", "::1", "", "x"])
def test_a_private_address_tells_nobody_apart(address: str) -> None:
    assert network_of(address) == ""


def test_a_public_address_does() -> None:
    assert network_of("8.8.8.8") == "8.8.8.8"
