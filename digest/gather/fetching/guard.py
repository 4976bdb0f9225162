"""Which addresses a fetch may connect to. Pure rules: no name is resolved and nothing is opened here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from digest.domain.errors import Misconfigured

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

PUBLIC_PORTS = frozenset({80, 443})

# `is_global` alone passes some of these, and its answer has changed between Python releases. The lists are
# the IANA special-purpose registries (RFC 6890 and its updates) with what clouds added for themselves.
_DENIED_V4: dict[IPv4Network, str] = {
    IPv4Network(network): reason
    for network, reason in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "a private network",
        "100.64.0.0/10": "a carrier's or cloud's inner network",
        "127.0.0.0/8": "this machine",
        "168.63.129.16/32": "a cloud's control address",
        "169.254.0.0/16": "link-local, where clouds keep their metadata",
        "172.16.0.0/12": "a private network",
        "192.0.0.0/24": "reserved for protocols",
        "192.0.2.0/24": "for documentation only",
        "192.31.196.0/24": "reserved for AS112",
        "192.52.193.0/24": "reserved for AMT",
        "192.88.99.0/24": "a 6to4 relay",
        "192.168.0.0/16": "a private network",
        "192.175.48.0/24": "reserved for AS112",
        "198.18.0.0/15": "for benchmarks only",
        "198.51.100.0/24": "for documentation only",
        "203.0.113.0/24": "for documentation only",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }.items()
}
_GLOBAL_V6 = IPv6Network("2000::/3")
_DENIED_V6: dict[IPv6Network, str] = {
    IPv6Network(network): reason
    for network, reason in {
        "2001::/23": "reserved for protocols (Teredo, ORCHID, benchmarks)",
        "2001:db8::/32": "for documentation only",
        "2002::/16": "6to4, which hides an IPv4 address",
        "2620:4f:8000::/48": "reserved for AS112",
        "3fff::/20": "for documentation only",
    }.items()
}
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def why_denied(address: IPAddress) -> str | None:
    """Say what is wrong with connecting to `address`, or None for a public unicast address.

    An IPv6 address is public only inside 2000::/3 (RFC 4291 §2.4): that leaves out loopback, link-local,
    site-local, unique-local, multicast, IPv4-mapped, IPv4-compatible and NAT64 addresses at once.
    """
    if isinstance(address, IPv4Address):
        reasons = (reason for network, reason in _DENIED_V4.items() if address in network)
        return next(reasons, None if address.is_global else "not a public address")
    if address not in _GLOBAL_V6:
        return "not a public IPv6 address"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "ISATAP, which hides an IPv4 address"
    return next((reason for network, reason in _DENIED_V6.items() if address in network), None)


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one fetcher: public addresses on ports 80 and 443, and what `allow` names besides.

    `endpoints` are "host:port" as URLs write them, `networks` are address ranges on any port.
    """

    endpoints: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    @classmethod
    def allowing(cls, allow: Collection[str]) -> Guard:
        """Return a guard with exceptions for "host:port" and CIDR entries such as 127.0.0.0/8.

        Raises `Misconfigured` for an entry that is neither.
        """
        networks = [entry for entry in allow if "/" in entry]
        endpoints = frozenset(_endpoint(entry) for entry in allow if "/" not in entry)
        return cls(endpoints, tuple(_network(entry) for entry in sorted(networks)))

    def why_not_port(self, host: str, port: int) -> str | None:
        """Say why `port` of `host` may not be asked for, before any name is resolved."""
        if port in PUBLIC_PORTS or self.networks or f"{host}:{port}" in self.endpoints:
            return None
        return f"port {port} is neither 80 nor 443"

    def why_not(self, host: str, port: int, addresses: Collection[str]) -> str | None:
        """Say why `host` may not be connected to when it resolves to `addresses`, or None when it may.

        One bad address among many condemns the name: which one a connection uses is chance.
        """
        if f"{host}:{port}" in self.endpoints:
            return None
        return next(filter(None, (self._why_not_address(text, port) for text in addresses)), None)

    def _why_not_address(self, text: str, port: int) -> str | None:
        try:
            address = ip_address(text)
        except ValueError:
            return f"'{text}' is not an address"
        if any(address in network for network in self.networks):
            return None
        if port not in PUBLIC_PORTS:
            return f"port {port} is neither 80 nor 443"
        reason = why_denied(address)
        return reason and f"{text} is {reason}"


def _network(entry: str) -> IPNetwork:
    try:
        return ip_network(entry)
    except ValueError as exc:
        raise Misconfigured(f"allowed address range '{entry}': {exc}") from exc


def _endpoint(entry: str) -> str:
    host, _, port = entry.lower().rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise Misconfigured(
            f"allowed address '{entry}' is neither host:port (127.0.0.1:8000) nor a range (127.0.0.0/8)"
        )
    return f"{host.removeprefix('[').removesuffix(']')}:{port}"
