"""Issues and previews that cannot be made, moved or sent: nothing is lost, and what to do is told."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import FAILED, WRONG, Digest, change_settings
from tests.servers.faults import Banner
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture
def approved(drafted: Path, digest: Digest) -> Path:
    digest("issue", "approve", "1").well()
    return drafted


def test_a_template_with_an_error_is_told_with_file_and_line(drafted: Path, digest: Digest) -> None:
    templates = Path(__file__).parents[2] / "templates"
    folder = drafted / "templates/email/digest"
    shutil.copytree(templates / "email", drafted / "templates/email")
    with (folder / "body.txt").open("a") as body:
        body.write("\n{% block broken %}\n")
    line = len((folder / "body.txt").read_text().splitlines())
    change_settings(drafted, templates_dir=str(drafted / "templates"))
    for command in (
        ["issue", "preview", "1"],
        ["issue", "approve", "1"],
        ["run", "weekly", "--approve", "A"],
    ):
        digest(*command).refused(WRONG, f"body.txt line {line}", "correct the template")
    assert digest("issue", "list", "--json").json[0]["state"] == "draft"


def test_a_preview_that_cannot_be_written_is_told(drafted: Path, digest: Digest) -> None:
    digest("issue", "preview", "1", "--out", "no/such/page").refused(WRONG, "no/such/page.html cannot be")


def test_a_preview_for_two_readers_at_once_is_refused(drafted: Path, digest: Digest) -> None:
    digest("issue", "preview", "1", "--as", "ada@example.org", "--topic", "space").refused(WRONG, "exclude")
    digest("issue", "preview", "1", "--as", "cy@example.org").refused(WRONG, "gets nothing of issue 1")


@pytest.mark.usefixtures("no_pauses")
def test_a_mail_server_that_is_away_loses_nothing(approved: Path, digest: Digest) -> None:
    change_settings(approved, mail_url=f"smtp://127.0.0.1:{free_port()}", mail_sessions=1)
    digest("send", "1").refused(FAILED, "takes no mail", "Nothing is lost", "'digest send 1' goes on")
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2
    change_settings(approved, mail_url="maildir:outbox")
    assert "2 accepted" in digest("send", "1").well().out
    assert len(list((approved / "outbox/new").iterdir())) == 2


@pytest.mark.usefixtures("no_pauses")
def test_a_mail_server_that_wants_none_of_our_mail_is_told(
    approved: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    smtp_sink.faults.on_connection = lambda _: Banner(554)
    change_settings(approved, mail_url=f"smtp://127.0.0.1:{smtp_sink.port}", mail_sessions=1)
    digest("send", "1").refused(FAILED, f"127.0.0.1:{smtp_sink.port}", "554", "Nothing is lost")
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2


def test_a_mail_server_that_refuses_the_log_in_is_told_without_the_password(
    approved: Path, digest: Digest, log_in_refused: str
) -> None:
    change_settings(approved, mail_url=f"smtp://digest:hunter2@{log_in_refused}", mail_sessions=1)
    told = digest("send", "1").refused(FAILED, f"{log_in_refused} refused the log-in", "Check mail_url")
    assert "hunter2" not in told.err
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2


def test_an_address_that_takes_no_mail_is_told_before_anything_is_addressed(
    approved: Path, digest: Digest
) -> None:
    change_settings(approved, mail_url="https://mail.example.org")
    digest("send", "1").refused(WRONG, "mail_url", "smtp://HOST:PORT")
    assert digest("issue", "list", "--json").json[0]["state"] == "approved"


def test_without_a_secret_key_nothing_is_sent(approved: Path, digest: Digest) -> None:
    change_settings(approved, secret_key="")
    digest("send", "1").refused(WRONG, "secret_key is not set", "digest init")
    assert digest("issue", "list", "--json").json[0]["state"] == "approved"


def test_what_an_issue_cannot_become_is_told(drafted: Path, digest: Digest) -> None:
    digest("send", "1").refused(WRONG, "issue 1 is draft", "approve")
    digest("issue", "pause", "1").refused(WRONG, "issue 1 is draft")
    digest("issue", "resume", "1").refused(WRONG, "issue 1 is draft")
    digest("issue", "approve", "1").well()
    digest("issue", "approve", "1").refused(WRONG, "issue 1 is approved")
    digest("issue", "edit", "1", "--subject", "S").refused(WRONG, "issue 1 is approved", "--take-back")
    digest("send", "1").well()
    digest("send", "1").refused(WRONG, "issue 1 is sent")
    for how in ((), ("--yes",)):
        refused = digest("issue", "cancel", "1", *how, answer="y").refused(WRONG, "issue 1 is sent")
        assert "for good?" not in refused.out + refused.err
    assert len(list((drafted / "outbox/new").iterdir())) == 2


@pytest.mark.usefixtures("no_pauses")
def test_a_newsletter_whose_issue_is_on_its_way_is_not_removed(approved: Path, digest: Digest) -> None:
    remove = ("newsletter", "remove", "weekly", "--yes")
    advice = ("'digest issue cancel 1'", "nothing was removed")
    digest(*remove).refused(WRONG, "issue 1 of The Weekly is approved", *advice)
    change_settings(approved, mail_url=f"smtp://127.0.0.1:{free_port()}", mail_sessions=1)
    digest("send", "1").refused(FAILED, "takes no mail")
    digest(*remove).refused(WRONG, "issue 1 of The Weekly is sending", *advice)
    digest("issue", "pause", "1").well()
    digest(*remove).refused(WRONG, "issue 1 of The Weekly is paused", *advice)
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2
    digest("issue", "cancel", "1", "--yes").well()
    digest(*remove).well()
    assert digest("issue", "list", "--json").json == []


def test_reconciling_where_nothing_is_open_is_told(drafted: Path, digest: Digest) -> None:
    Path("mail.log").write_bytes(b"<a@example.org> \xff accepted\n")
    digest("issue", "reconcile", "1", "--log", "mail.log").refused(WRONG, "no delivery of unknown outcome")
    digest("issue", "reconcile", "1", "--log", "none.log").refused(WRONG, "none.log cannot be read")
