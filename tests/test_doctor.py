"""Each thing the doctor looks at, well and not, with real servers."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text

from benchmarks.readers import Size, sending_issue
from digest.deliver.outages import meet_outage
from digest.deliver.smtp.server import SmtpServer
from digest.doctor import Check, examine, is_loopback
from digest.doctor.examination import _run
from digest.doctor.mail import look_at_signatures, readable
from digest.doctor.state import kind_of_disk
from digest.domain.accounts import Role
from digest.domain.erasing import ErasureKeys
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueState
from digest.runtime import Runtime
from digest.settings import load_settings
from digest.store.accounts import add_account
from digest.store.database import open_engine, writing
from digest.store.erasures import remember_erased
from digest.store.issues import change_issue
from tests.deliver.ways import DIALECTS
from tests.servers.certificates import write_certificate
from tests.servers.faults import Banner, SlowBanner
from tests.servers.processes import free_port
from tests.servers.provider_dialects import Postmark
from tests.servers.provider_server import Dialect, ProviderServer, status
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, stored_newsletter
from tests.waiting import PATIENCE

KEY = "k" * 32
TEMPLATES = (
    *("alert", "confirmation", "digest", "goodbye", "invitation", "leave-address", "new-address"),
    *("new-password", "old-address", "preferences", "test", "welcome"),
)


@pytest.fixture(autouse=True)
def folder(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a database and settings in which all is well."""
    for name in [name for name in os.environ if name.startswith("DIGEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", PATIENCE)  # a busy machine is not an ailing one
    write_settings()
    return tmp_path


def write_settings(**changed: str) -> None:
    settings = {"secret_key": KEY, "mail_url": "maildir:outbox", "ops_email": "ops@example.org", **changed}
    Path("digest.toml").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))


def look(what: str, **changed: str) -> Check:
    """Examine with some settings changed, and return the one check of that name.

    Templates are compiled only for those that ask about them: it is two thirds of an examination.
    """
    write_settings(**changed)
    with pytest.MonkeyPatch.context() as patch:
        if not what.startswith("template"):
            patch.setattr("digest.doctor.examination.look_at_templates", lambda _: iter(()))
        (found,) = (check for check in examine() if check.what == what)
    return found


def test_all_is_well_after_init_and_nothing_is_left_behind(folder: Path) -> None:
    before = set(folder.iterdir())
    checks = examine()
    assert [check for check in checks if not check.is_well or check.advice] == []
    assert [check.what for check in checks] == [
        *("settings", "secret key", "public address", "ops address", "database", "accounts", "broker"),
        "mail folder",
        *(f"template {name}" for name in TEMPLATES),
        *("clock", "time zones", "disk", "state folder"),
    ]
    # SQLite takes its own two files away when the last connection closes.
    assert set(folder.iterdir()) <= before


def test_what_is_not_well_always_comes_with_advice() -> None:
    write_settings(
        secret_key="",
        public_url="digest.example.org",
        ops_email="ops",
        accounts_email="desk",
        database_url="sqlite:///none.db",
        broker_url=f"redis://127.0.0.1:{free_port()}",
        mail_url=f"smtp://127.0.0.1:{free_port()}",
        templates_dir="none",
    )
    bad = [check for check in examine() if not check.is_well]
    assert len(bad) == 8
    assert all(check.advice for check in bad)


def test_the_sender_of_mail_to_accounts_is_looked_at_where_there_is_one() -> None:
    assert "sender to accounts" not in [check.what for check in examine()]
    found = look("sender to accounts", accounts_email="desk@news.example.org")
    assert (found.is_well, found.found) == (True, "desk@news.example.org")


def test_settings_that_cannot_be_read_leave_the_rest_told(folder: Path) -> None:
    Path("digest.toml").write_text("mail_ulr = ''")
    settings, *others = examine()
    assert not settings.is_well
    assert "did you mean 'mail_url'" in settings.advice
    assert [check.what for check in others] == ["clock", "time zones"]


def test_erased_readers_whose_key_is_gone_are_told() -> None:
    gone = ErasureKeys((b"gone",))
    engine = open_engine("sqlite:///digest.db")
    with writing(engine) as session:
        remember_erased(session, gone, "ada@example.org", now=NOW)
    engine.dispose()
    found = look("erased readers")
    assert not found.is_well
    assert "1 mark" in found.found
    assert "previous_erasure_keys" in found.advice
    write_settings(previous_erasure_keys="gone")
    assert "erased readers" not in {check.what for check in examine()}


@pytest.mark.parametrize(("key", "is_well"), [("", False), ("k" * 31, False), (KEY, True)])
def test_a_secret_key_has_at_least_32_characters(key: str, is_well: bool) -> None:
    found = look("secret key", secret_key=key)
    assert found.is_well is is_well
    assert key not in found.found or not key


@pytest.mark.parametrize(
    ("url", "mail", "is_well", "words"),
    [
        ("https://digest.example.org", "maildir:outbox", True, ""),
        ("http://digest.example.org", "maildir:outbox", True, "https"),
        ("http://127.0.0.1:8000", "maildir:outbox", True, ""),
        ("http://127.0.0.1:8000", "smtp://0.0.0.0:1", True, "public_url"),
        ("digest.example.org", "maildir:outbox", False, "https://digest.example.org"),
        ("ftp://digest.example.org", "maildir:outbox", False, "public_url"),
    ],
)
def test_the_public_address_is_one_that_readers_can_open(
    url: str, mail: str, is_well: bool, words: str
) -> None:
    found = look("public address", public_url=url, mail_url=mail)
    assert found.is_well is is_well
    assert words in found.advice
    assert bool(words) == bool(found.advice)


@pytest.mark.parametrize("host", ["localhost", "digest.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback("digest.example.org")
    assert not is_loopback("10.0.0.1")


def test_a_database_is_looked_at_for_schema_and_writing(folder: Path) -> None:
    assert "writable" in look("database").found
    with open_engine("sqlite:///digest.db").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert "digest migrate" in look("database").advice
    assert "digest init" in look("database", database_url="sqlite:///other.db").advice
    assert not Path("other.db").exists()
    Path("notes.txt").write_text("some notes, and no database at all\n" * 40)
    assert "not a database" in look("database", database_url="sqlite:///notes.txt").advice
    port = free_port()
    away = look("database", database_url=f"postgresql+psycopg://u:hunter2@127.0.0.1:{port}/d")
    assert f"127.0.0.1:{port}" in away.advice
    assert "hunter2" not in str(away)


def test_an_issue_that_the_mail_server_keeps_waiting_is_told(folder: Path) -> None:
    engine = open_engine("sqlite:///digest.db")
    issue_id = sending_issue(engine, Size(readers=2, topics=2, articles=2, follows=1))
    meet_outage(engine, issue_id, "mail.example.org:25 takes no mail: timed out", now=NOW)
    check = look(f"issue {issue_id}")
    assert not check.is_well
    assert "since 2026-11-23 07:00 UTC: mail.example.org:25 takes no mail: timed out." in check.advice
    with writing(engine) as session:
        change_issue(session, issue_id, IssueState.CANCELLED, now=NOW)
    assert f"issue {issue_id}" not in {check.what for check in examine()}


def test_a_language_model_is_told_once_somebody_wants_one_and_never_asked(folder: Path) -> None:
    assert "language model" not in [check.what for check in examine()]
    model = {"llm_provider": "openai", "llm_model": "model-7", "llm_api_key": "hunter2"}
    prices = {"llm_input_price": "3", "llm_output_price": "15"}
    unasked = look("language model", **model, **prices)
    assert unasked.is_well
    assert "digest newsletter change" in unasked.advice
    assert "llm_input_price" in look("language model", **model).advice
    newsletter = stored_newsletter(open_engine("sqlite:///digest.db"), llm=True)
    assert look("language model", **model, **prices).advice == ""
    missing = look("language model")
    assert not missing.is_well
    assert newsletter.slug in missing.found
    assert "llm_provider" in missing.advice
    assert "hunter2" not in str(unasked)


def test_accounts_are_counted_and_who_has_none_is_told_what_to_do(folder: Path) -> None:
    (check,) = [one for one in examine() if one.what == "accounts"]
    assert check.is_well
    assert "nobody can sign in yet; 'digest up' prints a link" in check.found
    with writing(open_engine("sqlite:///digest.db")) as session:
        for name, role in (("ada", Role.ADMIN), ("ben", Role.EDITOR)):
            add_account(
                session, f"{name}@example.org", name=name, role=role, by="x", now=NOW, password="a hash"
            )
    (check,) = [one for one in examine() if one.what == "accounts"]
    assert check.found == "2 accounts, 1 admin"
    assert "ada@example.org" in check.advice
    assert "ben@example.org" not in check.advice


def test_a_server_of_databases_is_asked_for_its_clock_too(migrated_postgres_url: str) -> None:
    assert look("database", database_url=migrated_postgres_url).is_well
    assert look("database clock", database_url=migrated_postgres_url).is_well


def test_redis_is_asked_for_an_answer_and_for_its_log(redis_server: RedisServer) -> None:
    found = look("broker", broker_url=redis_server.url)
    assert found.is_well
    assert "appendonly" in found.advice
    with redis_server.client() as client:
        client.config_set("appendonly", "yes")
    try:
        assert look("broker", broker_url=redis_server.url).advice == ""
    finally:
        with redis_server.client() as client:
            client.config_set("appendonly", "no")
    wrong = look("broker", broker_url=redis_server.url.replace("only-for-tests", "hunter2"))
    assert not wrong.is_well
    assert "hunter2" not in str(wrong)


@pytest.mark.parametrize("url", ["amqp://localhost", "", "redis://127.0.0.1:99999"])
def test_a_broker_that_cannot_be_is_told(url: str) -> None:
    assert not look("broker", broker_url=url).is_well


def test_a_mail_server_is_greeted_and_sent_nothing(smtp_sink: SmtpSink) -> None:
    found = look("mail server", mail_url=f"smtp://127.0.0.1:{smtp_sink.port}")
    assert found == Check("mail server", True, f"127.0.0.1:{smtp_sink.port} greets and wants no log-in")
    assert smtp_sink.messages() == []


def test_a_mail_server_that_sends_us_away_is_told(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.on_connection = lambda _: Banner(554)
    found = look("mail server", mail_url=f"smtp://127.0.0.1:{smtp_sink.port}")
    assert not found.is_well
    assert "554" in found.advice


def test_a_log_in_that_the_server_does_not_know_is_told(smtp_sink: SmtpSink) -> None:
    found = look("mail server", mail_url=f"smtp://digest:hunter2@127.0.0.1:{smtp_sink.port}")
    assert not found.is_well
    assert "offers no log-in" in found.advice
    assert "hunter2" not in str(found)


def test_an_address_that_is_no_mail_server_is_told() -> None:
    assert "smtp://HOST:PORT" in look("mail", mail_url="https://mail.example.org").advice


def test_each_of_several_relays_is_tried_and_told_with_its_share(smtp_sink: SmtpSink) -> None:
    away = free_port()
    write_settings(
        mail_url=f"smtp://127.0.0.1:{smtp_sink.port}?weight=3 smtp://127.0.0.1:{away}?name=spare&weight=0, "
        "maildir:outbox"
    )
    found = {check.what: check for check in examine()}
    good = found[f"mail server 127.0.0.1:{smtp_sink.port}"]
    assert good.found == f"127.0.0.1:{smtp_sink.port} greets and wants no log-in; 75 % of the mail"
    bad = found["mail server spare"]
    assert (bad.is_well, bad.found) == (False, f"127.0.0.1:{away} takes no mail; a spare")
    assert "Connection refused" in bad.advice
    assert found["mail folder maildir:outbox"].found.endswith("25 % of the mail")
    assert "1 of 3 addresses" in found["mail"].found


def test_a_server_whose_certificate_nobody_knows_is_told_with_what_to_do(folder: Path) -> None:
    with SmtpSink(certificate=write_certificate(folder / "server.pem")) as sink:
        found = look("mail server", mail_url=sink.url)
        assert "its certificate is not believed: self-signed" in found.advice
        assert "?ca_file=FILE" in found.advice
        known = look("mail server", mail_url=f"{sink.url}?ca_file={folder / 'server.pem'}")
        assert known.is_well
        assert known.found.endswith("greets over TLS and wants no log-in")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_providers_account_is_asked_for_and_sent_nothing(dialect: type[Dialect]) -> None:
    with ProviderServer(dialect()) as server:
        found = look("mail provider", mail_url=server.mail_url, mail_key=server.dialect.key)
        assert found.is_well
        assert "takes the key" in found.found
        assert (len(server.greetings), server.posts) == (1, [])
        server.greets(status(402, "unpaid"))
        found = look("mail provider", mail_url=server.mail_url, mail_key=server.dialect.key)
        assert not found.is_well
        assert "wants to be paid first (402: unpaid). Look at the account." in found.advice
        assert server.dialect.key not in str(found)


def test_a_provider_that_is_away_or_has_no_key_is_told() -> None:
    away = look(
        "mail provider", mail_url=Postmark().mail_url(f"http://127.0.0.1:{free_port()}"), mail_key="k"
    )
    assert (away.is_well, away.found) == (False, "Postmark: takes no mail")
    assert "127.0.0.1" in away.advice
    assert "mail_key is not set" in look("mail", mail_url="postmark:").advice


def test_a_signature_that_a_provider_would_break_is_told(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    Path("dkim.pem").write_bytes(pem)
    write_settings(mail_url="ses://eu-central-1", mail_key="a:b")
    with Path("digest.toml").open("a") as settings:
        settings.write("dkim_keys = ['s=dkim.pem']\n")
    runtime = Runtime(load_settings())
    (found,) = (check for check in _run([("signatures", lambda: look_at_signatures(runtime))]))
    assert not found.is_well
    assert "Take dkim_keys out" in found.advice
    with pytest.raises(Misconfigured, match="Take dkim_keys out"):
        runtime.require_mail()


@pytest.mark.parametrize(
    ("settings", "name", "advice"),
    [
        ({"hook_postmark_secret": "user:short"}, "Postmark", "USER:PASSWORD"),
        ({"hook_sendgrid_key": "c2VjcmV0"}, "SendGrid", "no public key"),
        ({"hook_sns_topics": "arn:aws:s3:::bucket"}, "Amazon SES", "no topic of Amazon SNS"),
        ({"hook_mailgun_key": "hunter2", "mail_key": "hunter2"}, "Mailgun", "HTTP webhook signing key"),
    ],
)
def test_a_webhook_whose_setting_is_of_no_use_is_told(
    settings: dict[str, str], name: str, advice: str
) -> None:
    found = look(f"webhook of {name}", **settings)
    assert not found.is_well
    assert advice in found.advice
    assert "hunter2" not in str(found)


def test_a_webhook_says_where_its_provider_posts_and_whether_it_can() -> None:
    secret = {"hook_postmark_secret": "user:a long password"}
    found = look("webhook of Postmark", public_url="https://digest.example.org/", **secret)
    assert found == Check(
        "webhook of Postmark", True, "taken in at https://digest.example.org/hooks/postmark"
    )
    assert "https" in look("webhook of Postmark", public_url="http://digest.example.org", **secret).advice
    assert "cannot reach" in look("webhook of Postmark", **secret).advice


def test_a_provider_that_mail_leaves_by_and_that_tells_us_nothing_is_told() -> None:
    mail_url = Postmark().mail_url(f"http://127.0.0.1:{free_port()}")
    found = look("webhook of Postmark", mail_url=mail_url, mail_key="k")
    assert (found.is_well, found.found) == (True, "none")
    assert "set hook_postmark_secret" in found.advice


def test_a_mailbox_for_bounces_is_opened_and_nothing_taken_in(folder: Path) -> None:
    for name in ("new", "cur"):
        (folder / "bounces" / name).mkdir(parents=True)
    (folder / "bounces/new/1").write_bytes(b"a mail")
    url = {"bounce_mailbox_url": f"maildir:{folder / 'bounces'}"}
    assert look("bounce mailbox", return_path="b+*@example.org", **url).is_well
    assert (folder / "bounces/new/1").exists()
    assert "return_path with a *" in look("bounce mailbox", **url).advice
    (folder / "bounces/cur").rmdir()
    assert "cur cannot be written" in look("bounce mailbox", return_path="b+*@example.org", **url).advice
    away = look("bounce mailbox", bounce_mailbox_url=f"imap://u:hunter2@127.0.0.1:{free_port()}/INBOX")
    assert "Connection refused" in away.advice
    assert "hunter2" not in str(away)


def test_a_state_folder_that_nothing_can_be_noted_in_is_told(folder: Path) -> None:
    found = look("state folder", state_dir=str(folder / "digest.toml"))
    assert not found.is_well
    assert "Nothing is sent" in found.advice
    assert look("state folder", state_dir=str(folder / "notes")).found.startswith(str(folder / "notes"))
    assert not (folder / "notes").exists()


def test_a_disk_of_another_machine_or_in_memory_is_known_by_its_mount() -> None:
    mounts = (
        "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "33 21 0:40 / /mnt/their\\040files rw - nfs4 there:/ rw\n"
        "34 21 0:41 / /run rw shared:3 - tmpfs tmpfs rw\n"
    )
    places = ("/var/lib/digest", "/mnt/their files/state", "/run/digest", "/")
    assert [kind_of_disk(Path(place), mounts) for place in places] == ["ext4", "nfs4", "tmpfs", "ext4"]
    assert kind_of_disk(Path("/var"), "") == ""


def test_mail_that_can_be_read_on_the_way_is_told_unless_somebody_said_it_may() -> None:
    offered = SmtpServer.from_url("smtp://mail.example.org:25")
    assert "?tls=required" in readable(offered, is_encrypted=False)
    assert readable(offered, is_encrypted=True) == ""
    assert readable(SmtpServer.from_url("smtp://mail.example.org?tls=none"), is_encrypted=False) == ""
    assert readable(SmtpServer.from_url("smtp://127.0.0.1:25"), is_encrypted=False) == ""


def test_mail_that_is_only_printed_is_told() -> None:
    assert look("mail", mail_url="console:") == Check(
        "mail", True, "printed where Digest runs; nothing is sent"
    )
    assert look("mail folder", mail_url="eml:outbox").is_well
    assert look("public address", public_url="http://127.0.0.1:8000", mail_url="console:").advice == ""


def test_a_mail_folder_that_is_a_file_is_told(folder: Path) -> None:
    Path("outbox").write_text("")
    assert "not a folder" in look("mail folder").found


def test_a_template_that_does_not_compile_is_told_with_its_line_beside_one_that_does(folder: Path) -> None:
    ours = Path(__file__).parents[1] / "templates/email"
    for name, copied in (("broken", "digest"), ("whole", "digest"), ("parts", "parts")):
        shutil.copytree(ours / copied, folder / "templates/email" / name)
    (folder / "templates/email/broken/body.txt").write_text("{% if %}")
    found = look("template broken", templates_dir=str(folder / "templates"))
    assert not found.is_well
    assert "body.txt line 1" in found.advice
    assert look("template whole", templates_dir=str(folder / "templates")).is_well
    assert "templates_dir" in look("templates", templates_dir=str(folder / "none")).advice


def test_templates_of_single_newsletters_are_looked_at(folder: Path) -> None:
    own = folder / "own"
    for name, body in (("harbour/digest", "{% if %}"), ("quay/digst", "")):
        (own / name).mkdir(parents=True)
        (own / name / "body.txt").write_text(body)
    found = look("template digest of harbour", newsletter_templates_dir=str(own))
    assert not found.is_well
    assert "harbour/digest/body.txt line 1" in found.advice
    stray = look("template digst of quay", newsletter_templates_dir=str(own))
    assert not stray.is_well
    assert f"those it may stand for are {', '.join(TEMPLATES)}" in stray.advice
    assert "newsletter_templates_dir" in look("templates", newsletter_templates_dir=str(own / "no")).advice


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def test_servers_that_never_answer_are_given_up_and_hide_nothing(
    silent_port: int, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", 5.0)
    smtp_sink.faults.on_connection = lambda _: SlowBanner(600.0)
    write_settings(
        database_url=f"postgresql+psycopg://u@127.0.0.1:{silent_port}/d",
        broker_url=f"redis://127.0.0.1:{silent_port}",
        mail_url=f"smtp://127.0.0.1:{smtp_sink.port}",
    )
    began = time.monotonic()
    found = {check.what: check for check in examine()}
    assert time.monotonic() - began < PATIENCE
    # Whether the look at the mail server gives up by itself or is given up is a matter of milliseconds.
    silent = {what.removesuffix(" server"): check for what, check in found.items() if not check.is_well}
    assert list(silent) == ["database", "broker", "mail"]
    assert "no answer" in silent["mail"].found
    assert "no answer" in silent["database"].found
    assert found["template digest"].is_well


def test_a_look_at_this_machine_that_takes_too_long_blames_no_firewall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_settings()
    may_end = threading.Event()

    def slow(_runtime: object) -> Iterator[Check]:
        may_end.wait(PATIENCE)
        yield from ()

    monkeypatch.setattr("digest.doctor.examination.look_at_templates", slow)
    monkeypatch.setattr("digest.doctor.checks.PATIENCE", 1.0)
    try:
        found = {check.what: check for check in examine()}
    finally:
        may_end.set()
    assert not found["templates"].is_well
    assert "busy" in found["templates"].advice
    assert "firewall" not in found["templates"].advice
