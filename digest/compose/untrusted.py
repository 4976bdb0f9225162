"""What comes from outside is made harmless here, before any template sees it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from digest.domain.mail import TOKEN_CLOSE, TOKEN_OPEN

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029 ]+")
"""Whitespace that may break a line, and runs of spaces. No-break spaces are typography: they stay."""

_PARAGRAPHS = re.compile(r"(?:\r\n?|\n)[^\S\n]*(?:\r\n?|\n)\s*")

_UNSAFE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0 and C1 controls
    "\u202a-\u202e\u2066-\u2069"  # bidi embeddings, overrides and isolates: they reorder what follows
    "\ufeff\ufff9-\ufffb\ufffe\uffff"  # byte-order mark, interlinear notes, noncharacters
    f"{TOKEN_OPEN}{TOKEN_CLOSE}]"
)

_SURROGATES = re.compile("[\ud800-\udfff]")

_NAMED = re.compile(r"\.[^\W\d_][^.]*$")
"""A host's last part as names have it. A browser reads 2130706433, 127.1 and 0x7f.0x1 as addresses."""

_INNER_NAMES = (".localhost", ".local", ".internal")


URL_MAX = 2048

_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
"""What `quote` leaves alone: RFC 3986's reserved characters and the percent sign."""


def plain(text: str) -> str:
    """Return `text` on one line without what could reorder, break or forge the text around it.

    Stripped are control characters, bidi overrides and the characters that mark tokens; each run of
    breaking whitespace becomes one space; a lone surrogate becomes U+FFFD.
    """
    return _BREAKS.sub(" ", without_marks(text)).strip()


def without_marks(text: str) -> str:
    """Return `text` as it is but for what no mail prints: control signs, bidi overrides, marks of tokens.

    Its line breaks stay; a lone surrogate becomes U+FFFD.
    """
    return _SURROGATES.sub("\ufffd", _UNSAFE.sub("", text))


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of `text`, which blank lines part, each as `plain` leaves it."""
    return tuple(clean for part in _PARAGRAPHS.split(text) if (clean := plain(part)))


def find_link(url: str) -> str | None:
    """Return `url` fit for an href, or None when it is not an absolute http(s) URL of a named host.

    Refused too: a user name before the host (`https://bank.example@elsewhere.example`), which misleads,
    and more than 2,048 characters, which Outlook does not open and other articles need.
    """
    if len(url) > URL_MAX or url != plain(url):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or "\\" in parts.netloc:
        return None
    return _quoted(parts.scheme + url[len(parts.scheme) :])


def find_image(url: str) -> str | None:
    """Return `url` fit for an image's src, or None unless it is an https link to a place all readers reach.

    Whoever opens the mail loads it: an address in their own network is none of a feed's business.
    """
    link = find_link(url)
    return link if link and link.startswith("https://") and not _is_inner(link) else None


def _is_inner(link: str) -> bool:
    host = (urlsplit(link).hostname or "").rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        # No name has but one part, or one of digits: a browser reads 2130706433 and 127.1 as addresses.
        return (
            host == "localhost"
            or host.endswith((".localhost", ".local", ".internal"))
            or not _NAMED.search(host)
        )


def _quoted(url: str) -> str:
    """Percent-encode what ends a URL early in text or markup: spaces, quotes, angle brackets, braces."""
    return "".join(char if ord(char) > 0x9F else quote(char, safe=_URL_SAFE) for char in url)
