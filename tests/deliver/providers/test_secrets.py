"""The key goes to its provider and nowhere else: not into logs, errors, outcomes, nor to strangers."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from digest.deliver.providers import open_provider
from digest.deliver.providers.account import Account
from digest.domain.errors import DigestError, Misconfigured, Unavailable
from digest.logs import set_up_logs
from tests.deliver.ways import DIALECTS, send
from tests.servers.provider_server import (
    Dialect,
    ProviderServer,
    sends,
    status,
    takes,
    takes_and_hangs_up,
    well,
)
from tests.waiting import PATIENCE

SHORT = 5.0


def test_the_key_is_in_no_log_error_or_outcome(
    server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(level="debug", as_json=False)
    logging.getLogger().setLevel(logging.DEBUG)  # the libraries' own steps, too
    key = server.dialect.key
    secret = key.partition(":")[2] or key
    told: list[object] = []
    for behaviour in (
        takes,
        takes_and_hangs_up,
        *(status(code, f"bad key {secret}, was {key}") for code in (400, 401, 403, 422, 500)),
        status(429, f"slow down, {secret}", Retry_After="60"),
        sends(401, f"<html>{secret}".encode()),
    ):
        transport = open_provider(server.mail_url, SecretStr(key), timeout=SHORT)
        server.will(behaviour)
        told += [send(transport), transport, vars(transport), transport._provider]
        server.greets(well if behaviour in (takes, takes_and_hangs_up) else behaviour)
        try:
            send(transport, "ben@example.org")
        except DigestError as exc:
            told += [exc, exc.args, exc.__cause__]
        server.greets(well)
    written = capsys.readouterr()
    assert "send_request_headers" in written.err
    assert secret not in written.err + written.out + repr(told)


def test_what_a_request_shows_of_itself_has_no_key_in_it(server: ProviderServer) -> None:
    transport = open_provider(server.mail_url, SecretStr(server.dialect.key))
    shown = repr(transport._provider.hello())
    assert "GET" in shown
    assert "Authorization" not in shown
    assert server.dialect.key not in shown


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("key", ["sk-canary\nX-Other: 1", "sk canary", "sk-canary\x00", "sk-canäry", "", " "])
def test_a_key_that_no_header_can_hold_is_refused_without_repeating_it(
    dialect: type[Dialect], key: str
) -> None:
    with pytest.raises(Misconfigured, match="mail_key") as caught:
        open_provider(dialect().mail_url("http://127.0.0.1:1"), SecretStr(key))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postmark://canary@api.example.org",
        "postmark://:canary@api.example.org",
        "mailgun://api:canary@mg.example.org",
        "sendgrid:?endpoint=https://canary@api.example.org",
        "sendgrid:?endpoint=http://api.example.org",
        "sendgrid:?endpoint=http://10.0.0.7",
        "sendgrid:?endpoint=ftp://127.0.0.1",
        "sendgrid:?endpoint=nonsense",
        "sendgrid:?endpoint=",
    ],
)
def test_an_address_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="mail_url") as caught:
        open_provider(url, SecretStr("SG.key"))
    assert "canary" not in str(caught.value)


def test_an_account_does_not_show_its_key() -> None:
    assert "SG.key" not in repr(Account("sendgrid", "", {}, SecretStr("SG.key")))


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[tuple[int, list[str]]]:
    """An HTTPS server whose certificate nobody vouches for: its port, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_own_certificate(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()
    thread.join()


def _own_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    there = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(there, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "own.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_a_certificate_that_nobody_vouches_for_gets_no_key(stranger: tuple[int, list[str]]) -> None:
    port, asked = stranger
    url = f"sendgrid:?endpoint=https://127.0.0.1:{port}"
    with pytest.raises(Unavailable, match="certificate"):
        send(open_provider(url, SecretStr("SG.key"), timeout=PATIENCE))
    assert asked == []
