"""Mail into a folder: every message whole, once, and only after its arm."""

from __future__ import annotations

import asyncio
import mailbox
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from digest.deliver.maildir import MaildirTransport
from digest.deliver.transport import Arm, Envelope, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable

MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nHello.\r\n"


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def put(folder: Path, *recipients: str, arm: Arm = yes) -> list[Outcome]:
    async def hold() -> list[Outcome]:
        async with MaildirTransport(folder).session() as session:
            return [
                await session.send(Envelope("bounces@example.org", recipient), MESSAGE, arm)
                for recipient in recipients
            ]

    return asyncio.run(hold())


def messages(folder: Path) -> list[EmailMessage]:
    parser = BytesParser(policy=policy.default)
    found = [parser.parsebytes(message.as_bytes()) for message in mailbox.Maildir(folder, create=False)]
    return [message for message in found if isinstance(message, EmailMessage)]


def test_every_mail_is_a_file_with_its_envelope(tmp_path: Path) -> None:
    outcomes = put(tmp_path / "deep" / "outbox", "anna@example.org", "ben@example.org")
    assert [outcome.state for outcome in outcomes] == [DeliveryState.ACCEPTED] * 2
    found = messages(tmp_path / "deep" / "outbox")
    assert sorted(message["Delivered-To"] for message in found) == ["anna@example.org", "ben@example.org"]
    assert {message["Return-Path"] for message in found} == {"<bounces@example.org>"}
    assert {message.get_content().strip() for message in found} == {"Hello."}


def test_nothing_is_stored_when_the_arm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotArmed):
        put(tmp_path / "outbox", "anna@example.org", arm=no)
    assert messages(tmp_path / "outbox") == []


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_armed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="mail folder"):
        put(tmp_path / "file" / "outbox", "anna@example.org")
