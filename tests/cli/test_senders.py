"""Whom a mail says it is from, whatever the sender is called."""

import sqlite3
from contextlib import closing
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


def test_a_senders_name_cannot_reorder_or_break_what_stands_beside_it(drafted: Path, digest: Digest) -> None:
    with closing(sqlite3.connect(drafted / "digest.db", isolation_level=None)) as database:
        database.execute("UPDATE newsletters SET sender_name = ?", ("The \u202eyad\u2066 Desk\nBcc: x\x07",))
    digest("issue", "approve", "1", "--by", "Ada").well()
    digest("send", "1").well()
    mails = [message_from_bytes(file.read_bytes()) for file in (drafted / "outbox/new").iterdir()]
    assert mails
    for mail in mails:
        assert parseaddr(str(make_header(decode_header(mail["From"]))))[0] == "The yad Desk Bcc: x"
        assert "Bcc" not in mail


def test_answers_go_where_the_newsletter_says(drafted: Path, digest: Digest) -> None:
    def said() -> str:
        return " ".join(digest("newsletter", "show", "weekly").well().out.split())

    assert "answers go to editors@example.org" in said()
    assert digest("newsletter", "show", "weekly", "--json").json["reply_to"] == ""
    for wrong, words in (("nobody", "is not an e-mail address"), ("grüße@example.org", "plain letters")):
        digest("newsletter", "change", "weekly", "--reply-to", wrong).refused(WRONG, wrong, words)
    digest("newsletter", "change", "weekly", "--reply-to", "answers@Bücher.example.org").well()
    assert "answers@xn--bcher-kva.example.org" in said()
    digest("issue", "approve", "1", "--by", "Ada").well()
    digest("newsletter", "change", "weekly", "--reply-to", "").refused(WRONG, "issue 1", "is approved")
    digest("send", "1").well()
    mails = [message_from_bytes(file.read_bytes()) for file in (drafted / "outbox/new").iterdir()]
    assert {mail["Reply-To"] for mail in mails} == {"<answers@xn--bcher-kva.example.org>"}


ODD = {
    "Harbour\nWeek": "a line break (U+000A)",
    "Harbour\u2028Week": "a line break (U+2028)",
    "Harbour\u202ekeeW": "a sign that is not seen (U+202E)",
    "Harbour\x1b[2J": "a sign that is not seen (U+001B)",
    "Harbour\ue000email\ue001": "a sign that is not seen (U+E000)",
}


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_no_mail_prints_is_refused_wherever_one_is_given(
    name: str, weekly: Path, digest: Digest
) -> None:
    required = ("--name", "The Quay", "--from", "ed@example.org", "--postal-address", "1 Quay")
    rule = ("--phrase", "sea")
    for command, option in (
        (("newsletter", "add", "quay", *required, "--name", name), "--name"),
        (("newsletter", "add", "quay", *required, "--sender-name", name), "--sender-name"),
        (("newsletter", "change", "weekly", "--name", name), "--name"),
        (("newsletter", "change", "weekly", "--sender-name", name), "--sender-name"),
        (("topic", "add", "weekly", "sea", *rule, "--name", name), "--name"),
        (("topic", "change", "weekly", "space", "--name", name), "--name"),
        (("source", "add", "weekly", "https://example.org/feed", "--name", name), "--name"),
    ):
        digest(*command).refused(WRONG, f"{option} holds {ODD[name]}")
    assert len(digest("newsletter", "list", "--json").json) == 1


def test_a_name_in_any_script_is_kept_as_it_is_written(home: Path, digest: Digest) -> None:
    for number, name in enumerate(("Café “Zoë”", "علی\u200cرضا", "山田\u3000新聞", "Sjö\u00a0& Hav")):
        mail = ("--from", "ed@example.org", "--postal-address", "1 Quay")
        digest("newsletter", "add", f"n{number}", "--name", f" {name} ", *mail).well()
        assert digest("newsletter", "show", f"n{number}", "--json").json["name"] == name
