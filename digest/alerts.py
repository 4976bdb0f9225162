"""What ops are mailed when something needs a person. No broken template stops it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from digest.domain.deliveries import Outcome
from digest.domain.errors import DigestError
from digest.domain.mail import Page

if TYPE_CHECKING:
    from digest.compose.templates import MessageTemplate
    from digest.deliver.transport import Transport

log = structlog.get_logger(__name__)


def make_alert(
    subject: str, text: str, to_do: str, commands: Sequence[str], *, template: Callable[[], MessageTemplate]
) -> Page:
    """Return what ops are mailed: in plain words when the template for that is broken."""
    from digest.compose.letters import alert_page, alert_view

    try:
        view = alert_view(subject, text, to_do=to_do, commands=commands)
        return alert_page(template(), view)
    except DigestError as exc:
        log.error("ops.template_broken", reason=str(exc))
        told = [text, *filter(None, [to_do]), *commands, f"(This mail is plain because: {exc})"]
        return Page(f"[Digest] {subject}", "", "\n\n".join(told))


async def mail_alert(page: Page, email: str, *, transport: Transport, now: datetime) -> Outcome:
    """Mail ops from their own address. Raises `Refused` for what is no address, and what sessions raise."""
    from digest.deliver.headers import ascii_address
    from digest.deliver.letters import Head, letter
    from digest.deliver.transport import Envelope

    address = ascii_address(email)
    message_id = f"<alert.{secrets.token_hex(8)}@{address.rpartition('@')[2]}>"
    octets = letter(page, Head(address, address, message_id, now, sender_name="Digest"))

    async def arm() -> bool:
        return True

    async with transport.session() as session:
        return await session.send(Envelope(address, address), octets, arm)
