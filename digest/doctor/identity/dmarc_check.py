"""DMARC: what is published for a sender's domain, and whether our mail can live up to it (RFC 9989)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from digest.deliver.dns import Dns
from digest.doctor.identity.dmarc import (
    DmarcRecord,
    Walk,
    are_aligned,
    is_dmarc,
    names_walked,
    new_record,
    read_dmarc,
    repaired,
)
from digest.doctor.identity.senders import Identity
from digest.doctor.identity.verdicts import Verdict, within
from digest.doctor.identity.zone import zone_text

_REPORTS_ASKED = 5
"""Domains of others that reports go to, and that are asked whether they want them."""


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk up from a domain. `several` are names with more than one record, which count for none."""

    walk: Walk
    several: tuple[str, ...] = ()


async def walk_from(dns: Dns, domain: str) -> Walked:
    """Ask for every record that may hold for `domain`. Raises `Unavailable` when one cannot be asked for."""
    names = names_walked(domain)
    # All at once, although a walk may end early: what lies beyond its end is passed over.
    texts = await asyncio.gather(*(dns.texts(f"_dmarc.{name}") for name in names))
    found = {
        name: [read_dmarc(one) for one in some if is_dmarc(one)]
        for name, some in zip(names, texts, strict=True)
    }
    records = {name: some[0] for name, some in found.items() if len(some) == 1}
    return Walked(Walk(names[0], records), tuple(name for name, some in found.items() if len(some) > 1))


async def look_at_dmarc(dns: Dns, domain: str, ops_email: str) -> Verdict:
    """Look at the record that holds for mail from `domain`; `ops_email` may want reports, '' is nobody."""
    walked = await walk_from(dns, domain)
    walk, verdict = walked.walk, Verdict(f"DMARC of {domain}")
    record = walk.records.get(walk.source)
    reports_to = _reports_to(domain, walk.organisation, ops_email)
    verdict.errors += [
        f"_dmarc.{name} has several records, which count for none; leave one" for name in walked.several
    ]
    if record is None:
        verdict.found.append("no DMARC record")
        verdict.errors.append("Large receivers want one of whoever sends to many")
        verdict.record = zone_text(f"_dmarc.{domain}", new_record(reports_to))
        return verdict
    exists = walk.source == domain or (await dns.ask(domain, "MX")).exists
    judge_record(verdict, record, walk, exists=exists)
    await _look_at_reports(dns, verdict, record, walk)
    if verdict.errors or verdict.hints:
        verdict.record = "\n".join(filter(None, (_mended(record, walk.source, reports_to), verdict.record)))
    return verdict


def judge_record(verdict: Verdict, record: DmarcRecord, walk: Walk, *, exists: bool) -> None:
    """Say what a record asks for mail from the walk's domain; `exists`: whether DNS knows that domain."""
    policy = record.policy if walk.source == walk.domain else record.policy_below(exists=exists)
    verdict.found.append(f"_dmarc.{walk.source}: {within(record.text)}")
    if policy is None:
        verdict.errors.append(f"Receivers pass it over: {'; '.join(record.problems)}")
        return
    if walk.source != walk.domain:
        verdict.found.append(f"p={policy} for {walk.domain}")
    if record.is_test:
        verdict.found.append("test mode (t=y): one step milder than it says")
    if record.problems:
        verdict.errors.append(f"Receivers cannot read all of it: {'; '.join(record.problems)}")
    if record.psd == "y" and walk.source == walk.domain:
        verdict.errors.append("psd=y is for registries, below which others have domains")
    if not record.rua:
        verdict.hints.append("Nobody gets reports, which tell whose mail fails")
    if record.notes and not verdict.errors:
        verdict.hints.append(f"It could be shorter: {'; '.join(record.notes)}")


async def _look_at_reports(dns: Dns, verdict: Verdict, record: DmarcRecord, walk: Walk) -> None:
    """Ask domains that are not the sender's whether they want its reports (RFC 9990 §4)."""
    domains = sorted({address.rpartition("@")[2].lower().rstrip(".") for address in record.rua})
    for other in domains[:_REPORTS_ASKED]:
        if (await walk_from(dns, other)).walk.organisation == walk.organisation:
            continue
        name = f"{walk.source}._report._dmarc.{other}"
        if not any(is_dmarc(text) for text in await dns.texts(name)):
            verdict.hints.append(f"Reports to {other} are not sent until it says that it wants them")
            verdict.record = "\n".join(filter(None, (verdict.record, zone_text(name, "v=DMARC1"))))


def _mended(record: DmarcRecord, source: str, reports_to: str) -> str:
    written = repaired(record, reports_to=reports_to)
    is_the_same = written.replace(" ", "") == record.text.replace(" ", "").rstrip(";")
    return "" if is_the_same else zone_text(f"_dmarc.{source}", written)


def _reports_to(domain: str, organisation: str, ops_email: str) -> str:
    """Return who gets reports: ops where they are of this organisation, as others must agree first."""
    ops_domain = ops_email.rpartition("@")[2].lower()
    is_ours = f".{ops_domain}".endswith(f".{organisation}") or f".{domain}".endswith(f".{ops_domain}")
    return ops_email if ops_domain and is_ours else f"postmaster@{organisation}"


async def look_at_alignment(dns: Dns, identity: Identity, *, signs: bool) -> Verdict:
    """Look whether what SPF and DKIM vouch for counts as the sender's own; `signs`: whether Digest does."""
    author, bounces, signer = (
        one.walk
        for one in await asyncio.gather(
            *(walk_from(dns, domain) for domain in (identity.author, identity.bounces, identity.signer))
        )
    )
    record = author.records.get(author.source)
    by_spf = are_aligned(author, bounces, is_strict=bool(record and record.is_strict_spf))
    by_dkim = signs and are_aligned(author, signer, is_strict=bool(record and record.is_strict_dkim))
    return judge_alignment(identity, by_spf=by_spf, by_dkim=by_dkim, signs=signs)


def judge_alignment(identity: Identity, *, by_spf: bool, by_dkim: bool, signs: bool) -> Verdict:
    """Say whether mail passes DMARC by its return path and by its signature."""
    verdict = Verdict(f"alignment of {identity.author}")
    verdict.found.append(f"return path {identity.bounces}: {'aligned' if by_spf else 'not aligned'}")
    if signs:
        verdict.found.append(f"signature {identity.signer}: {'aligned' if by_dkim else 'not aligned'}")
    path = f"let return_path be an address of {identity.author}, as in bounces+*@{identity.author}"
    if not by_spf and signs and not by_dkim:
        verdict.errors.append(f"No mail passes DMARC: set dkim_domain to {identity.author}, and {path}")
    elif not by_spf and not signs:
        verdict.hints.append(f"DMARC rests on the mail server's signature alone: {path}")
    elif not by_spf:
        verdict.hints.append(f"DMARC rests on the signature alone: {path}")
    elif signs and not by_dkim:
        verdict.hints.append(
            f"DMARC rests on SPF alone, which forwarding breaks: set dkim_domain to {identity.author}"
        )
    return verdict
