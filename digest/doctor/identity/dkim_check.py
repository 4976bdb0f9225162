"""DKIM: whether DNS has the public half of each key that signs here (RFC 6376)."""

from __future__ import annotations

from collections.abc import Sequence

from digest.deliver.dkim.keys import DkimKey
from digest.deliver.dns import Dns
from digest.doctor.checks import Check
from digest.doctor.identity.dkim import PublishedKey, read_key
from digest.doctor.identity.verdicts import Verdict
from digest.doctor.identity.zone import zone_text


async def look_at_key(dns: Dns, key: DkimKey, domain: str) -> Verdict:
    """Look whether `domain` publishes `key`, for it alone and in full force."""
    return judge_key(await dns.texts(key.name_at(domain)), key, domain)


def judge_key(texts: Sequence[str], key: DkimKey, domain: str) -> Verdict:
    """Return what the TXT records under a key's name come to."""
    verdict = Verdict(f"DKIM {key.selector} of {domain}")
    verdict.record = zone_text(key.name_at(domain), key.record)
    if not texts:
        verdict.found.append(f"no key at {key.name_at(domain)}")
        verdict.errors.append("Receivers count what it signs as unsigned")
    elif len(texts) > 1:
        verdict.found.append(f"{len(texts)} records at {key.name_at(domain)}")
        verdict.errors.append("Receivers may take any of them; leave only this")
    else:
        _judge_one(verdict, read_key(texts[0]), key)
    return verdict


def _judge_one(verdict: Verdict, published: PublishedKey, key: DkimKey) -> None:
    verdict.found.append(
        published.kind or ("revoked (p= is empty)" if published.is_revoked else "no key in it")
    )
    if published.is_revoked:
        verdict.errors.append(
            "The key was taken back, so what it signs counts for nothing. If it is to sign again, publish it"
        )
    elif published.public and not published.is_of(key):
        verdict.errors.append(f"It is not the {key.kind} key that signs here, so no signature is right")
    elif published.problems:
        verdict.errors.append(f"Receivers cannot use it: {'; '.join(published.problems)}")
    else:
        verdict.found.append("the key that signs here")
    if published.is_test:
        verdict.found.append("test mode (t=y)")
        verdict.hints.append("Receivers may treat what it signs as unsigned: take t=y out")
    if published.is_short and not verdict.errors:
        verdict.hints.append(
            "Receivers may soon believe none below 2048 bits: make another under a new selector"
        )
        verdict.record = ""


def without_keys(domain: str) -> Check:
    """Return what can be said where the mail server signs: which selector it uses nobody here knows."""
    return Check(
        f"DKIM of {domain}",
        True,
        "no key is set here, so the mail server has to sign",
        "Send yourself an issue ('digest issue test') and look for dkim=pass with "
        f"header.d={domain} in its Authentication-Results; or set dkim_keys.",
    )
