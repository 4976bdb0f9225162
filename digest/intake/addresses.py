"""E-mail addresses as people type them."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from digest.domain.errors import InvalidInput


def parse_address(text: str) -> str:
    """Return a mailbox that mail can be sent to, its domain in ASCII (RFC 5891).

    The local part stays as it was typed. Raises `InvalidInput`, which says what is wrong with it.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as exc:
        raise InvalidInput(f"'{text.strip()}' is not an e-mail address: {exc}") from exc
    if "." not in found.ascii_domain:
        raise InvalidInput(f"'{text.strip()}' is not an e-mail address: its domain has no dot")
    return f"{found.local_part}@{found.ascii_domain}"


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
