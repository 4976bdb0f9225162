"""Whole mails as they go to the mail server: free of defects, and nothing that a spam filter minds."""

from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.compose.editions import NAMES, MadeEdition
from tests.servers.mail_tools import spam_scores

MAX_POINTS = 0.5
LONGEST_LINE = 76


@pytest.fixture(scope="module")
def mails(made_editions: Mapping[str, MadeEdition]) -> Mapping[str, bytes]:
    return {name: made.mail(id_of(name)) for name, made in made_editions.items()}


def id_of(name: str) -> str:
    return f"<{name}.2026-47@news.example.org>"


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_has_no_defects_and_short_lines(name: str, mails: Mapping[str, bytes]) -> None:
    message = message_from_bytes(mails[name], policy=policy.default)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert [defect for part in message.walk() for defect in part.defects] == []
    body = mails[name].partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= LONGEST_LINE


def test_spamassassin_minds_no_edition(mails: Mapping[str, bytes], tmp_path: Path) -> None:
    scores = spam_scores([*mails.values(), without_care(mails["en-3"])], home=tmp_path)
    naive = scores.pop("<naive@example.org>")
    assert set(scores) == set(map(id_of, NAMES))
    assert {name: score for name, score in scores.items() if score.points > MAX_POINTS} == {}
    assert naive.points > MAX_POINTS, "the control: HTML alone with a preheader in white does score"


def without_care(mail: bytes) -> bytes:
    """Return the mail as it would be without its text, and with white words on white."""
    message = message_from_bytes(mail, policy=policy.default)
    assert isinstance(message, EmailMessage)
    rich = message.get_body(("html",))
    assert rich is not None
    naive = EmailMessage(policy=policy.SMTP)
    for name in ("From", "To", "Date", "Subject"):
        naive[name] = message[name]
    naive["Message-ID"] = "<naive@example.org>"
    naive.set_content(
        rich.get_content().replace("overflow:hidden;color:#22262b", "overflow:hidden;color:#ffffff"),
        subtype="html",
    )
    return naive.as_bytes()
