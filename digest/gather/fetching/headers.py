"""What the header of an answer says, read without trusting that it is well-formed.

Every reader takes any text and raises nothing: what cannot be understood counts as not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from digest.domain.times import http_date

MAX_RETRY_AFTER = timedelta(days=7)
MAX_FRESH = timedelta(days=365)

_LONGEST = 4096
_DIRECTIVE = re.compile(r'([!#$%&*+.^_`|~\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]*)))?')
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s;"',]+)""", re.IGNORECASE)


class Headers:
    """The fields of an answer by name, in any case; values as latin-1, so that bytes survive a round trip."""

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def all(self, name: str) -> list[str]:
        """Return the value of each line called `name` (in lower case), in their order."""
        return self._values.get(name, [])

    def find(self, name: str) -> str | None:
        """Return the lines called `name` as one list (RFC 9110 §5.2), or None when there is none."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def first(self, name: str) -> str | None:
        """Return the first line called `name`, for fields that may not be repeated."""
        return next(iter(self.all(name)), None)


def media_type(headers: Headers) -> str:
    """Return the media type alone, in lower case, '' when none is named."""
    return (headers.first("content-type") or "").partition(";")[0].strip().lower()


def charset(headers: Headers) -> str | None:
    """Return the charset as the server wrote it."""
    match = _CHARSET.search((headers.first("content-type") or "")[:_LONGEST])
    return match[1].lower() if match else None


def retry_after(headers: Headers, *, now: datetime) -> timedelta | None:
    """Return how long Retry-After (RFC 9110 §10.2.3) asks to wait, bounded to 0..7 days."""
    value = (headers.first("retry-after") or "").strip()
    if value.isascii() and value.isdecimal():
        wait = timedelta(seconds=int(value[:9]))
    elif (when := http_date(value)) is not None:
        wait = when - now
    else:
        return None
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)


def fresh_for(headers: Headers, *, now: datetime) -> timedelta | None:
    """Return how long the answer stays fresh, 0 when it never is, None when the server says nothing.

    RFC 9111 §4.2 for a private cache: s-maxage is not used. The age is the Age field's alone, for the
    apparent age would take a server's wrong clock for staleness. At most a year.
    """
    directives = _directives(headers.find("cache-control") or "")
    if "no-store" in directives or "no-cache" in directives:
        return timedelta(0)
    lifetime = _lifetime(headers, directives, now)
    if lifetime is None:
        return None
    return min(max(lifetime - (_seconds(headers.first("age")) or timedelta(0)), timedelta(0)), MAX_FRESH)


def _lifetime(headers: Headers, directives: dict[str, str], now: datetime) -> timedelta | None:
    if "max-age" in directives:
        # A max-age that is no number makes the answer stale (RFC 9111 §4.2.1).
        return _seconds(directives["max-age"]) or timedelta(0)
    expires = headers.first("expires")
    if expires is None:
        return None
    until = http_date(expires)
    if until is None:  # "0" and the like mean: expired already (RFC 9111 §5.3)
        return timedelta(0)
    return until - (http_date(headers.first("date") or "") or now)


def _directives(value: str) -> dict[str, str]:
    """Return directives by name, in lower case; of a repeated one the first."""
    found: dict[str, str] = {}
    for name, quoted, token in _DIRECTIVE.findall(value[:_LONGEST]):
        found.setdefault(name.lower(), quoted or token)
    return found


def _seconds(value: str | None) -> timedelta | None:
    text = (value or "").strip()
    if not (text.isascii() and text.isdecimal()):
        return None
    # RFC 9111 §1.2.2: what is too large to represent counts as a very long time.
    return timedelta(seconds=int(text)) if len(text) < 10 else MAX_FRESH
