"""Telling ops what needs a person: in the log always, by mail and webhook where the settings name them."""

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
    """Log what needs a person, and send it to `ops_email` and `ops_webhook_url`, where there are these.

    Never raises for what cannot be made or sent: the log has it, and the work goes on. Returns whether mail
    server or webhook took it, so that who can tells again; True when the log is all that was asked for.
    """
    log.warning("ops.told", subject=subject, text=" ".join([text, *filter(None, [to_do]), *commands]))
    settings = runtime.settings
    if not settings.ops_email and not settings.ops_webhook_url.get_secret_value():
        return True
    # Both are tried: who looks at one of them may not look at the other.
    mailed = bool(settings.ops_email) and _mail(runtime, subject, text, to_do, commands)
    return _post(runtime, subject, text, to_do, commands) or mailed


def _mail(runtime: Runtime, subject: str, text: str, to_do: str, commands: Sequence[str]) -> bool:
    email = runtime.settings.ops_email
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


def _post(runtime: Runtime, subject: str, text: str, to_do: str, commands: Sequence[str]) -> bool:
    settings = runtime.settings
    url = settings.ops_webhook_url.get_secret_value()
    if not url:
        return False
    # Most commands tell nobody anything: they need not wait for an HTTP client to be imported.
    from digest.pipeline.ops_hook import post_alert

    try:
        post_alert(
            url,
            settings.ops_webhook_secret.get_secret_value(),
            subject=subject,
            text=text,
            to_do=to_do,
            commands=commands,
            now=runtime.clock(),
        )
    except DigestError as exc:
        log.error("ops.not_told", subject=subject, reason=str(exc))
        return False
    return True
