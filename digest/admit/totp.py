"""Codes of a phone (TOTP, RFC 6238) and the recovery codes for when it is gone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
_AROUND = 1
"""Steps a phone's clock may be off, either way (RFC 6238 §5.2)."""

RECOVERY_CODES = 10
_SECRET_BYTES = 20
_RECOVERY_BYTES = 10


def new_secret() -> str:
    """Return a new secret in base32, as apps take it: 160 bits (RFC 4226 §4)."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def step_at(now: datetime) -> int:
    """Return the number of the half-minute that `now` is in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """Return the code of a step (RFC 4226 §5.3)."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: str, typed: str, *, now: datetime) -> int | None:
    """Return the step whose code was typed, None for no code of these moments. Blanks in it do not count."""
    code = "".join(typed.split())
    if len(code) != DIGITS or not (code.isascii() and code.isdecimal()):
        return None
    around = range(step_at(now) - _AROUND, step_at(now) + _AROUND + 1)
    return next((step for step in around if hmac.compare_digest(code_at(secret, step), code)), None)


def address_of(secret: str, *, email: str, issuer: str) -> str:
    """Return what a picture tells an app: the secret, and what to call it."""
    label = quote(f"{issuer}:{email}", safe="@")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer})}"


def new_recovery_codes() -> tuple[str, ...]:
    """Return codes that are each good for once, as people write them down: 80 bits, in groups of four."""
    return tuple(_in_fours(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES))


def _in_fours(code: bytes) -> str:
    text = base64.b32encode(code).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def kept_recovery(typed: str) -> str:
    """Return what is stored of a recovery code, however it is typed."""
    code = "".join(sign for sign in typed[:100].lower() if sign.isalnum())
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
