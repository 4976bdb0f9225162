"""`digest dkim`, and what a key that is set does to the mails of a send and to the doctor."""

from __future__ import annotations

import email
from email import policy
from pathlib import Path

import pytest

from tests.cli.conftest import Digest, change_settings
from tests.deliver.dkim.checking import ed25519_key, pem, rsa_key, verdicts

ZONE_LINE = '2026a._domainkey.example.org. IN TXT ( "v=DKIM1; k=rsa; p=MII'


def set_keys(home: Path, **more: object) -> None:
    (home / "2026a.pem").write_text(pem(rsa_key()))
    change_settings(home, dkim_keys=["2026a=2026a.pem", f"2026e={pem(ed25519_key())}"], **more)


def test_the_dns_records_are_printed_for_every_senders_domain(weekly: Path, digest: Digest) -> None:
    set_keys(weekly)
    identity = ("--name", "Other", "--from", "a@news.example.net", "--postal-address", "1 Quay Street")
    digest("newsletter", "add", "other", *identity).well()
    lines = digest("dkim").well().out.splitlines()
    assert lines[0].startswith(ZONE_LINE)
    assert all(len(string) <= 255 for string in lines[0].split('"')[1::2])
    assert lines[1] == f'2026e._domainkey.example.org. IN TXT "{ed25519_key().record}"'
    told = digest("dkim", "--json").well().json
    assert [one["name"] for one in told] == [
        f"{selector}._domainkey.{domain}"
        for domain in ("example.org", "news.example.net")
        for selector in ("2026a", "2026e")
    ]
    assert told[0]["text"] == rsa_key().record
    assert lines[0].count('" "') == 1
    assert "".join(lines[0].split('"')[1::2]) == rsa_key().record


def test_a_sender_outside_the_domain_that_signs_is_told(weekly: Path, digest: Digest) -> None:
    set_keys(weekly, dkim_domain="bücher.example")
    told = digest("dkim").well()
    assert told.out.startswith("2026a._domainkey.xn--bcher-kva.example. ")
    assert "editors@example.org is not of xn--bcher-kva.example" in told.err


def test_without_keys_the_way_to_one_is_told(home: Path, digest: Digest) -> None:
    digest("dkim").refused(2, "dkim_keys is not set", "openssl genrsa")
    set_keys(home)
    assert "digest newsletter add" in digest("dkim").well().out


def test_every_mail_of_a_send_is_signed_by_each_key(drafted: Path, digest: Digest) -> None:
    set_keys(drafted)
    digest("issue", "approve", "1", "--by", "Ada").well()
    digest("send", "1").well()
    published = {f"{one['name']}.": one["text"] for one in digest("dkim", "--json").well().json}
    mails = [file.read_bytes() for file in (drafted / "outbox/new").iterdir()]
    assert len(mails) == 2
    for mail in mails:
        assert verdicts(mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), published) == [True, True]
        assert email.message_from_bytes(mail, policy=policy.default)["Message-ID"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dkim_keys": ["2026a=none.pem"]}, "selector '2026a': 'none.pem' cannot be read (No such file"),
        ({"dkim_keys": [f"2026a={pem(rsa_key())[:200]}"]}, "selector '2026a': no private key in PEM"),
        ({"dkim_keys": [f"2026a={pem(ed25519_key())}"], "dkim_domain": "a b"}, "dkim_domain: 'a b'"),
    ],
)
def test_a_key_that_cannot_sign_stops_everything_at_the_start(
    drafted: Path, digest: Digest, settings: dict[str, object], words: str
) -> None:
    digest("issue", "approve", "1", "--by", "Ada").well()
    change_settings(drafted, **settings)
    for command in (("send", "1"), ("web", "--port", "0"), ("up", "--port", "0")):
        refused = digest(*command).refused(2, words)
        assert "MII" not in refused.err
    assert not (drafted / "outbox/new").exists()
    assert [one["what"] for one in digest("doctor", "--json").json if not one["is_well"]] == ["signatures"]


def test_the_doctor_names_each_key_and_a_short_one(home: Path, digest: Digest) -> None:
    change_settings(home, dkim_keys=[f"a={pem(rsa_key(1024))}", f"b={pem(ed25519_key())}"])
    checks = {one["what"]: one for one in digest("doctor", "--json").well().json}
    assert "RSA-1024" in checks["DKIM key a"]["found"]
    assert "2048 bits" in checks["DKIM key a"]["advice"]
    assert checks["DKIM key b"]["advice"] == ""
