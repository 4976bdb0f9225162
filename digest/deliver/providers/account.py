"""What `mail_url` says of a provider's account: which one, where, and with which options."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from digest.domain.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Account:
    """An address such as `mailgun://mg.example.org?region=eu`, taken apart, and the key that goes with it.

    `place` is what stands behind the slashes, '' for nothing.
    """

    scheme: str
    place: str
    options: dict[str, str]
    key: SecretStr = field(repr=False)

    @classmethod
    def from_url(cls, url: str, key: SecretStr, *, options: Collection[str]) -> Account:
        """Read `mail_url`. Raises `Misconfigured`, and never repeats what may be a key."""
        parts = urlsplit(url)
        if "@" in parts.netloc or ":" in parts.netloc:
            raise Misconfigured(
                f"mail_url: the key of {parts.scheme} has its own setting, mail_key; give the bare "
                "address here"
            )
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        known = {*options, "endpoint"}
        if unknown := sorted(set(given) - known):
            raise Misconfigured(
                f"mail_url: {parts.scheme} has no option '{unknown[0]}', only {', '.join(sorted(known))}"
            )
        return cls(
            parts.scheme, unquote(parts.netloc or parts.path.strip("/")), given, _key(parts.scheme, key)
        )

    def choice(self, option: str, choices: Collection[str], default: str) -> str:
        """Return an option that is one of a few. Raises `Misconfigured`."""
        value = self.options.get(option, default)
        if value not in choices:
            raise Misconfigured(f"mail_url: {option} is one of {', '.join(choices)}, not '{value}'")
        return value

    def endpoint(self, home: str) -> str:
        """Return where requests go, without a slash at the end: `home`, or the option `endpoint`.

        Raises `Misconfigured` for an address where the key could be read on the way.
        """
        url = self.options.get("endpoint", home).rstrip("/")
        parts = urlsplit(url)
        if not parts.hostname or parts.query or parts.fragment or parts.username:
            raise Misconfigured("mail_url: endpoint is an address such as https://api.example.org")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
            raise Misconfigured(
                f"mail_url: endpoint {parts.hostname} must be https, or the key could be read"
            )
        return url


def _key(scheme: str, key: SecretStr) -> SecretStr:
    value = key.get_secret_value().strip()
    if not value:
        raise Misconfigured(f"mail_key is not set: {scheme} takes no mail without one")
    # What cannot stand in a header is refused here: the HTTP library would print it with its complaint.
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise Misconfigured("mail_key: holds a space, a line break or a letter that no key has")
    return SecretStr(value)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
