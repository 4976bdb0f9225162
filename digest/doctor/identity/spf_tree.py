"""Everything an SPF record leads to, asked for beforehand: so that what it says of an address is computed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from digest.deliver.dns import Address, Dns
from digest.doctor.identity.spf import ASKING, SpfRecord, Term, is_spf, read_spf
from digest.domain.errors import Unavailable

TERMS_MAX = 40
"""Terms that are followed: four times what receivers would, so that the excess can be told."""

_HOSTS_MAX = 10
"""Mail hosts of one mx that receivers ask for (RFC 7208 §4.6.4)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one term leads to. `was_asked` is False for what is another for each mail, or too deep.

    `addresses` are those of a, mx and exists; `node` is the record of include and redirect. `trouble` says
    why DNS could not be asked, '' when it could.
    """

    addresses: tuple[Address, ...] = ()
    node: Node | None = None
    is_void: bool = False
    was_asked: bool = True
    has_too_many: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A domain's SPF records, of which there should be one, and what the terms of that one lead to."""

    domain: str
    records: tuple[SpfRecord, ...]
    found: Mapping[Term, Found] = field(default_factory=dict)

    @property
    def record(self) -> SpfRecord | None:
        """The one record, None where there is none or more than one."""
        return self.records[0] if len(self.records) == 1 else None


async def grow(dns: Dns, domain: str) -> Node:
    """Ask for a domain's record and for all that it leads to.

    Raises `Unavailable` when not even the first is got; what else is not stands in the tree.
    """
    return await _node(dns, domain.lower().rstrip("."), (), _Room(TERMS_MAX))


@dataclass(slots=True)
class _Room:
    """How many more terms may be followed."""

    left: int


async def _node(dns: Dns, domain: str, above: tuple[str, ...], room: _Room) -> Node:
    records = tuple(read_spf(text) for text in await dns.texts(domain) if is_spf(text))
    node = Node(domain, records)
    if node.record is None:
        return node
    asking = [term for term in node.record.terms if term.name in ASKING]
    found = await asyncio.gather(*(_found(dns, term, domain, (*above, domain), room) for term in asking))
    return Node(domain, records, dict(zip(asking, found, strict=True)))


async def _found(dns: Dns, term: Term, domain: str, above: tuple[str, ...], room: _Room) -> Found:
    name = (term.domain or domain).lower().rstrip(".")
    if term.has_macros or term.name == "ptr":
        return Found(was_asked=False)
    if room.left <= 0 or (name in above and term.name in ("include", "redirect")):
        return Found(was_asked=False, has_too_many=True)
    room.left -= 1
    try:
        if term.name in ("include", "redirect"):
            node = await _node(dns, name, above, room)
            return Found(node=node, is_void=not node.records)
        if term.name == "mx":
            return await _mail_hosts(dns, name)
        addresses = await dns.addresses(name)
    except Unavailable as exc:
        return Found(trouble=str(exc))
    return Found(addresses, is_void=not addresses)


async def _mail_hosts(dns: Dns, name: str) -> Found:
    hosts = [value.split()[-1] for value in (await dns.ask(name, "MX")).values]
    addresses = await asyncio.gather(*(dns.addresses(host) for host in hosts[:_HOSTS_MAX] if host != "."))
    return Found(
        tuple(address for some in addresses for address in some),
        is_void=not hosts,
        has_too_many=len(hosts) > _HOSTS_MAX,
    )
