"""Asking DNS, within limits: each question once, all answers by one deadline.

Not getting an answer is `Unavailable` and says nothing about what is published: a name server that is away
must not look like a record that is missing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.resolver
import dns.reversename

from digest.domain.errors import Misconfigured, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS_EACH = 2.0
"""How long one question may take, with everything it is answered by way of."""

_SECONDS_A_TRY = 0.9
_AT_ONCE = 40
_UDP_MAX = 1232
"""Octets of an answer that no network on the way has to cut up; a longer one comes by TCP (RFC 9715)."""
_VALUES_MAX = 100
"""Records of one name that are looked at: nobody has a use for more, and strangers publish some of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What DNS holds of one kind under a name, as text; TXT strings are joined, host names have no last dot.

    `values` is empty where there is nothing of that kind. `exists` is False where there is no such name at
    all (NXDOMAIN).
    """

    values: tuple[str, ...]
    exists: bool = True


class Dns:
    """Asks one name server, `server` as in the setting `dns_resolver`, for at most `seconds` from now on.

    Lives in one event loop. Raises `Misconfigured` for a server that is none.
    """

    def __init__(self, server: str, *, seconds: float) -> None:
        self._resolver = _resolver(server)
        self._until = time.monotonic() + seconds
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._asked: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    async def ask(self, name: str, kind: str) -> Answer:
        """Return what `name` has of `kind` (TXT, MX, A, …), CNAMEs followed. Raises `Unavailable`."""
        question = (name.rstrip(".").lower(), kind)
        if question not in self._asked:
            self._asked[question] = asyncio.create_task(self._ask(*question))
        return await self._asked[question]

    async def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts under `name`, each whole. Raises `Unavailable`."""
        return (await self.ask(name, "TXT")).values

    async def addresses(self, name: str) -> tuple[Address, ...]:
        """Return the IPv4 and IPv6 addresses of a host. Raises `Unavailable`."""
        four, six = await asyncio.gather(self.ask(name, "A"), self.ask(name, "AAAA"))
        return tuple(ipaddress.ip_address(value) for value in (*four.values, *six.values))

    async def names_of(self, address: Address) -> tuple[str, ...]:
        """Return the names an address has (PTR). Raises `Unavailable`."""
        return (await self.ask(reverse_name(address), "PTR")).values

    async def _ask(self, name: str, kind: str) -> Answer:
        try:
            asked = dns.name.from_text(f"{name}.")
        except dns.exception.DNSException:
            return Answer((), exists=False)  # no zone can hold such a name
        async with self._turns:
            seconds = min(SECONDS_EACH, self._until - time.monotonic())
            if seconds <= 0:
                raise Unavailable(f"no time was left to ask for {name} {kind}")
            try:
                found = await self._resolver.resolve(asked, kind, raise_on_no_answer=False, lifetime=seconds)
            except dns.resolver.NXDOMAIN:
                return Answer((), exists=False)
            except (dns.exception.DNSException, OSError) as exc:
                raise Unavailable(f"{name} {kind}: {_reason(exc)}") from exc
        return Answer(tuple(_text(value) for value in list(found.rrset or ())[:_VALUES_MAX]))


def reverse_name(address: Address) -> str:
    """Return the name that an address's own names stand under, without its last dot."""
    return dns.reversename.from_address(str(address)).to_text(omit_final_dot=True)


def _resolver(server: str) -> dns.asyncresolver.Resolver:
    if not server:
        try:
            resolver = dns.asyncresolver.Resolver()
        except dns.exception.DNSException as exc:
            raise Misconfigured(
                "dns_resolver: this system names no server in /etc/resolv.conf; set one, as in 192.0.2.53"
            ) from exc
    else:
        resolver = dns.asyncresolver.Resolver(configure=False)
        host, resolver.port = _host_and_port(server)
        resolver.nameservers = [host]
    resolver.timeout = _SECONDS_A_TRY
    resolver.use_edns(0, payload=_UDP_MAX)
    return resolver


def _host_and_port(server: str) -> tuple[str, int]:
    """Read `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`."""
    try:
        return str(ipaddress.ip_address(server)), 53
    except ValueError:
        pass
    try:
        parts = urlsplit(f"//{server}")
        return str(ipaddress.ip_address(parts.hostname or "")), parts.port or 53
    except ValueError as exc:
        raise Misconfigured(
            f"dns_resolver: '{server}' is no address of a name server; write it like 192.0.2.53 or "
            "[2001:db8::53]:5353"
        ) from exc


def _text(value: dns.rdata.Rdata) -> str:
    strings: tuple[bytes, ...] | None = getattr(value, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    words = value.to_text().split(" ")
    return " ".join(word.rstrip(".") or "." for word in words)


def _reason(exc: Exception) -> str:
    if isinstance(exc, dns.resolver.LifetimeTimeout):
        return "no answer in time"
    if isinstance(exc, dns.resolver.NoNameservers):
        codes = [dns.rcode.to_text(error[4].rcode()) for error in exc.kwargs.get("errors", ()) if error[4]]
        return f"the name server answers {codes[-1]}" if codes else "the name server cannot be reached"
    return str(exc) or type(exc).__name__
