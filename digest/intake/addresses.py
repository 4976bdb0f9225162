"""E-mail addresses as people type them."""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from digest.domain.errors import InvalidInput

_PLAIN = re.compile(r"([a-z0-9]{1,20}(?:[._+-][a-z0-9]{1,20}){0,2})@([A-Za-z0-9.-]{1,150})", re.ASCII)
"""What most addresses are: a local part with nothing to be judged, and both parts well below the longest."""


def parse_address(text: str) -> str:
    """Return a mailbox that mail can be sent to, its domain in ASCII (RFC 5891).

    The local part stays as it was typed. Raises `InvalidInput`, which says what is wrong with it.
    """
    plain = _PLAIN.fullmatch(text.strip())
    # A million addresses share some thousand domains, and judging one takes 40 µs.
    if plain and (domain := _domain(plain[2])):
        return f"{plain[1]}@{domain}"
    try:
        found = _validated(text.strip())
    except EmailNotValidError as exc:
        raise InvalidInput(f"'{text.strip()}' is not an e-mail address: {exc}") from exc
    if "." not in found.ascii_domain:
        raise InvalidInput(f"'{text.strip()}' is not an e-mail address: its domain has no dot")
    return f"{found.local_part}@{found.ascii_domain}"


def parse_new_address(text: str) -> str:
    """Return an address that comes in, as `parse_address` does. Raises `InvalidInput`.

    One that lost a letter on its way here is refused, too. One that was taken in before can still be found,
    and erased: so `parse_address` lets it pass.
    """
    address = parse_address(text)
    if "\N{REPLACEMENT CHARACTER}" in address:
        raise InvalidInput(f"'{address}' is not an e-mail address: a letter of it was lost on its way here")
    return address


@lru_cache(maxsize=10_000)
def _domain(text: str) -> str:
    """Return a domain that takes mail, in ASCII and small letters, '' for what is none."""
    try:
        domain = _validated(f"somebody@{text}").ascii_domain
    except EmailNotValidError:
        return ""
    return domain if "." in domain else ""


def _validated(text: str) -> ValidatedEmail:
    return validate_email(text, check_deliverability=False, test_environment=True, strict=True)


def parse_sender(text: str) -> str:
    """Return an address that mail can come from: every mail server has to take it, so its letters are ASCII.

    Raises `InvalidInput`.
    """
    address = parse_address(text)
    if not address.isascii():
        raise InvalidInput(
            f"'{address}' has letters before the @ that only some mail servers take (SMTPUTF8), and all have "
            "to take a sender: use an address of plain letters"
        )
    return address
