"""Keys for tests, and what a receiver finds: signatures checked by dkimpy, which shares no code with ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.deliver.dkim.keys import DkimKey

DOMAIN = "news.example.org"


@cache
def rsa_key(bits: int = 2048, selector: str = "r1") -> DkimKey:
    return DkimKey(selector, generate_private_key(65537, bits))


@cache
def ed25519_key(selector: str = "e1") -> DkimKey:
    return DkimKey(selector, Ed25519PrivateKey.generate())


def pem(key: DkimKey) -> str:
    """The key as a file holds it."""
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def records(keys: Sequence[DkimKey], domain: str = DOMAIN) -> Mapping[str, str]:
    """What the sender's DNS says."""
    return {f"{key.name_at(domain)}.": key.record for key in keys}


def verdicts(message: bytes, published: Mapping[str, str]) -> list[bool]:
    """Whether each signature holds, in the order they stand in the mail."""

    def txt(name: bytes | str, timeout: int = 5) -> bytes | None:
        record = published.get(name.decode() if isinstance(name, bytes) else name)
        return record.encode() if record else None

    count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.DKIM(message).headers)
    return [_holds(message, index, txt) for index in range(count)]


def _holds(message: bytes, index: int, txt: object) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=index, dnsfunc=txt))
    except dkim.DKIMException:
        return False
