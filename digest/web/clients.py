"""The address a request came from, also where it came through a proxy."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from fastapi import Request

from digest.domain.networks import tells_apart

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_of(request: Request, trusted: Sequence[str]) -> str:
    """Return the client's address, '' for none. Only what `trusted` proxies say of it is believed.

    Each proxy adds at the right whom it was asked by. So the client is the first from the right that is no
    proxy of ours; whatever stands further left, the client may have written itself.
    """
    peer = _address(request.client.host) if request.client else None
    if peer is None:
        return ""
    networks = [ipaddress.ip_network(one, strict=False) for one in trusted]
    told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while told and _is_in(peer, networks):
        before = _address(told.pop().strip())
        if before is None:
            break
        peer = before
    return str(peer)


def network_of(client: str) -> str:
    """Return an address that tells whoever asks apart from others, '' for one that does not.

    Behind a proxy that is not among `trusted_proxies` everybody has the proxy's own, which is a private one.
    """
    return client if tells_apart(client) else ""


def _is_in(address: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """Return an address without its zone; one of version 4 that is written as version 6 as what it is."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address
