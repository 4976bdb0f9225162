"""What slows sending down, beside the sending itself: paused receivers are told of, domains are looked up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from digest.deliver.throttle.groups import own_domains, require_group
from digest.deliver.throttle.lookups import look_up
from digest.domain.counting import counted
from digest.domain.errors import Conflict
from digest.domain.issues import IssueState
from digest.pipeline.ops import tell_ops
from digest.pipeline.throttle_report import waiting_for
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.issues import issues_in
from digest.store.mail_domains import (
    ask_later,
    domains_in,
    domains_to_look_up,
    make_due,
    note_domains,
    record_groups,
)
from digest.store.receivers import (
    Receiver,
    as_receiver,
    claim_untold,
    has_untold,
    lock_receiver,
    pause_receiver,
    resume_receiver,
    untell,
)

log = structlog.get_logger(__name__)

LOOKED_UP_FOR = timedelta(days=7)
"""What DNS says of a domain is believed for so long: who moves their mail does not do it often."""

ASK_AGAIN = timedelta(hours=1)
_NOTED_FOR = timedelta(minutes=3)
"""So long after its beginning an issue's domains are noted, by each look: there is one every minute."""
_SECONDS, _PAGE = 40.0, 400


def tell_paused(runtime: Runtime) -> None:
    """Tell ops of groups that were paused and that nobody told of, all in one mail."""
    with reading(runtime.engine) as session:
        if not has_untold(session):
            return
    now = runtime.clock()
    with writing(runtime.engine) as session:
        paused = claim_untold(session, now=now)
    with reading(runtime.engine) as session:
        waiting = waiting_for(session, [one.group for one in paused], now=now)
    if not paused:
        return
    names = ", ".join(one.group for one in paused)
    is_told = tell_ops(
        runtime,
        f"mail to {names} is paused",
        "\n".join(_told(one, waiting[one.group]) for one in paused),
        to_do="Nothing is lost, and all other mail goes on. See what the answer means and mend it, then:",
        commands=[f"digest throttle resume {one.group}" for one in paused],
    )
    if not is_told:
        with writing(runtime.engine) as session:
            untell(session, [one.group for one in paused])


def _told(one: Receiver, waiting: int) -> str:
    return (
        f"The servers that take in mail for {one.group} refuse ours: '{one.paused_why.rstrip('.')}'. "
        f"{counted(waiting, 'mail')} to them wait."
    )


def pause_group(runtime: Runtime, group: str, *, why: str) -> int:
    """Hold back what goes to a group of receivers; return how many mails wait for it now.

    Raises `InvalidInput` for what is no group, `Conflict` when it is paused already.
    """
    group, now = require_group(group), runtime.clock()
    with writing(runtime.engine) as session:
        row = lock_receiver(session, group, now=now)
        if row.paused_at is not None:
            raise Conflict(f"{group} is paused since {row.paused_at:%Y-%m-%d %H:%M} UTC: {row.paused_why}")
        pause_receiver(row, why, now=now, is_told=True)
    with reading(runtime.engine) as session:
        waiting = waiting_for(session, [group], now=now)[group]
    log.info("throttle.paused_by_hand", group=group, reason=why)
    return waiting


def resume_group(runtime: Runtime, group: str) -> tuple[Receiver, int]:
    """Let go again what was held back; return how the group stood, and how many mails are due by that.

    Raises `InvalidInput` for what is no group, `Conflict` when it is not paused.
    """
    group, now = require_group(group), runtime.clock()
    with writing(runtime.engine) as session:
        row = lock_receiver(session, group, now=now)
        before = as_receiver(row)
        if before.paused_at is None:
            raise Conflict(f"{group} is not paused: 'digest throttle show' lists what is")
        resume_receiver(row, now=now)
        due = make_due(session, own_domains(group) | domains_in(session, group), now=now)
    log.info("throttle.resumed", group=group, due=due)
    return before, due


def look_up_domains(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Ask DNS who runs the domains of issues under way, for most of a minute; return how many it told of.

    Where nobody answers they are asked about again an hour later; until then each is a group of its own.
    """
    now, until = runtime.clock(), time.monotonic() + _SECONDS
    before = now - LOOKED_UP_FOR
    _note(runtime, now)
    known = 0
    while time.monotonic() < until and not should_stop():
        with reading(runtime.engine) as session:
            domains = domains_to_look_up(session, before=before, limit=_PAGE)
        if not domains:
            break
        groups = asyncio.run(_ask(runtime, domains, until - time.monotonic()))
        with writing(runtime.engine) as session:
            record_groups(session, groups, now=now)
            if len(groups) < len(domains) / 2:
                ask_later(session, before=before, then=before + ASK_AGAIN)
        known += len(groups)
        if len(groups) < len(domains) / 2:
            log.warning("domains.not_looked_up", domains=len(domains), answered=len(groups))
            break
    return known


def _note(runtime: Runtime, now: datetime) -> None:
    with reading(runtime.engine) as session:
        sending = issues_in(session, IssueState.SENDING)
    for issue in sending:
        if issue.sending_at and now - issue.sending_at < _NOTED_FOR:
            with writing(runtime.engine) as session:
                note_domains(session, issue.id)


async def _ask(runtime: Runtime, domains: Sequence[str], seconds: float) -> dict[str, str]:
    from digest.deliver.dns import Dns  # its library is for those who ask

    return await look_up(Dns(runtime.settings.dns_resolver, seconds=max(1.0, seconds)), domains)
