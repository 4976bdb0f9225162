"""Everything that receivers look up about a sender, looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from functools import partial

from digest.deliver.dkim.keys import DkimKey
from digest.deliver.dns import Dns
from digest.doctor.checks import Check
from digest.doctor.identity.dkim_check import look_at_key, without_keys
from digest.doctor.identity.dmarc_check import look_at_alignment, look_at_dmarc
from digest.doctor.identity.hosts import look_at_address, look_at_bounces, unknown_addresses
from digest.doctor.identity.senders import Identity, Sending, identities, sending
from digest.doctor.identity.spf_check import look_at_spf
from digest.doctor.identity.unsubscribe import look_at_unsubscribe
from digest.doctor.identity.verdicts import Verdict, unless_away
from digest.runtime import Runtime

_ADDRESSES_MAX = 20
"""Addresses mail leaves from that are looked at; who has more has them in one network, named alike."""

Look = tuple[str, Callable[[], Awaitable[Verdict]]]
"""What is looked at, and what looks. Two of the same name are one."""


def look_at_senders(runtime: Runtime, senders: Collection[str], *, seconds: float) -> Iterator[Check]:
    """Look up what vouches for mail from these addresses, within `seconds`; nothing for none.

    Each domain is looked at once. Raises `Misconfigured` where settings leave nothing to ask.
    """
    if senders:
        yield from asyncio.run(_look(runtime, identities(runtime, senders), seconds))


async def _look(runtime: Runtime, those: Collection[Identity], seconds: float) -> list[Check]:
    dns = Dns(runtime.settings.dns_resolver, seconds=seconds)
    from_where = await sending(runtime.settings, dns)
    looks = dict(
        look for one in those for look in _at_identity(dns, one, from_where, runtime.dkim_keys, runtime)
    )
    looks |= dict(_at_addresses(dns, from_where, min(those).author))
    looks["one-click unsubscribe"] = partial(look_at_unsubscribe, runtime, seconds=seconds)
    checks = await asyncio.gather(*(unless_away(what, look()) for what, look in looks.items()))
    return [*checks, *_untold(those, from_where, runtime.dkim_keys)]


def _at_identity(
    dns: Dns, one: Identity, from_where: Sending, keys: Collection[DkimKey], runtime: Runtime
) -> Iterator[Look]:
    ops_email = runtime.settings.ops_email
    yield f"SPF of {one.bounces}", partial(look_at_spf, dns, one.bounces, from_where)
    for key in keys:
        yield f"DKIM {key.selector} of {one.signer}", partial(look_at_key, dns, key, one.signer)
    yield f"DMARC of {one.author}", partial(look_at_dmarc, dns, one.author, ops_email)
    yield f"alignment of {one.author}", partial(look_at_alignment, dns, one, signs=bool(keys))
    yield f"bounces to {one.bounces}", partial(look_at_bounces, dns, one.bounces)


def _at_addresses(dns: Dns, from_where: Sending, author: str) -> Iterator[Look]:
    for address in from_where.addresses[:_ADDRESSES_MAX]:
        yield f"address {address}", partial(look_at_address, dns, address, from_where, author)


def _untold(those: Collection[Identity], from_where: Sending, keys: Collection[DkimKey]) -> Iterator[Check]:
    """Yield what cannot be looked up, because nothing here says what to look for."""
    if not from_where.addresses:
        yield unknown_addresses()
    if not keys:
        yield from (without_keys(domain) for domain in sorted({one.signer for one in those}))
