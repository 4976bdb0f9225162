"""Telling ops what needs a person: in the log always, by mail where the settings name an address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from digest.alerts import mail_alert, make_alert
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import DigestError
from digest.domain.letters import LetterKind
from digest.runtime import Runtime

log = structlog.get_logger(__name__)


def tell_ops(
    runtime: Runtime, subject: str, text: str, *, to_do: str = "", commands: Sequence[str] = ()
) -> bool:
    """Log what needs a person, and mail it to `ops_email` when there is one: what happened, what to do.

    Never raises for mail that cannot be made or sent: the log has it, and the work goes on. Returns
    whether a server took the mail, so that who can tells again; True when the log is all that was asked
    for.
    """
    log.warning("ops.told", subject=subject, text=" ".join([text, *filter(None, [to_do]), *commands]))
    email = runtime.settings.ops_email
    if not email:
        return True
    page = make_alert(
        subject, text, to_do, commands, template=lambda: runtime.letter_template(LetterKind.ALERT)
    )
    try:
        outcome = asyncio.run(mail_alert(page, email, transport=runtime.transport, now=runtime.clock()))
    except DigestError as exc:
        log.error("ops.not_told", subject=subject, reason=str(exc))
        return False
    if outcome.state is not DeliveryState.ACCEPTED:
        answer = f"{outcome.code or ''} {outcome.text}".strip()
        log.error("ops.not_told", subject=subject, reason=f"{email}: {answer}")
    return outcome.state is DeliveryState.ACCEPTED
