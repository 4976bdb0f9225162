"""Where a send's mails would come back to, and what Gmail counts them by."""

from __future__ import annotations

import sqlite3
import tomllib
from contextlib import closing
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from digest.domain.errors import Refused
from digest.track.returns import ReturnPaths
from tests.cli.conftest import Digest, change_settings

PATTERN = "bounces+*@news.example.org"


def sent(home: Path, digest: Digest) -> list[Message]:
    digest("issue", "approve", "1", "--by", "Ada").well()
    digest("send", "1").well()
    return [message_from_bytes(file.read_bytes()) for file in (home / "outbox/new").iterdir()]


def test_each_mail_comes_back_to_an_address_that_tells_its_delivery(drafted: Path, digest: Digest) -> None:
    change_settings(drafted, return_path=PATTERN)
    mails = sent(drafted, digest)
    key = tomllib.loads((drafted / "digest.toml").read_text())["secret_key"]
    returns = [mail["Return-Path"].strip("<>") for mail in mails]
    assert {ReturnPaths(PATTERN, [key]).read(address) for address in returns} == {1, 2}
    with pytest.raises(Refused):
        ReturnPaths(PATTERN, ["k" * 32]).read(returns[0])


def test_without_a_mark_all_mails_come_back_to_one_address(drafted: Path, digest: Digest) -> None:
    change_settings(drafted, return_path="bounces@bücher.example")
    mails = sent(drafted, digest)
    assert {mail["Return-Path"] for mail in mails} == {"<bounces@xn--bcher-kva.example>"}
    (feedback,) = {mail["Feedback-ID"] for mail in mails}
    assert feedback == "1:weekly:digest:example-org"


@pytest.mark.parametrize("address", ["bounces", "b@*.example.org", "lektør@example.org", "b**@example.org"])
def test_an_address_that_nothing_can_come_back_to_stops_the_send(
    drafted: Path, digest: Digest, address: str
) -> None:
    digest("issue", "approve", "1", "--by", "Ada").well()
    change_settings(drafted, return_path=address)
    digest("send", "1").refused(2, "return_path", address)


def test_a_domain_too_long_for_gmails_count_is_shortened_to_one_name(drafted: Path, digest: Digest) -> None:
    with closing(sqlite3.connect(drafted / "digest.db", isolation_level=None)) as database:
        database.execute("UPDATE newsletters SET sender_email = 'editors@a.long.news.example.org'")
    (feedback,) = {mail["Feedback-ID"] for mail in sent(drafted, digest)}
    assert 5 <= len(feedback.rpartition(":")[2]) <= 15
