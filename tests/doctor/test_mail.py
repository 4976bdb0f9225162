"""The ways mail leaves by: servers, providers, folders and the screen."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from digest.deliver.smtp.server import SmtpServer
from digest.doctor import Check, examine
from digest.doctor.examination import _run
from digest.doctor.mail import look_at_signatures, readable
from digest.domain.errors import Misconfigured
from digest.runtime import Runtime
from digest.settings import load_settings
from tests.deliver.ways import DIALECTS
from tests.doctor.looking import look, write_settings
from tests.servers.certificates import write_certificate
from tests.servers.faults import Banner
from tests.servers.processes import free_port
from tests.servers.provider_dialects import Postmark
from tests.servers.provider_server import Dialect, ProviderServer, status
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.usefixtures("folder")


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
