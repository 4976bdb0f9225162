"""Return paths that say whose mail comes back: one a delivery, signed (VERP).

A report of a bounce often names no address, or another one than was mailed. The address it comes to always
tells. Signed, because whoever could make one up could have readers suppressed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

from digest.domain.deliveries import DeliveryId
from digest.domain.errors import Misconfigured, Refused

PLACE = "*"
"""Where a delivery's part goes in the address of the settings, as in `bounces+*@news.example.org`."""

_LOCAL_MAX = 64
"""Octets of a local part (RFC 5321 §4.5.3.1.1)."""

_MAC_OCTETS = 10
_MAC_LENGTH = 16
_TAG = re.compile(rf"([0-9]{{1,19}})-([a-z2-7]{{{_MAC_LENGTH}}})")
_TAG_MAX = 19 + len("-") + _MAC_LENGTH


class ReturnPaths:
    """Writes and reads return paths of one form: `pattern`, with a `*` in its local part.

    `keys` are in falling age: the last one signs, all are believed. Raises `Misconfigured` for a pattern that
    cannot hold a delivery.
    """

    def __init__(self, pattern: str, keys: Sequence[str]) -> None:
        local, _, self._domain = pattern.rpartition("@")
        self._before, _, self._after = local.partition(PLACE)
        room = _LOCAL_MAX - _TAG_MAX
        if local.count(PLACE) != 1 or len(self._before + self._after) > room or not pattern.isascii():
            raise Misconfigured(
                f"return_path: '{pattern}' needs one * before the @, where each mail gets a mark of its own, "
                f"and at most {room} other letters there, as in bounces+*@news.example.org"
            )
        self._keys = [hashlib.sha256(b"digest.return-path\0" + key.encode()).digest() for key in keys]

    def write(self, delivery_id: DeliveryId) -> str:
        """Return the address that this delivery comes back to."""
        number = str(delivery_id)
        return f"{self._before}{number}-{_mac(self._keys[-1], number)}{self._after}@{self._domain}"

    def read(self, address: str) -> DeliveryId:
        """Return whose mail came back to `address`, which servers may have written in capitals.

        Raises `Refused` when it was not signed here.
        """
        local, _, domain = address.lower().rpartition("@")
        tag = local.removeprefix(self._before.lower()).removesuffix(self._after.lower())
        found = _TAG.fullmatch(tag)
        is_ours = f"{self._before}{tag}{self._after}".lower() == local and domain == self._domain.lower()
        if not found or not is_ours or not any(self._is_signed(key, *found.groups()) for key in self._keys):
            raise Refused(f"'{address}' is no return path of ours")
        return DeliveryId(int(found[1]))

    def _is_signed(self, key: bytes, number: str, mac: str) -> bool:
        return hmac.compare_digest(_mac(key, number), mac)


def _mac(key: bytes, number: str) -> str:
    """Return 80 bits of HMAC-SHA-256 in letters that survive a server's lower or upper case."""
    octets = hmac.digest(key, number.encode(), "sha256")[:_MAC_OCTETS]
    return base64.b32encode(octets).decode().lower()
