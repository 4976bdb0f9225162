"""TLS that is demanded and believed, and log-ins: nothing secret is said where it could be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.deliver.smtp import SmtpServer, SmtpTransport, tokens
from digest.deliver.transport import Envelope
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import DigestError, Misconfigured, Refused, Unavailable
from tests.servers.certificates import DAY, write_certificate
from tests.servers.smtp_log_in import LogIns
from tests.servers.smtp_sink import SmtpSink

MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: a test\r\n\r\nHello.\r\n"
PASSWORD, TOKEN = "hunter2-ä", "ya29.a0-token"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture(scope="module")
def log_ins() -> LogIns:
    return LogIns({"post": PASSWORD}, {"post@example.org": TOKEN})


@pytest.fixture(scope="module")
def secure(certificate: Path, log_ins: LogIns) -> Iterator[SmtpSink]:
    """A server with STARTTLS that wants a log-in, and takes none before TLS."""
    with SmtpSink(certificate=certificate, log_ins=log_ins) as sink:
        yield sink


def sent(url: str) -> Outcome:
    async def yes() -> bool:
        return True

    async def hold() -> Outcome:
        async with SmtpTransport(SmtpServer.from_url(url)).session() as session:
            envelope = Envelope("bounces@example.org", "anna@example.org")
            return await session.send(envelope, MESSAGE, yes)

    return asyncio.run(hold())


def refused(url: str) -> str:
    """Return what is said of a server that takes no mail from us: in words, and without what is secret."""
    with pytest.raises(DigestError) as raised:
        sent(url)
    told = str(raised.value)
    assert isinstance(raised.value, Refused | Unavailable)
    assert "hunter2" not in told
    assert TOKEN not in told
    return told


def at(sink: SmtpSink, user: str = "", query: str = "", *, host: str = "127.0.0.1") -> str:
    scheme = sink.url.partition(":")[0]
    return f"{scheme}://{f'{user}@' if user else ''}{host}:{sink.port}{f'?{query}' if query else ''}"


LOG_IN = "post:hunter2-%C3%A4"


def test_a_log_in_goes_through_starttls(secure: SmtpSink, certificate: Path) -> None:
    assert sent(at(secure, LOG_IN, f"tls=required&ca_file={certificate}")).state is DeliveryState.ACCEPTED
    assert sent(at(secure, LOG_IN, f"ca_file={certificate}")).state is DeliveryState.ACCEPTED


def test_tls_from_the_start_is_verified_too(certificate: Path) -> None:
    with SmtpSink(certificate=certificate, is_tls_first=True) as sink:
        assert sent(at(sink, query=f"ca_file={certificate}")).state is DeliveryState.ACCEPTED
        assert "not believed: self-signed certificate" in refused(at(sink))


def test_a_certificate_that_nobody_vouches_for_is_told_with_what_to_do(secure: SmtpSink) -> None:
    told = refused(at(secure, LOG_IN))
    assert "not believed: self-signed certificate. If the server is yours" in told
    assert "?ca_file=FILE" in told
    assert "?tls=none, as the server is on this machine" in told


def test_a_certificate_of_another_ca_is_not_believed(secure: SmtpSink, tmp_path: Path) -> None:
    other = write_certificate(tmp_path / "other.pem")
    assert "not believed" in refused(at(secure, LOG_IN, f"ca_file={other}"))


def test_a_certificate_for_another_name_is_told(certificate: Path) -> None:
    with SmtpSink(certificate=certificate) as sink:
        told = refused(at(sink, query=f"ca_file={certificate}", host="localhost"))
    assert "certificate is not valid for 'localhost'" in told
    assert "Put the name that the certificate is for into mail_url" in told


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [(-2 * DAY, -DAY, ("has expired", "renewed")), (DAY, 2 * DAY, ("not yet valid", "clock"))],
)
def test_a_certificate_out_of_its_time_is_told(
    tmp_path: Path, begins: timedelta, ends: timedelta, words: tuple[str, str]
) -> None:
    file = write_certificate(tmp_path / "server.pem", begins=begins, ends=ends)
    with SmtpSink(certificate=file) as sink:
        told = refused(at(sink, query=f"ca_file={file}"))
    assert all(word in told for word in words)


def test_a_server_whose_offer_of_tls_is_gone_gets_no_log_in(smtp_sink: SmtpSink) -> None:
    told = refused(at(smtp_sink, LOG_IN, "tls=required"))
    assert "offers no STARTTLS, and mail_url demands it" in told
    assert not any(command.startswith("AUTH") for command in smtp_sink.commands)


def test_a_log_in_to_another_machine_demands_tls_unless_it_says_otherwise() -> None:
    def start_tls(url: str) -> bool | None:
        return SmtpServer.from_url(url).start_tls

    assert start_tls("smtp://post:pw@mail.example.org:587") is True
    assert start_tls("smtp://post:pw@mail.example.org:587?tls=offered") is None
    assert start_tls("smtp://post:pw@mail.example.org:587?tls=none") is False
    assert start_tls("smtp://mail.example.org") is None
    assert start_tls("smtp://post:pw@127.0.0.1") is None
    assert start_tls("smtp://post:pw@[::1]:587") is None
    assert start_tls("smtp://mail.example.org?tls=required") is True


def test_a_server_that_speaks_no_tls_from_the_start_is_told(smtp_sink: SmtpSink) -> None:
    told = refused(f"smtps://127.0.0.1:{smtp_sink.port}")
    assert "does not speak TLS from the start" in told
    assert "ports 25 and 587 smtp://" in told


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_log_in_is_made_as_the_server_wants_it(mechanism: str) -> None:
    log_ins = LogIns({"post": PASSWORD}, mechanisms=(mechanism,))
    with SmtpSink(log_ins=log_ins) as sink:
        assert sent(at(sink, LOG_IN)).state is DeliveryState.ACCEPTED
        assert "refused the log-in: 535" in refused(at(sink, "post:hunter2-wrong"))
    assert log_ins.used == [mechanism]


def test_a_server_without_a_log_in_that_we_know_is_told() -> None:
    with SmtpSink(log_ins=LogIns(mechanisms=("GSSAPI",))) as sink:
        told = refused(at(sink, LOG_IN))
    assert "offers no log-in that is known here without TLS: it has GSSAPI" in told


def test_a_log_in_that_is_not_given_puts_mail_off_and_blames_nobody() -> None:
    with SmtpSink(log_ins=LogIns({"post": PASSWORD})) as sink:
        outcome = sent(at(sink))
    assert (outcome.state, outcome.code) == (DeliveryState.PENDING, 530)


def token_of(file: Path, text: str) -> str:
    file.write_text(text)
    return f"token_file={file}"


def test_a_token_is_read_from_its_file_at_each_log_in(
    secure: SmtpSink, certificate: Path, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    url = at(secure, "post%40example.org", f"{token_of(file, 'old')}&ca_file={certificate}")
    transport = SmtpTransport(SmtpServer.from_url(url))

    async def hold() -> str:
        async with transport.session() as session:
            return session.relay

    with pytest.raises(Refused, match=r"535 .*\(status 401, schemes bearer.*The token may have expired"):
        asyncio.run(hold())
    file.write_text(f"{TOKEN}\n")
    assert asyncio.run(hold()) == f"127.0.0.1:{secure.port}"


def test_a_token_may_be_printed_by_a_command_or_stand_in_the_address(
    secure: SmtpSink, certificate: Path, tmp_path: Path
) -> None:
    (tmp_path / "t").write_text(TOKEN)
    query = f"ca_file={certificate}&token_command=cat%20{tmp_path / 't'}"
    assert sent(at(secure, "post%40example.org", query)).state is DeliveryState.ACCEPTED
    query = f"ca_file={certificate}&auth=xoauth2"
    assert sent(at(secure, f"post%40example.org:{TOKEN}", query)).state is DeliveryState.ACCEPTED


def test_a_token_that_is_refused_is_not_repeated_though_the_server_does(
    secure: SmtpSink, certificate: Path
) -> None:
    query = f"ca_file={certificate}&auth=xoauth2"
    told = refused(at(secure, f"stranger:{TOKEN}", query))
    assert "refused the log-in: 535 5.7.8 not ***" in told


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("token_file=/nowhere/token", "token_file /nowhere/token: No such file or directory"),
        ("token_command=/nowhere/program", "token_command /nowhere/program: No such file"),
        ("token_command=false", "token_command false: ended with 1. Run it by hand"),
        ("token_command=true", "token_command true: is not one access token"),
        ("token_command=echo%20two%20words", "token_command echo: is not one access token"),
    ],
)
def test_a_token_that_cannot_be_had_is_told(
    secure: SmtpSink, certificate: Path, source: str, words: str
) -> None:
    assert words in refused(at(secure, "post", f"ca_file={certificate}&{source}"))


def test_a_command_that_does_not_end_is_ended(
    secure: SmtpSink, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "SECONDS", 0.2)
    told = refused(at(secure, "post", f"ca_file={certificate}&token_command=sleep%20600"))
    assert "token_command sleep: printed no token within 0.2 s" in told


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtp://mail.example.org?tls=yes", "tls is required"),
        ("smtps://mail.example.org?tls=required", "TLS from the start"),
        ("smtp://mail.example.org?tsl=none", "option 'tsl'"),
        ("smtp://u:secret@mail.example.org?auth=oauth", "auth is password"),
        ("smtp://mail.example.org?token_file=t", "xoauth2 wants USER@"),
        ("smtp://u@mail.example.org?auth=xoauth2", "its token from one place"),
        ("smtp://u:secret@mail.example.org?token_file=t", "its token from one place"),
        ("smtp://u@mail.example.org?token_file=t&token_command=c", "its token from one place"),
        ("smtp://u@mail.example.org?token_command=%22", "token_command cannot be read"),
    ],
)
def test_what_an_address_cannot_mean_is_refused_with_what_it_may(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match="mail_url") as raised:
        SmtpServer.from_url(url)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("no PEM", "holds no certificate")])
def test_a_file_without_certificates_is_refused_before_anything_is_sent(
    tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Misconfigured, match=words):
        SmtpTransport(SmtpServer.from_url(f"smtp://mail.example.org?ca_file={file}"))


def test_no_secret_stands_in_what_a_server_looks_like() -> None:
    server = SmtpServer.from_url("smtp://u:hunter2@mail.example.org:587?auth=xoauth2")
    assert "hunter2" not in repr(server) + repr(SmtpServer.from_url("smtp://u:hunter2@mail.example.org"))
