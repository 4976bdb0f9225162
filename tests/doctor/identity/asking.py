"""Looks at DNS from a test: one event loop each, one server, answers within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeVar

from digest.deliver.dns import Dns
from digest.doctor.identity.senders import Sending
from digest.doctor.identity.verdicts import Verdict
from tests.servers.dns import DnsServer, Zone
from tests.waiting import PATIENCE

T = TypeVar("T")

NOWHERE = Sending((), is_certain=False)


def asked(server: DnsServer, look: Callable[[Dns], Awaitable[T]], *, seconds: float = PATIENCE) -> T:
    """Return what `look` makes of what `server` answers."""

    async def run() -> T:
        return await look(Dns(server.address, seconds=seconds))

    return asyncio.run(run())


def seen(zone: Zone, look: Callable[[Dns], Awaitable[T]]) -> T:
    """Return what `look` makes of a zone."""
    with DnsServer(zone) as server:
        return asked(server, look)


def certain(*addresses: str) -> Sending:
    return Sending(tuple(map(ip_address, addresses)), is_certain=True)


def guessed(*addresses: str, host: str = "smtp.example.net") -> Sending:
    return Sending(tuple(map(ip_address, addresses)), is_certain=False, host=host)


def ills(verdict: Verdict) -> str:
    return " ".join(verdict.errors)
