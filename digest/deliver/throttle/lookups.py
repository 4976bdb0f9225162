"""Asking DNS who runs the mail of readers' domains, beside the sending: a send never waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from digest.deliver.throttle.groups import group_of_servers
from digest.domain.errors import Unavailable

if TYPE_CHECKING:
    from digest.deliver.dns import Dns

_NOBODYS = frozenset({"example", "test", "invalid", "localhost", "local"})
"""Top-level names that no mail server stands behind (RFC 2606, RFC 6762)."""
_EXAMPLES = frozenset({"example.com", "example.net", "example.org"})


async def look_up(dns: Dns, domains: Collection[str]) -> dict[str, str]:
    """Return the groups of those domains that DNS had an answer about, within the time of `dns`."""
    found = await asyncio.gather(*(_group(dns, domain) for domain in domains))
    return {domain: group for domain, group in zip(domains, found, strict=True) if group}


async def _group(dns: Dns, domain: str) -> str:
    """Return the group of a domain, '' when nobody answered."""
    if _is_nobodys(domain):
        return domain
    try:
        name = domain if domain.isascii() else domain.encode("idna").decode()
        answer = await dns.ask(name, "MX")
    except UnicodeError:
        return domain  # mail to it is refused when it is written
    except Unavailable:
        return ""
    return group_of_servers(domain, [_server(value) for value in answer.values])


def _server(value: str) -> tuple[int, str]:
    """Read `10 mx1.example.org`. A null MX (RFC 7505) is `0 .`, which names no host."""
    preference, _, host = value.partition(" ")
    return int(preference), host


def _is_nobodys(domain: str) -> bool:
    labels = domain.split(".")
    return labels[-1] in _NOBODYS or ".".join(labels[-2:]) in _EXAMPLES
