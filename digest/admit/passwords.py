"""Passwords: which are taken, and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from digest.domain.errors import InvalidInput

SHORTEST, LONGEST = 12, 512
"""Characters. Nothing else is asked of them: length is what guessing costs (NIST SP 800-63B-4 §3.1.1.2)."""

_FEWEST_SIGNS = 5
"""Different characters: `abababababab` and twelve blanks are not long."""

_NEVER = frozenset({"Cc", "Cs", "Cn", "Co"})
"""Control signs, halves of surrogate pairs, and what no one has assigned: typed by accident, if at all."""

_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
"""64 MiB, three passes (RFC 9106 §4, the second choice, on one lane as two processors serve everybody)."""

_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$IHDgf6b5//SeBNsI53n1Pg$pTfpozITMDtZjwuFUI5ReYw3A1Ks9E/kqRoyTzpswtw"
"""The hash of a password that was thrown away, for whom there is none: made beforehand, as the first who has
none would wait twice as long otherwise."""


def prepare(text: str) -> str:
    """Return a password as it is compared: any way to type it on any keyboard is one (RFC 8265 §4.2.2).

    Raises `InvalidInput` for what cannot be a password.
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"the password is too long; there is room for {LONGEST} characters")
    # Blanks before composing, as the profile says; composing may then join what stands beside them.
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
    password = unicodedata.normalize("NFC", spaced)
    if any(unicodedata.category(sign) in _NEVER for sign in password):
        raise InvalidInput("the password holds a sign that no keyboard types: type it once more")
    return password


def choose(text: str, *, but: tuple[str, ...] = ()) -> str:
    """Return a new password, prepared. It must not be one of `but`: the name and address it goes with.

    Raises `InvalidInput`, which says what is wrong with it and never repeats it.
    """
    password = prepare(text)
    if len(password) < SHORTEST:
        raise InvalidInput(
            f"the password is too short: take {SHORTEST} characters or more, such as four or five words"
        )
    if len(set(password.casefold())) < _FEWEST_SIGNS:
        raise InvalidInput("the password repeats the same few characters: take several words")
    if any(_alike(password, taken) for taken in but):
        raise InvalidInput("the password is the name or the address it goes with: take another")
    return password


def _alike(password: str, taken: str) -> bool:
    return password.casefold() == unicodedata.normalize("NFC", taken).casefold()


def hash_password(password: str) -> str:
    """Return what is kept of a prepared password. Takes some 0.1 s of a processor."""
    return _HASHER.hash(password)


def is_right(kept: str, text: str) -> bool:
    """Tell whether `text` is the password that `kept` was made of; '' was made of none.

    An answer takes the same time with and without a password to compare with.
    """
    try:
        password = prepare(text)
    except InvalidInput:
        password = ""
    try:
        _HASHER.verify(kept or _NOBODYS, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return bool(kept)


def is_outdated(kept: str) -> bool:
    """Tell whether a password was kept with less work than is asked for now."""
    return _HASHER.check_needs_rehash(kept)
