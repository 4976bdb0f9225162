"""Signatures against those that Amazon publishes for its own examples."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.deliver.providers.signing import Credentials, Signer

THEN = datetime(2015, 8, 30, 12, 36, 0, tzinfo=UTC)
EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def signature(signed: dict[str, str]) -> str:
    return signed["Authorization"].rpartition("Signature=")[2]


def test_the_example_of_the_users_guide_is_signed_as_there() -> None:
    signer = Signer(EXAMPLE, "us-east-1", "iam")
    url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    signed = signer.signed("GET", url, b"", headers, now=THEN)
    assert signature(signed) == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    assert "SignedHeaders=content-type;host;x-amz-date," in signed["Authorization"]


def test_the_test_suites_get_and_post_are_signed_as_there() -> None:
    signer = Signer(EXAMPLE, "us-east-1", "service")
    url = "https://example.amazonaws.com/"
    get, post = (signer.signed(method, url, b"", {}, now=THEN) for method in ("GET", "POST"))
    assert signature(get) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    assert signature(post) == "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"


def test_the_token_of_a_temporary_key_is_sent_and_signed() -> None:
    signer = Signer(Credentials("ASIA", "secret", "session-token"), "eu-central-1", "ses")
    signed = signer.signed("GET", "https://email.eu-central-1.amazonaws.com/x", b"", {}, now=THEN)
    assert signed["X-Amz-Security-Token"] == "session-token"
    assert "host;x-amz-date;x-amz-security-token" in signed["Authorization"]


def test_what_is_sent_is_signed() -> None:
    signer = Signer(EXAMPLE, "us-east-1", "ses")
    url = "https://email.us-east-1.amazonaws.com/v2/email/outbound-emails"
    one, other = (signature(signer.signed("POST", url, body, {}, now=THEN)) for body in (b"a", b"b"))
    assert one != other


def test_a_signer_does_not_show_its_secret() -> None:
    assert EXAMPLE.secret not in repr(Signer(EXAMPLE, "us-east-1", "ses"))
