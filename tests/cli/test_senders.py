"""Whom a mail says it is from, whatever the sender is called."""

import sqlite3
from contextlib import closing
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path

from tests.cli.conftest import Digest


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
