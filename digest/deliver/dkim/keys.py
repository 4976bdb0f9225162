"""The keys that sign mail: read from PEM, looked at, and described as DNS has them (RFC 6376 §3.6.1)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from digest.domain.errors import Misconfigured

RSA_LEAST, RSA_USUAL, RSA_MOST = 1024, 2048, 4096
"""Bits of an RSA key: the least that counts, what is asked for, the most that all can check (RFC 8301)."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BARE_KEY = re.compile(r"[A-Za-z0-9+/=\s]{40,}")
"""A key without its PEM lines, which must not be repeated as the name of a file that is not there."""

_PADDING, _HASHED = PKCS1v15(), Prehashed(SHA256())


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key and the selector its public half is published under."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The signature's `a=`."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def kind(self) -> str:
        """The key as people call it, such as RSA-2048."""
        return f"RSA-{self.private.key_size}" if isinstance(self.private, RSAPrivateKey) else "Ed25519"

    @property
    def is_short(self) -> bool:
        """Whether receivers may soon stop believing it: RFC 8301 asks for 2048 bits."""
        return isinstance(self.private, RSAPrivateKey) and self.private.key_size < RSA_USUAL

    @property
    def record(self) -> str:
        """The TXT record to publish. RSA's is longer than the 255 characters of one of its strings."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"
        octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(octets).decode()}"

    def name_at(self, domain: str) -> str:
        """Return the name the record stands under when `domain` signs."""
        return f"{self.selector}._domainkey.{domain}"

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of a SHA-256 digest; the same digest gets the same signature."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, _PADDING, _HASHED)
        return self.private.sign(digest)  # RFC 8463 §3: Ed25519 over the digest, not over the headers


def read_keys(settings: Iterable[str]) -> tuple[DkimKey, ...]:
    """Read `SELECTOR=FILE` or `SELECTOR=PEM` each; () for none, which signs nothing.

    Raises `Misconfigured` for a key that cannot sign, and never repeats any of it.
    """
    keys = tuple(_key(setting) for setting in settings)
    selectors = [key.selector.lower() for key in keys]
    for key in keys:
        if selectors.count(key.selector.lower()) > 1:
            raise Misconfigured(
                f"dkim_keys: selector '{key.selector}' is there twice, and DNS has one key for each; give "
                "the other a name of its own. Nothing was started"
            )
    return keys


def _key(setting: str) -> DkimKey:
    selector, is_pair, value = (part.strip() for part in setting.partition("="))
    if not is_pair or not _SELECTOR.fullmatch(selector):
        raise Misconfigured(
            "dkim_keys: each key is SELECTOR=FILE or SELECTOR=PEM, as in 2026a=/etc/digest/2026a.pem, its "
            "selector of letters, digits and hyphens. Nothing was started"
        )
    try:
        return DkimKey(selector, _private(_pem(value)))
    except _Unusable as exc:
        raise Misconfigured(f"dkim_keys, selector '{selector}': {exc}. Nothing was started") from exc


class _Unusable(Exception):
    """Why a key cannot sign, and what to do."""


def _pem(value: str) -> bytes:
    if value.startswith("-----BEGIN"):
        return value.replace("\\n", "\n").encode()  # a variable often holds its line breaks like that
    if _BARE_KEY.fullmatch(value):
        raise _Unusable("neither a file nor PEM, which begins with a line -----BEGIN PRIVATE KEY-----")
    try:
        return Path(value).read_bytes()
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise _Unusable(f"'{value}' cannot be read ({reason}); let this user read it") from exc


def _private(pem: bytes) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        private = load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise _Unusable("the key has a password; keep it without one, readable for this user alone") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise _Unusable(
            "no private key in PEM; 'openssl genrsa 2048' or 'openssl genpkey -algorithm ed25519' make one"
        ) from exc
    if isinstance(private, Ed25519PrivateKey):
        return private
    if not isinstance(private, RSAPrivateKey):
        raise _Unusable("mail is signed with RSA or Ed25519, and this is a key of another kind")
    if not RSA_LEAST <= private.key_size <= RSA_MOST:
        raise _Unusable(
            f"an RSA key of {private.key_size} bits, which receivers do not take; make one of {RSA_USUAL}"
        )
    return private
