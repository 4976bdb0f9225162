"""What an SPF record comes to: what receivers say of an address, and what asking costs them (RFC 7208 §4)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from digest.deliver.dns import Address
from digest.doctor.identity.spf import ASKING, Term
from digest.doctor.identity.spf_tree import Found, Node


class SpfResult(StrEnum):
    """RFC 7208 §2.6; `unknown` where it depends on what only a mail tells."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    UNKNOWN = "unknown"


_BY_QUALIFIER = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What evaluating a record takes at most.

    `is_endless`: it leads in a circle, or further than was followed.
    """

    lookups: int
    voids: int
    is_endless: bool = False

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.lookups + other.lookups, self.voids + other.voids, self.is_endless or other.is_endless
        )


def cost_of(node: Node) -> Cost:
    """Return what all the terms of a record cost, those of what it includes counted."""
    return sum((cost for _, cost in costs(node)), Cost(0, 0))


def costs(node: Node) -> Iterator[tuple[Term, Cost]]:
    """Yield each asking term of a record with what it costs, in the record's order."""
    for term in node.record.terms if node.record else ():
        if term.name in ASKING:
            found = node.found[term]
            below = cost_of(found.node) if found.node else Cost(0, 0)
            yield term, Cost(1, int(found.is_void), found.has_too_many) + below


def nodes(node: Node) -> Iterator[Node]:
    """Yield a record and all that it includes."""
    yield node
    for found in node.found.values():
        if found.node:
            yield from nodes(found.node)


def result_for(node: Node, address: Address) -> SpfResult:
    """Return what receivers make of mail from `address`, by the records as they were found."""
    if not node.records:
        return SpfResult.NONE
    if node.record is None or node.record.problems:
        return SpfResult.PERMERROR
    is_unsure = False
    for term in node.record.terms:
        found = node.found.get(term, Found())
        if term.name == "redirect":
            return _redirected(found, address, is_unsure=is_unsure)
        match = _match(term, found, address)
        if isinstance(match, SpfResult):
            return match
        if match:
            result = _BY_QUALIFIER[term.qualifier]
            return SpfResult.UNKNOWN if is_unsure and result is not SpfResult.PASS else result
        is_unsure = is_unsure or match is None
    return SpfResult.UNKNOWN if is_unsure else SpfResult.NEUTRAL


def _redirected(found: Found, address: Address, *, is_unsure: bool) -> SpfResult:
    if found.trouble:
        return SpfResult.TEMPERROR
    if found.node is None:
        return SpfResult.PERMERROR if found.has_too_many else SpfResult.UNKNOWN
    result = result_for(found.node, address)
    if result is SpfResult.NONE:
        return SpfResult.PERMERROR
    return SpfResult.UNKNOWN if is_unsure and result is not SpfResult.PASS else result


def _match(term: Term, found: Found, address: Address) -> bool | SpfResult | None:
    """Return whether a term is about `address`, None when only a mail tells, or the result it ends in."""
    if term.name == "all":
        return True
    if term.network is not None:
        return address.version == term.network.version and address in term.network
    if found.trouble:
        return SpfResult.TEMPERROR
    if term.name == "include":
        return _included(found, address)
    if not found.was_asked:
        return None
    if term.name == "exists":
        return bool(found.addresses)
    return any(_is_near(address, other, term) for other in found.addresses)


def _included(found: Found, address: Address) -> bool | SpfResult | None:
    if found.node is None:
        return SpfResult.PERMERROR if found.has_too_many else None
    result = result_for(found.node, address)
    if result in (SpfResult.NONE, SpfResult.PERMERROR):
        return SpfResult.PERMERROR
    if result is SpfResult.TEMPERROR:
        return SpfResult.TEMPERROR
    return None if result is SpfResult.UNKNOWN else result is SpfResult.PASS


def _is_near(address: Address, other: Address, term: Term) -> bool:
    if address.version != other.version:
        return False
    bits = term.prefixes[0] if address.version == 4 else term.prefixes[1]
    return address in ipaddress.ip_network(f"{other}/{bits}", strict=False)
