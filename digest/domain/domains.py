"""Names of domains in their two forms: as people write them, and in the ASCII that mail servers know."""

from __future__ import annotations

import re
import unicodedata

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What stands between labels: RFC 3490 §3.1 has four."""
_PREFIX = "xn--"


def ascii_domain(domain: str) -> str:
    """Return a domain as mail servers know it (RFC 5891), in small letters; what is in ASCII stays."""
    return ".".join(map(_to_ascii, _DOTS.split(unicodedata.normalize("NFKC", domain.lower()))))


def unicode_domain(domain: str) -> str:
    """Return a domain as people write it; a label that is none stays as it is."""
    return ".".join(map(_to_unicode, domain.lower().split(".")))


def _to_ascii(label: str) -> str:
    # Not Python's own "idna": that one is of 2003, and makes ss of ß.
    return label if label.isascii() else _PREFIX + label.encode("punycode").decode("ascii")


def _to_unicode(label: str) -> str:
    if not label.startswith(_PREFIX):
        return label
    try:
        told = label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
        told.encode()  # it can spell halves of surrogate pairs, which no database takes
    except UnicodeError:
        return label
    return told
