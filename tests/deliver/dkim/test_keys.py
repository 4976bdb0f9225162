"""Which keys sign, what is said of those that cannot, and what DNS is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from digest.deliver.dkim.keys import DkimKey, read_keys
from digest.domain.errors import Misconfigured
from tests.deliver.dkim.checking import ed25519_key, pem, rsa_key


@pytest.mark.parametrize("key", [rsa_key(), ed25519_key()], ids=["rsa", "ed25519"])
def test_a_key_comes_from_a_file_or_from_the_setting_itself(key: DkimKey, tmp_path: Path) -> None:
    file = tmp_path / "2026.pem"
    file.write_text(pem(key))
    in_one_line = pem(key).replace("\n", "\\n")
    for setting in (f"2026a={file}", f"2026a={pem(key)}", f" 2026a = {in_one_line} "):
        (read,) = read_keys([setting])
        assert (read.selector, read.algorithm, read.record) == ("2026a", key.algorithm, key.record)


def test_no_keys_sign_nothing_and_several_keep_their_order() -> None:
    assert read_keys([]) == ()
    read = read_keys([f"b.2026={pem(ed25519_key())}", f"a={pem(rsa_key())}"])
    assert [(key.selector, key.kind) for key in read] == [("b.2026", "Ed25519"), ("a", "RSA-2048")]


def test_a_key_in_the_older_form_of_openssl_is_read() -> None:
    private = rsa_key().private
    older = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert older.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert read_keys([f"a={older}"])[0].record == rsa_key().record


def locked() -> str:
    sealed = BestAvailableEncryption(b"password")
    return ed25519_key().private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed).decode()


def public() -> str:
    return (
        rsa_key().private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )


def elliptic() -> str:
    return ec_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def short() -> str:
    """A key of two well-known primes, as nothing makes one so short any more."""
    p, q, e = 2**521 - 1, 2**127 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), RSAPublicNumbers(e, p * q))
    return pem(DkimKey("a", numbers.private_key(unsafe_skip_rsa_key_validation=True)))


def body_of(text: str) -> str:
    return "".join(text.splitlines()[1:-1])


BAD = {
    "no selector": (lambda: pem(ed25519_key()), "SELECTOR=FILE"),
    "an empty selector": (lambda: f"={pem(ed25519_key())}", "SELECTOR=FILE"),
    "a selector that is no name": (lambda: f"a b={pem(ed25519_key())}", "letters, digits and hyphens"),
    "a selector that ends in a hyphen": (lambda: f"a-={pem(ed25519_key())}", "letters, digits and hyphens"),
    "a file that is not there": (lambda: "a=/nowhere/a.pem", "'/nowhere/a.pem' cannot be read"),
    "a folder": (lambda: "a=/", "'/' cannot be read"),
    "nothing": (lambda: "a=", "cannot be read"),
    "a NUL": (lambda: "a=\0", "cannot be read"),
    "a key without its PEM lines": (lambda: f"a={body_of(pem(ed25519_key()))}", "neither a file nor PEM"),
    "a key cut short": (lambda: f"a={pem(rsa_key())[:300]}", "no private key in PEM"),
    "a public key": (lambda: f"a={public()}", "no private key in PEM"),
    "a locked key": (lambda: f"a={locked()}", "has a password"),
    "a key of another kind": (lambda: f"a={elliptic()}", "RSA or Ed25519"),
    "a short key": (lambda: f"a={short()}", "648 bits"),
    "one selector twice": (lambda: f"a={pem(ed25519_key())}", "' is there twice"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_key_that_cannot_sign_is_refused_in_words_that_keep_it_secret(fault: str) -> None:
    make, words = BAD[fault]
    setting = make()
    given = ["A=" + setting[2:], setting] if fault == "one selector twice" else [setting]
    with pytest.raises(Misconfigured, match="Nothing was started") as refused:
        read_keys(given)
    assert words in str(refused.value)
    assert len(setting) < 40 or setting[-60:-40] not in str(refused.value)


def test_a_key_of_1024_bits_signs_and_is_called_short() -> None:
    (read,) = read_keys([f"a={pem(rsa_key(1024))}"])
    assert (read.kind, read.is_short) == ("RSA-1024", True)
    assert not rsa_key().is_short
    assert not ed25519_key().is_short


def test_no_key_shows_itself_when_printed() -> None:
    assert repr(ed25519_key()) == "DkimKey(selector='e1')"


def test_dns_is_told_the_kind_and_the_public_half() -> None:
    assert rsa_key().name_at("news.example.org") == "r1._domainkey.news.example.org"
    assert rsa_key().record.startswith("v=DKIM1; k=rsa; p=MIIBIjANBg")
    kind, _, public_half = ed25519_key().record.rpartition("; p=")
    assert (kind, len(public_half)) == ("v=DKIM1; k=ed25519", 44)
