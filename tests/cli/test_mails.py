"""Mails besides the digest, as the command sends and shows them."""

import mailbox
import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from digest.domain.issues import IssueId, IssueState
from digest.pipeline.personal_mail import personal_values
from digest.runtime import open_runtime
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import change_issue
from digest.store.subscribers import find_subscription
from digest.track.tokens import Purpose
from tests.cli.conftest import Digest, change_settings
from tests.mails import assert_well_made, read_mail
from tests.servers.faults import At, Faults, Reply
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE
from tests.web.world import contents

EDITORS = ("ed@example.org", "bo@example.org")


def outbox(home: Path) -> list[EmailMessage]:
    box = mailbox.Maildir(home / "outbox", create=False)
    return [_parsed(box.get_bytes(key)) for key in box.keys()]  # noqa: SIM118 - iterating it gives messages


def _parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content())


@pytest.fixture
def engine(drafted: Path) -> Engine:
    return open_runtime().engine


def test_a_draft_is_mailed_as_a_reader_would_get_it_and_recorded_nowhere(
    drafted: Path, digest: Digest, engine: Engine
) -> None:
    before = contents(engine)
    answer = digest("issue", "test", "1", *EDITORS, "Ed@example.org", "--as", "ada@example.org").well()
    assert "Issue 1 went to 3 addresses as a test; no reader has it." in answer.out
    after = contents(engine)
    assert after.pop("attempts"), "it counts as one of the tests of a quarter of an hour"
    del before["attempts"]
    assert [row[4:6] for row in after.pop("audit") if row not in before["audit"]] == [
        ("issue.tested", "issue 1")
    ]
    assert after == {table: rows for table, rows in before.items() if table != "audit"}
    mails = outbox(drafted)
    assert sorted(str(mail["To"]) for mail in mails) == ["Ed@example.org", "bo@example.org", "ed@example.org"]
    assert len({mail["Message-ID"] for mail in mails}) == 3
    preview = digest("issue", "preview", "1", "--as", "ada@example.org", "--out", "ada").well()
    for mail in mails:
        assert mail["Subject"] == f"[Test] {preview.out.splitlines()[0]}"
        assert_well_made(read_mail(mail.as_bytes()))
        said = " ".join(body(mail).split())
        assert "It is a draft and can still change." in said
        assert "It is shown as ada@example.org gets it." in said
        assert "at ada@example.org because" in said
        assert Path("ada.txt").read_text().splitlines()[0] in body(mail)


def test_the_links_of_a_test_belong_to_nobody(drafted: Path, digest: Digest, engine: Engine) -> None:
    digest("issue", "test", "1", "ed@example.org", "--as", "ada@example.org").well()
    (mail,) = outbox(drafted)
    runtime = open_runtime()
    token = str(mail["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    link = runtime.tokens.read_subscription(Purpose.UNSUBSCRIBE, token)
    assert link.subscriber_id == 0
    with reading(engine) as session:
        ada = find_subscription(session, link.newsletter_id, "ada@example.org")
    assert ada
    own = personal_values(runtime, link.newsletter_id, IssueId(1), ada.subscriber.id, "ada@example.org")
    shown = body(mail) + body(mail, "html")
    assert not any(url in shown for url in own.values() if url.startswith("http"))


def test_a_test_says_of_which_reader_and_state_it_is(drafted: Path, digest: Digest, engine: Engine) -> None:
    digest("issue", "test", "1", "ed@example.org", "--topic", "space").well()
    with writing(engine) as session:
        change_issue(session, IssueId(1), IssueState.CANCELLED, now=open_runtime().clock())
    digest("issue", "test", "1", "bo@example.org").well()
    told = {str(mail["To"]): " ".join(body(mail).split()) for mail in outbox(drafted)}
    assert "who follows space" in told["ed@example.org"].lower()
    assert "It is cancelled" in told["bo@example.org"]
    assert "who follows every topic" in told["bo@example.org"]
    with reading(engine) as session:
        assert session.scalars(select(DeliveryRow)).all() == []


def test_what_a_test_cannot_do_is_told(drafted: Path, digest: Digest) -> None:
    one = ("issue", "test", "1")
    many = [f"ed{number}@example.org" for number in range(21)]
    digest(*one, *many).refused(2, "1 to 10 addresses, not to 21", "Nothing was sent")
    digest(*one, "ed@example.org", "nobody").refused(2, "'nobody' is not an e-mail address")
    digest(*one, "ed@example.org", "--as", "zed@example.org").refused(2, "zed@example.org", "not a subscr")
    digest(*one, "ed@example.org", "--as", "cy@example.org").refused(2, "gets nothing of issue 1")
    digest(*one, "ed@example.org", "--topic", "gulls").refused(2, "no topic 'gulls'")
    both = ("--as", "ada@example.org", "--topic", "space")
    digest(*one, "ed@example.org", *both).refused(2, "exclude each other")
    digest("issue", "test", "9", "ed@example.org").refused(2, "9")
    assert not (drafted / "outbox").exists() or outbox(drafted) == []
    change_settings(drafted, mail_url=f"smtp://127.0.0.1:{free_port()}")
    digest(*one, "ed@example.org").refused(1, "No test was sent.")


def test_no_test_goes_where_mail_bounced(drafted: Path, digest: Digest) -> None:
    with closing(sqlite3.connect(drafted / "digest.db")) as database, database:
        database.execute(
            "INSERT INTO suppressions (email_key, reason, detail, created_at) "
            "VALUES ('ed@example.org', 'bounce', '', '2026-11-16')"
        )
    digest("issue", "test", "1", "bo@example.org", "Ed@example.org").refused(2, "Ed@example.org: suppressed")


def test_who_a_server_refuses_is_named_and_the_others_have_their_test(
    drafted: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    change_settings(drafted, mail_url=smtp_sink.url)
    answer = digest("issue", "test", "1", "reject-550.x@example.org", *EDITORS)
    answer.refused(1, "reject-550.x@example.org: 550")
    assert "Issue 1 went to 2 addresses" in answer.out
    smtp_sink.faults = Faults(on_recipient=lambda *_: Reply(At.RCPT, 421))
    broken = digest("issue", "test", "1", *EDITORS, "--json")
    assert [one["email"] for one in broken.json] == list(EDITORS)
    assert broken.code == 1
    assert smtp_sink.copies() == dict.fromkeys(EDITORS, 1)


def test_a_link_is_mailed_to_the_subscriber_alone(weekly: Path, digest: Digest) -> None:
    said = digest("subscriber", "link", "weekly", "Ada@Example.org").well()
    assert "The link is on its way to ada@example.org." in said.out
    (mail,) = outbox(weekly)
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", "Your settings for The Weekly")
    assert "/preferences/" in body(mail)
    listed = digest("mail", "list", "weekly").well().out
    assert "preferences" in listed
    assert "accepted" in listed
    (one,) = digest("mail", "list", "--json").json
    assert (one["email"], one["newsletter"], one["state"]) == ("ada@example.org", "weekly", "accepted")
    digest("subscriber", "link", "weekly", "ada@example.org").well()
    digest("subscriber", "remove", "weekly", "ada@example.org").well()
    digest("subscriber", "link", "weekly", "ada@example.org").refused(
        2, "unsubscribed from The Weekly", "--again"
    )
    digest("subscriber", "link", "weekly", "zed@example.org").refused(2, "not a subscriber")
    digest("subscriber", "link", "nope", "ada@example.org").refused(2, "no newsletter 'nope'")


def test_a_link_that_no_server_takes_waits_and_is_listed_with_why(weekly: Path, digest: Digest) -> None:
    change_settings(weekly, mail_url=f"smtp://127.0.0.1:{free_port()}")
    digest("subscriber", "link", "weekly", "ada@example.org").refused(1, "The link is not lost")
    assert "deferred until" in digest("mail", "list").well().out
    told = digest("subscriber", "link", "weekly", "ada@example.org")
    told.refused(2, "waits already", "digest mail list", "digest mail send --now")


def test_letters_that_wait_are_sent_by_hand_where_no_worker_runs(
    weekly: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    assert digest("mail", "send").well().out == "No letter is due.\n"
    digest("newsletter", "change", "weekly", "--welcome").well()
    add = ("subscriber", "add", "weekly", "--topic", "space")
    assert "'digest mail send'" in digest(*add, "dora@example.org").well().out
    change_settings(weekly, mail_url=f"smtp://127.0.0.1:{free_port()}")
    digest("mail", "send").refused(1, "Connection refused")
    change_settings(weekly, mail_url=smtp_sink.url)
    told = digest("mail", "send").well().out
    assert told.startswith("No letter is due.\nWaiting: 1, the first until 20")
    assert "'digest mail send --now' does not wait" in told
    assert digest("mail", "send", "--now").well().out == "Letters: 1 sent.\n"
    assert smtp_sink.copies() == {"dora@example.org": 1}
    digest(*add, "eve@example.org").well()
    sent = digest("mail", "send", "--json").well().json
    assert sent == {"accepted": 1, "pending": 0, "failed": 0, "unknown": 0, "waiting": 0, "next_at": None}
    assert digest("mail", "send", "--now").well().out == "No letter is due.\n"
    assert smtp_sink.copies() == {"dora@example.org": 1, "eve@example.org": 1}


def test_what_became_of_letters_sent_by_hand_is_told(
    weekly: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    change_settings(weekly, mail_url=smtp_sink.url)
    digest("newsletter", "change", "weekly", "--welcome").well()
    for name in ("reject-550.a", "defer-451.b", "drop-after-dot.c", "d"):
        digest("subscriber", "add", "weekly", "--topic", "space", f"{name}@example.org").well()
    told = digest("mail", "send")
    assert told.code == 1
    assert told.out.startswith(
        "Letters: 1 sent, 1 put off, 1 refused, 1 without an answer (see 'digest mail list')."
    )
    listed = digest("mail", "list").well().out
    assert "it may have arrived or not" in " ".join(listed.split())


def test_a_link_that_may_or_may_not_have_arrived_is_no_success(
    weekly: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    change_settings(weekly, mail_url=smtp_sink.url)
    email = "drop-after-dot-once.ada@example.org"
    digest("subscriber", "add", "weekly", email, "--topic", "space").well()
    told = digest("subscriber", "link", "weekly", email)
    assert told.code == 1
    assert f"may or may not have reached {email}: ask them" in told.out
    assert f"'digest subscriber link weekly {email}' sends another" in told.out
    assert "is on its way" in digest("subscriber", "link", "weekly", email).well().out


def test_new_subscribers_are_welcomed_if_the_newsletter_wants_it(weekly: Path, digest: Digest) -> None:
    add = ("subscriber", "add", "weekly")
    assert "welcome" not in digest(*add, "dora@example.org", "--topic", "space").well().out
    digest("newsletter", "change", "weekly", "--welcome", "--goodbye").well()
    assert "welcome, goodbye" in digest("newsletter", "show", "weekly").well().out
    assert "A welcome waits for them" in digest(*add, "eve@example.org", "--topic", "space").well().out
    assert "welcome" not in digest(*add, "eve@example.org", "--topic", "climate").well().out
    assert [one["kind"] for one in digest("mail", "list", "--json").json] == ["welcome"]


def test_an_import_welcomes_nobody_and_says_so(weekly: Path, digest: Digest) -> None:
    (weekly / "readers.csv").write_text("email\ndora@example.org\n")
    assert "welcome" not in digest("subscriber", "import", "weekly", "readers.csv").well().out
    digest("newsletter", "change", "weekly", "--welcome").well()
    (weekly / "readers.csv").write_text("email\ndora@example.org\neve@example.org\n")
    told = digest("subscriber", "import", "weekly", "readers.csv").well().out
    assert "Added 1 subscriber, updated 1. Nobody is welcomed: an import mails nothing.\n" in told
    assert "welcome" not in digest("subscriber", "import", "weekly", "readers.csv").well().out
    assert digest("mail", "list", "--json").json == []


@pytest.mark.parametrize("kind", ["invitation", "new-password"])
def test_a_mail_to_somebody_with_an_account_is_no_newsletters(
    weekly: Path, digest: Digest, kind: str
) -> None:
    assert "Passwort" in digest("mail", "show", kind, "--text", "--language", "de").well().out
    assert digest("mail", "show", kind, "--out", "shown").well().err == ""
    digest("mail", "show", kind, "--newsletter", "weekly").refused(2, "no newsletter's")


@pytest.mark.parametrize("kind", ["confirmation", "welcome", "preferences", "goodbye", "test", "alert"])
def test_every_mail_can_be_looked_at(weekly: Path, digest: Digest, kind: str) -> None:
    made_up = digest("mail", "show", kind, "--text").well()
    assert made_up.err == ""
    assert "Weekly" not in made_up.out
    if kind == "alert":
        digest("mail", "show", kind, "--newsletter", "weekly").refused(2, "no newsletter's")
        return
    own = digest("mail", "show", kind, "--newsletter", "weekly", "--language", "de", "--out", "shown").well()
    assert own.out.splitlines()[1:] == ["shown.html", "shown.txt"]
    assert '<html lang="de"' in Path("shown.html").read_text()
    assert "THE WEEKLY" in Path("shown.txt").read_text()


def test_what_cannot_be_shown_is_told(weekly: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", PATIENCE)  # a busy machine is not an ailing one
    digest("mail", "show", "greeting").refused(2, "greeting", "confirmation")
    digest("mail", "show", "welcome", "--newsletter", "nope").refused(2, "no newsletter 'nope'")
    digest("mail", "show", "welcome", "--language", "de_AT!").refused(2, "language tag")
    digest("mail", "show", "welcome", "--out", "no/such/folder").refused(2, "--out", "cannot be written")
    own = weekly / "own" / "weekly" / "welcome"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("{{ letter.salutation }}")
    change_settings(weekly, newsletter_templates_dir=str(weekly / "own"))
    digest("mail", "show", "welcome", "--newsletter", "weekly").refused(2, "subject.txt line 1", "salutation")
    digest("mail", "show", "welcome").well()
    assert "subject.txt line 1" in digest("doctor").out
