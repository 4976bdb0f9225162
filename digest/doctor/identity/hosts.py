"""Hosts: those that take bounces, and the names of the addresses that mail leaves from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from digest.deliver.dns import Address, Dns, reverse_name
from digest.doctor.checks import Check
from digest.doctor.identity.senders import Sending, is_seen
from digest.doctor.identity.verdicts import Verdict
from digest.doctor.identity.zone import zone_line

_HOSTS_MAX = 10
_NAMES_MAX = 5


async def look_at_bounces(dns: Dns, domain: str) -> Verdict:
    """Look whether mail to the return path's domain has somewhere to go (RFC 5321 §5.1, RFC 7505)."""
    verdict = Verdict(f"bounces to {domain}")
    found = sorted((await dns.ask(domain, "MX")).values, key=_preference)
    hosts = [value.split()[-1].lower() for value in found]
    if hosts == ["."]:
        verdict.found.append("takes no mail (null MX)")
        verdict.errors.append("Name the host that takes its mail instead, or give return_path another domain")
    elif hosts:
        verdict.found.append(", ".join(found[:_HOSTS_MAX]))
        await _look_at_hosts(dns, verdict, hosts[:_HOSTS_MAX])
    else:
        await _without_mx(dns, verdict, domain)
    return verdict


def _preference(value: str) -> tuple[int, str]:
    number, _, host = value.partition(" ")
    return int(number), host


async def _look_at_hosts(dns: Dns, verdict: Verdict, hosts: Sequence[str]) -> None:
    addresses = await asyncio.gather(*(dns.addresses(host) for host in hosts))
    aliases = await asyncio.gather(*(dns.ask(host, "CNAME") for host in hosts))
    lost = [host for host, some in zip(hosts, addresses, strict=True) if not some]
    if lost and len(lost) == len(hosts):
        verdict.errors.append(f"No bounce arrives: {', '.join(lost)} has no address")
    elif lost:
        verdict.hints.append(f"{', '.join(lost)} has no address")
    named = [host for host, alias in zip(hosts, aliases, strict=True) if alias.values]
    if named:
        verdict.hints.append(f"{', '.join(named)} is an alias (CNAME), which a mail host must not be")


async def _without_mx(dns: Dns, verdict: Verdict, domain: str) -> None:
    verdict.found.append("no MX record")
    if await dns.addresses(domain):
        verdict.hints.append(
            "Servers fall back to the domain's own address. If bounces are taken there, say so"
        )
        verdict.record = zone_line(domain, "MX", f"10 {domain}.")
    else:
        verdict.errors.append(
            "Bounces go nowhere, and receivers distrust a sender that no answer can reach: name the "
            "host that takes its mail"
        )
        verdict.record = zone_line(domain, "MX", f"10 mail.{domain}.")


async def look_at_address(dns: Dns, address: Address, from_where: Sending, author: str) -> Verdict:
    """Look whether an address has a name that leads back to it, as large receivers demand (RFC 1912 §2.1)."""
    verdict = Verdict(f"address {address}")
    if not is_seen(address):
        verdict.found.append("of a private network")
        verdict.hints.append("Receivers see another: put that into sending_addresses")
        return verdict
    problems = verdict.errors if from_where.is_certain else verdict.hints

    def say(what: str) -> None:
        guess = f"If mail leaves from it (else set sending_addresses), {what}"
        problems.append(f"{what[0].upper()}{what[1:]}" if from_where.is_certain else guess)

    names = (await dns.names_of(address))[:_NAMES_MAX]
    if not names:
        verdict.found.append("has no name")
        say("have whoever gave you the address give it a name that leads back to it")
        name = from_where.host or f"mail.{author}"
        verdict.record = zone_line(reverse_name(address), "PTR", f"{name}.")
        return verdict
    back = await asyncio.gather(*(dns.addresses(name) for name in names))
    confirmed = [name for name, addresses in zip(names, back, strict=True) if address in addresses]
    if confirmed:
        verdict.found.append(f"{confirmed[0]}, and back")
    else:
        verdict.found.append(f"{', '.join(names)}, which does not lead back to it")
        say("let its name lead back to it, or have it named otherwise")
        verdict.record = zone_line(names[0], "A" if address.version == 4 else "AAAA", str(address))
    return verdict


def unknown_addresses() -> Check:
    """Return what is said where nothing tells from which addresses mail leaves."""
    return Check(
        "sending addresses",
        True,
        "not known",
        "Set sending_addresses to the addresses receivers see mail come from: then SPF is tried with them, "
        "and their names are looked up.",
    )
