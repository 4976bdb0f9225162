"""Sessions: their tokens, what is kept of them, and when they end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

IDLE = timedelta(days=7)
"""A session that was not used for so long has ended: an issue a week keeps an editor's open."""

LONGEST = timedelta(days=30)
"""Then it has ended in any case."""

SEEN_AGAIN = timedelta(minutes=5)
"""When somebody was last there is written down this often, not with every page."""

_CSRF = b"csrf"


def new_token() -> str:
    """Return a token that nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


def kept(token: str) -> str:
    """Return what is stored of a token: whoever reads the database can sign in with none of them."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(token: str) -> str:
    """Return what a form of this session must carry. The session's own token cannot be found from it."""
    return hmac.digest(token.encode("utf-8", "surrogatepass"), _CSRF, "sha256").hex()


def is_csrf_of(token: str, given: str) -> bool:
    """Tell whether `given` is what forms of this session carry."""
    return hmac.compare_digest(csrf_of(token).encode(), given.encode("utf-8", "surrogatepass"))


def ends_at(started_at: datetime, seen_at: datetime) -> datetime:
    """Return when a session ends that is not used from `seen_at` on."""
    return min(started_at + LONGEST, seen_at + IDLE)
