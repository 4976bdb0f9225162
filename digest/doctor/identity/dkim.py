"""A DKIM key as DNS has it (RFC 6376 §3.6.1, RFC 8463), beside the one that signs here."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from digest.deliver.dkim.keys import RSA_LEAST, RSA_USUAL, DkimKey
from digest.doctor.identity.tags import Tags, read_tags, shown

PublicKey = RSAPublicKey | Ed25519PublicKey

_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A key's record. `public` is None where it holds none that can be used, and `problems` say why.

    `is_revoked`: its `p=` is empty. `is_test`: signatures are to count for nothing yet (`t=y`).
    """

    text: str
    public: PublicKey | None
    is_revoked: bool = False
    is_test: bool = False
    problems: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The key as people call it, such as RSA-2048; '' without one."""
        if isinstance(self.public, RSAPublicKey):
            return f"RSA-{self.public.key_size}"
        return "Ed25519" if self.public else ""

    @property
    def is_short(self) -> bool:
        """Whether receivers may soon stop believing it, or do not even now (RFC 8301)."""
        return isinstance(self.public, RSAPublicKey) and self.public.key_size < RSA_USUAL

    def is_of(self, key: DkimKey) -> bool:
        """Whether this is the public half of `key`."""
        ours = key.private.public_key()
        if isinstance(self.public, RSAPublicKey) and isinstance(ours, RSAPublicKey):
            return self.public.public_numbers() == ours.public_numbers()
        if isinstance(self.public, Ed25519PublicKey) and isinstance(ours, Ed25519PublicKey):
            return self.public.public_bytes_raw() == ours.public_bytes_raw()
        return False


def read_key(text: str) -> PublishedKey:
    """Read a record, however broken it is."""
    tags = read_tags(text)
    flags = [flag.strip() for flag in tags.values.get("t", "").split(":")]
    problems = [*tags.problems, *_wrong_tags(tags)]
    octets = _BLANK.sub("", tags.values.get("p", ""))
    public = None
    if octets:
        try:
            public = _public(tags.values.get("k", "rsa"), octets)
        except ValueError as exc:
            problems.append(str(exc))
    is_revoked = "p" in tags.values and not octets
    return PublishedKey(text, public, is_revoked, "y" in flags, tuple(problems))


def _wrong_tags(tags: Tags) -> Iterator[str]:
    values = tags.values
    if "p" not in values:
        yield "p=, the key, is missing"
    if values.get("v", "DKIM1") != "DKIM1" or ("v" in values and next(iter(values)) != "v"):
        yield "v=DKIM1 does not stand first"
    hashes = [one.strip().lower() for one in values.get("h", "sha256").split(":")]
    if "sha256" not in hashes:
        yield f"h={shown(values['h'])} leaves out sha256, which mails are signed with"
    services = [one.strip().lower() for one in values.get("s", "*").split(":")]
    if not {"*", "email"} & set(services):
        yield f"s={shown(values['s'])} keeps the key from mail"


def _public(kind: str, text: str) -> PublicKey:
    """Return a key. Raises `ValueError` in words."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("p= is no base64: it may have been cut off or wrapped") from exc
    if kind.lower() == "ed25519":
        try:
            return Ed25519PublicKey.from_public_bytes(octets)
        except ValueError as exc:
            raise ValueError("p= is no Ed25519 key, which has 32 octets") from exc
    if kind.lower() != "rsa":
        raise ValueError(f"k={shown(kind)} is no kind of key that signs mail")
    try:
        public = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ValueError("p= is no RSA key: it may have been cut off") from exc
    if not isinstance(public, RSAPublicKey):
        raise ValueError("p= is no RSA key")
    if public.key_size < RSA_LEAST:
        raise ValueError(f"its {public.key_size} bits are too few: receivers believe none below {RSA_LEAST}")
    return public
