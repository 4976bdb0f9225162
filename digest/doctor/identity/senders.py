"""Whose names a mail carries, and from which addresses it leaves: what DNS is asked about."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from digest.deliver.dns import Address, Dns
from digest.deliver.headers import ascii_address
from digest.deliver.mail_urls import hosts_of
from digest.domain.errors import Misconfigured, Refused, Unavailable
from digest.runtime import Runtime
from digest.settings import Settings

_INSIDE = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
    )
)
"""Networks whose addresses no receiver ever sees mail come from."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """The domains that vouch for one sender's mail, all in A-labels and lower case.

    `author` is in From, `bounces` in the return path (SPF), `signer` in the signature (DKIM's `d=`).
    """

    author: str
    bounces: str
    signer: str


def identities(runtime: Runtime, senders: Iterable[str]) -> tuple[Identity, ...]:
    """Return the different identities of these addresses, in order. Raises `Misconfigured`."""
    return tuple(sorted({_identity(runtime, sender) for sender in senders}))


def _identity(runtime: Runtime, sender: str) -> Identity:
    author = _ascii_domain(sender, "sender")
    bounces = _ascii_domain(runtime.settings.return_path or sender, "return_path")
    return Identity(author, bounces, runtime.dkim_domain(sender))


def _ascii_domain(address: str, setting: str) -> str:
    domain = address.rpartition("@")[2]
    try:
        return ascii_address(f"postmaster@{domain}").rpartition("@")[2].lower()
    except Refused as exc:
        raise Misconfigured(f"{setting}: '{domain}' is not the name of a domain") from exc


@dataclass(frozen=True, slots=True)
class Sending:
    """The addresses mail leaves from: certain where the settings name them, else those of `host`, a guess.

    `host` is the name of the first mail server that others could know, '' where there is none.
    """

    addresses: tuple[Address, ...]
    is_certain: bool
    host: str = ""


async def sending(settings: Settings, dns: Dns) -> Sending:
    """Return where mail comes from, as far as the settings and DNS tell."""
    hosts = _relay_hosts(settings)
    name = next((host for host in hosts if _literal(host) is None), "")
    if settings.sending_addresses:
        named = tuple(ipaddress.ip_address(address) for address in settings.sending_addresses)
        return Sending(named, is_certain=True, host=name)
    found = [address for host in hosts for address in await _addresses(dns, host)]
    return Sending(tuple(dict.fromkeys(filter(is_seen, found))), is_certain=False, host=name)


async def _addresses(dns: Dns, host: str) -> tuple[Address, ...]:
    address = _literal(host)
    if address is not None:
        return (address,)
    try:
        return tuple(await dns.addresses(host))
    except Unavailable:
        return ()


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_seen(address: Address) -> bool:
    """Whether receivers can see mail come from `address`: it is neither this machine's nor a private one."""
    return not any(address in network for network in _INSIDE if network.version == address.version)


def _relay_hosts(settings: Settings) -> tuple[str, ...]:
    """Return the mail servers' names and addresses, without those that only this network knows."""
    return tuple(filter(None, map(_seen_host, hosts_of(settings.mail_url))))


def _seen_host(host: str) -> str:
    address = _literal(host)
    if address is not None:
        return host if is_seen(address) else ""
    return host.lower().rstrip(".") if "." in host and not host.endswith(".localhost") else ""
