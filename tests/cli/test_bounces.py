"""From a mail that was sent to what comes back of it, and to the next issue."""

from __future__ import annotations

import re
import signal
import smtplib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from digest.domain.deliveries import DeliveryId
from digest.domain.times import Window
from digest.runtime import Runtime, open_runtime
from digest.settings import load_settings
from digest.store.database import reading
from digest.store.deliveries import DeliveryRow
from digest.store.newsletters import get_newsletter
from tests.cli.conftest import COMMAND, WRONG, Digest, change_settings
from tests.servers.processes import ServerProcess
from tests.servers.smtp_sink import SmtpSink
from tests.stored import approved_issue
from tests.track.reports import complaint, delivery_report, group, plain_mail

PATTERN = "bounces+*@news.example.org"
ADA = "ada@example.org"


@pytest.fixture
def sent(drafted: Path, digest: Digest, smtp_sink: SmtpSink) -> Path:
    """Issue 1 sent to the sink, each mail with a return path of its own; bounces come to a maildir."""
    change_settings(drafted, mail_url=smtp_sink.url, return_path=PATTERN, ops_email="ops@example.org")
    digest("issue", "approve", "1", "--by", "Ada").well()
    digest("send", "1").well()
    assert smtp_sink.count() >= 2
    for name in ("new", "cur", "tmp"):
        (drafted / "returns" / name).mkdir(parents=True)
    return drafted


def came_back(email: str, *groups: str, own_id: str = "<r1@mx>", issue: int = 1) -> tuple[str, bytes]:
    """Return the return path of a reader's mail, and a report of it."""
    path, about = path_and_id(email, issue)
    return path, delivery_report(*groups, to=path, about=about, own_id=own_id)


def path_and_id(email: str, issue: int = 1) -> tuple[str, str]:
    runtime = runtime_here()
    with reading(runtime.engine) as session:
        row = session.execute(
            select(DeliveryRow.id, DeliveryRow.message_id).where(
                DeliveryRow.email == email, DeliveryRow.issue_id == issue
            )
        ).one()
    runtime.engine.dispose()
    return runtime.return_paths.write(DeliveryId(row.id)), row.message_id


def runtime_here() -> Runtime:
    return Runtime(load_settings())


def next_issue(week: int) -> None:
    """Approve another issue about the climate, so many weeks later."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, "weekly")
    first = date(2030, 1, 7) + timedelta(weeks=week)
    approved_issue(
        runtime.engine,
        newsletter,
        window=Window.of_days(first, first + timedelta(days=6), ZoneInfo("UTC")),
    )
    runtime.engine.dispose()


def poll(home: Path, digest: Digest, *mails: bytes) -> str:
    for number, octets in enumerate(mails):
        (home / "returns/new" / f"{number}.host").write_bytes(octets)
    said = digest("bounces", "poll", f"maildir:{home / 'returns'}").well().out
    assert list((home / "returns/new").iterdir()) == []
    return said


@contextmanager
def serving(home: Path, log: Path) -> Iterator[tuple[ServerProcess, int]]:
    """Run `digest bounces serve` as a process of its own; give it and its port."""
    command = ["env", f"--chdir={home}", str(COMMAND), "bounces", "serve", "--port", "0"]
    process = ServerProcess(command, output=log)
    listening = re.compile(r"127\.0\.0\.1 port (\d+)")
    process.wait_until(lambda: listening.search(log.read_text()) is not None)
    found = listening.search(log.read_text())
    assert found
    try:
        yield process, int(found[1])
    finally:
        process.end(signal.SIGTERM)


@pytest.fixture
def served(sent: Path, tmp_path: Path) -> Iterator[int]:
    """The port of a server that ends well on SIGTERM."""
    with serving(sent, tmp_path / "served.log") as (process, port):
        yield port
    assert process.exit_code == 0, process.output.read_text()


def test_a_report_over_lmtp_suppresses_and_the_next_issue_skips_the_reader(
    sent: Path, digest: Digest, served: int, smtp_sink: SmtpSink
) -> None:
    path, report = came_back(ADA)
    with smtplib.LMTP("127.0.0.1", served) as client:
        for _ in range(2):
            assert client.sendmail("", [path], report) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("", [path.replace("+1", "+9")], report)
    (listed,) = digest("bounces", "list", "--json").json
    assert (listed["email"], listed["effect"], listed["issue_id"]) == (ADA, "suppressed", 1)
    assert "5.1.1" in digest("bounces", "list").well().out
    shown = " ".join(digest("subscriber", "show", "weekly", ADA).well().out.split())
    assert "never mailed no such mailbox, issue 1: 550 5.1.1" in shown
    assert "no such mailbox" in digest("suppression", "show", ADA).well().out
    count = smtp_sink.count()
    next_issue(1)
    digest("send", "2").well()
    assert "address is suppressed" in digest("why", ADA, "2").well().out
    assert ADA not in [one for mail in smtp_sink.messages()[count:] for one in mail.recipients]


def test_a_server_killed_before_it_recorded_has_not_acknowledged_and_the_copy_counts_once(
    sent: Path, digest: Digest, tmp_path: Path
) -> None:
    path, report = came_back(ADA, group(status="5.2.2", diagnostic=""))
    with serving(sent, tmp_path / "killed.log") as (process, port):
        client = smtplib.LMTP("127.0.0.1", port, timeout=20)
        with (
            closing(sqlite3.connect(sent / "digest.db", isolation_level=None)) as database,
            ThreadPoolExecutor(1) as pool,
        ):
            database.execute("BEGIN IMMEDIATE")
            answer = pool.submit(client.sendmail, "", [path], report)
            with pytest.raises(TimeoutError):
                answer.result(0.5)
            process.end(signal.SIGKILL)
            with pytest.raises((smtplib.SMTPException, OSError)):
                answer.result(20)
    assert digest("bounces", "list", "--json").json == []
    with serving(sent, tmp_path / "again.log") as (_, port), smtplib.LMTP("127.0.0.1", port) as client:
        for _ in range(3):
            client.sendmail("", [path], report)
    assert digest("subscriber", "show", "weekly", ADA, "--json").json["soft_bounces"] == 1
    assert [one["effect"] for one in digest("bounces", "list", "--json").json] == ["counted"]


def test_three_issues_that_come_back_soft_pause_the_subscription(sent: Path, digest: Digest) -> None:
    full = group(status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full")
    said = []
    for issue in (1, 2, 3):
        if issue > 1:
            next_issue(issue)
            digest("send", str(issue)).well()
        said.append(poll(sent, digest, came_back(ADA, full, issue=issue)[1]))
        shown = digest("subscriber", "show", "weekly", ADA, "--json").json
        assert shown["soft_bounces"] == issue
    assert shown["state"] == "paused"
    assert "counted as a soft bounce" in said[0]
    assert "third in a row: subscription paused" in said[2]
    assert "3 in a row pause it" in digest("subscriber", "show", "weekly", ADA).well().out
    next_issue(4)
    digest("send", "4")
    assert "paused" in digest("why", ADA, "4").well().out


def test_ops_are_told_once_of_a_domain_that_refuses_us(
    sent: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    refused = group(status="5.7.26", diagnostic="smtp; 550 5.7.26 <Ada@example.org>: unauthenticated mail")
    count = smtp_sink.count()
    reports = [came_back(ADA, refused, own_id=f"<{number}@mx>")[1] for number in range(3)]
    assert "1 ops told" in poll(sent, digest, *reports)
    (alert,) = smtp_sink.contents()[count:]
    mail = message_from_bytes(alert, policy=policy.default)
    assert (mail["To"], mail["Subject"]) == ("ops@example.org", "[Digest] example.org refuses our mail")
    text = mail.get_body(("plain",)).get_content()
    assert "550 5.7.26" in text
    assert ADA not in text.lower(), "what ops are told is logged, and no log shall name a reader"
    assert digest("suppression", "list", "--json").json == []


def test_a_complaint_and_what_cannot_be_read_are_listed_for_what_they_are(sent: Path, digest: Digest) -> None:
    path, about = path_and_id(ADA)
    forged = delivery_report(to="bounces+1-aaaaaaaaaaaaaaaa@news.example.org", about=about)
    away = plain_mail("I am away.\n", to=path, headers="Auto-Submitted: auto-replied\n")
    said = poll(sent, digest, complaint(sender=path, about=about), forged, away, b"\0")
    assert "Took in 4 mails: 3 nothing changed, 1 address suppressed" in said
    listed = digest("bounces", "list", "--json").json
    assert [one["meaning"] for one in listed] == ["unknown", "nothing", "unknown", "complaint"]
    (unread, _) = digest("bounces", "list", "--meaning", "unknown", "--json").json
    assert "no return path that we signed" in unread["detail"]
    assert len(digest("bounces", "list", "--email", ADA, "--json").json) == 2
    assert "More: --before 4" in digest("bounces", "list", "--limit", "1").well().out
    assert len(digest("bounces", "list", "--before", "4", "--json").json) == 3


def test_a_file_is_read_without_changing_anything(sent: Path, digest: Digest) -> None:
    (sent / "report.eml").write_bytes(came_back(ADA)[1])
    assert "delivery report" in digest("bounces", "read", "report.eml").well().out
    assert digest("bounces", "read", "report.eml", "--json").json["recipients"][0]["status"] == "5.1.1"
    assert digest("bounces", "list", "--json").json == []
    digest("bounces", "read", "gone.eml").refused(WRONG, "gone.eml cannot be read")


def test_without_marks_in_return_paths_nothing_is_taken_in(weekly: Path, digest: Digest) -> None:
    (weekly / "returns/new").mkdir(parents=True)
    (weekly / "returns/new/1").write_bytes(delivery_report())
    for command in (["serve"], ["poll", "maildir:returns"]):
        digest("bounces", *command).refused(WRONG, "return_path has no *")
    change_settings(weekly, return_path=PATTERN)
    digest("bounces", "poll").refused(WRONG, "bounce_mailbox_url")
    digest("bounces", "poll", "maildir:nowhere").refused(1, "cannot be read")
    digest("bounces", "poll", "pop3://x").refused(WRONG, "names no mailbox")
