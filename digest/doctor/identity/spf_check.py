"""SPF: whether the domain that bounces go to lets our addresses send (RFC 7208)."""

from __future__ import annotations

from collections.abc import Iterator

from digest.deliver.dns import Dns
from digest.doctor.identity.senders import Sending, is_seen
from digest.doctor.identity.spf import LOOKUPS_MAX, VOIDS_MAX, merged, new_record, with_address, with_ending
from digest.doctor.identity.spf_result import Cost, SpfResult, cost_of, costs, nodes, result_for
from digest.doctor.identity.spf_tree import Node, grow
from digest.doctor.identity.verdicts import Verdict, within
from digest.doctor.identity.zone import zone_text

_DEAREST = 3


async def look_at_spf(dns: Dns, domain: str, from_where: Sending) -> Verdict:
    """Look at the SPF record of a return path's domain, at all it leads to, and try our addresses on it."""
    return judge_spf(await grow(dns, domain), from_where)


def judge_spf(node: Node, from_where: Sending) -> Verdict:
    """Return what a domain's record comes to for mail from these addresses."""
    verdict = Verdict(f"SPF of {node.domain}")
    if not node.records:
        _without(verdict, node.domain, from_where)
    elif node.record is None:
        verdict.found.append(f"{len(node.records)} SPF records, so receivers take none")
        verdict.errors.append("Leave one record, for instance this one for all of them")
        verdict.record = zone_text(node.domain, merged(node.records))
    else:
        _with_one(verdict, node, from_where)
    return verdict


def _without(verdict: Verdict, domain: str, from_where: Sending) -> None:
    verdict.found.append("no SPF record")
    seen = [address for address in from_where.addresses if is_seen(address)]
    if from_where.is_certain and seen:
        verdict.errors.append("Receivers cannot tell who may send for it")
        verdict.record = zone_text(domain, new_record(seen))
    elif from_where.host:
        verdict.errors.append(
            "Receivers cannot tell who may send for it. Ask whoever keeps your mail server for the "
            "include: that belongs there; if mail leaves from that very host, this will do"
        )
        verdict.record = zone_text(domain, new_record((), from_where.host))
    else:
        verdict.errors.append(
            "Receivers cannot tell who may send for it. Set sending_addresses to the addresses mail leaves "
            "from, and look again for the record to write"
        )


def _with_one(verdict: Verdict, node: Node, from_where: Sending) -> None:
    assert node.record is not None
    record, cost = node.record, cost_of(node)
    verdict.found.append(within(record.text))
    if record.problems:
        verdict.errors.append(f"Receivers take none of it: {'; '.join(record.problems)}")
        return
    verdict.found.append(f"{cost.lookups} of {LOOKUPS_MAX} lookups")
    verdict.errors += _too_much(node, cost)
    verdict.errors += _broken_below(node)
    troubles = {found.trouble for one in nodes(node) for found in one.found.values() if found.trouble}
    verdict.hints += [f"Could not ask all it leads to ({trouble})" for trouble in sorted(troubles)[:1]]
    written = _with_good_ending(verdict, node, record.text)
    _say_who_passes(verdict, node, from_where, written)


def _too_much(node: Node, cost: Cost) -> Iterator[str]:
    if cost.is_endless:
        yield "It leads in a circle, or far too deep, so receivers take none of it"
    elif cost.lookups > LOOKUPS_MAX:
        dearest = sorted(costs(node), key=lambda one: -one[1].lookups)[:_DEAREST]
        told = ", ".join(f"{within(term.text)} takes {below.lookups}" for term, below in dearest)
        yield (
            f"Receivers give up after {LOOKUPS_MAX} lookups ({told}): leave out what no longer sends for "
            "you, or name its addresses by ip4: and ip6:"
        )
    if cost.voids > VOIDS_MAX:
        yield f"{cost.voids} of its names hold nothing; receivers give up after {VOIDS_MAX}: leave them out"


def _broken_below(node: Node) -> Iterator[str]:
    for one in nodes(node):
        if one is node:
            continue
        if not one.records:
            yield f"{one.domain}, which it includes, has no SPF record, so receivers take none of yours"
        elif one.record is None:
            yield f"{one.domain}, which it includes, has {len(one.records)} SPF records, so it fails"
        elif one.record.problems:
            yield f"{one.domain}, which it includes, is broken: {'; '.join(one.record.problems)}"


def _with_good_ending(verdict: Verdict, node: Node, text: str) -> str:
    """Say what is wrong with the last term, and return the record as it should end."""
    assert node.record is not None
    ending = node.record.ending
    if ending in ("-", "~") or (not ending and node.record.redirects):
        return text
    if ending == "+":
        verdict.errors.append("+all lets everybody send for it; end it in ~all")
    else:
        verdict.hints.append(
            f"It ends {'in ?all' if ending else 'without all'}, which says nothing of others' mail: end it "
            "in ~all"
        )
    written = with_ending(node.record, "~all")
    verdict.record = zone_text(node.domain, written)
    return written


def _say_who_passes(verdict: Verdict, node: Node, from_where: Sending, written: str) -> None:
    assert node.record is not None
    seen = [address for address in from_where.addresses if is_seen(address)]
    results = {address: result_for(node, address) for address in seen}
    verdict.found += [f"{address}: {result}" for address, result in results.items()]
    if verdict.errors:
        return
    missed = [
        address
        for address, result in results.items()
        if result in (SpfResult.FAIL, SpfResult.SOFTFAIL, SpfResult.NEUTRAL)
    ]
    if not missed:
        return
    named = ", ".join(map(str, missed))
    if from_where.is_certain:
        verdict.errors.append(f"Mail from {named} does not pass: let it")
    else:
        verdict.hints.append(
            f"Mail from {named}, the address of {from_where.host or 'your mail server'}, would not pass. If "
            "it leaves from others, name them in sending_addresses; if not, let it"
        )
    verdict.record = zone_text(node.domain, with_address(written, missed))
