"""Codes of a phone against the published ones, and when they count."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.admit.totp import (
    RECOVERY_CODES,
    address_of,
    code_at,
    kept_recovery,
    new_recovery_codes,
    new_secret,
    step_at,
    step_of,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B has eight figures; six are the last six of them."""
    assert code_at(SECRET, step_at(datetime.fromtimestamp(seconds, UTC))) == code[2:]


def test_a_clock_may_be_off_by_one_step_and_no_more() -> None:
    now = datetime(2026, 11, 23, 7, 0, 10, tzinfo=UTC)
    code = code_at(SECRET, step_at(now))
    for seconds, counts in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        found = step_of(SECRET, code, now=now + timedelta(seconds=seconds))
        assert (found == step_at(now)) is counts, seconds


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12345a", "१२३४५६", "１２３４５６", "-12345", "1" * 10_000]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert step_of(SECRET, typed, now=datetime(2026, 11, 23, tzinfo=UTC)) is None


def test_a_code_may_be_typed_with_a_gap() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    code = code_at(SECRET, step_at(now))
    assert step_of(SECRET, f" {code[:3]} {code[3:]} ", now=now) == step_at(now)


def test_an_app_is_told_secret_and_name() -> None:
    secret = new_secret()
    address = urlsplit(address_of(secret, email="ä+b&c@example.org", issuer="Digest"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Digest"]}
    assert "&" not in address.path


def test_recovery_codes_are_many_and_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert kept_recovery(codes[0]) == kept_recovery(f" {codes[0].upper().replace('-', ' ')} ")
    assert kept_recovery(codes[0]) != kept_recovery(codes[1])
