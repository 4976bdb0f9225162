"""The headers that keep pages what they are: no scripts of strangers, no frames, no traces."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EVERYWHERE: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # A page's address may hold a token or say whose preview it is: neither belongs in others' logs.
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
    }
)
"""What every response gets that does not say otherwise: the strictest of all, so that forgetting is safe."""

DESK: Mapping[str, str] = MappingProxyType(
    {
        # Our own files run and may ask our own server; nothing inside a page does, whatever a feed wrote.
        "Content-Security-Policy": (
            f"{EVERYWHERE['Content-Security-Policy']}; script-src 'self'; connect-src 'self'"
        ),
        "Referrer-Policy": "same-origin",
    }
)
"""A page for those who make the newsletter."""

_MAIL = "default-src 'none'; img-src https:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""A mail has inline styles and pictures of other hosts; nothing in it may run, be sent or be framed in."""

PREVIEW: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": f"{_MAIL}; frame-ancestors 'self'; sandbox",
        "X-Frame-Options": "SAMEORIGIN",
    }
)
"""A mail inside the desk."""

PREVIEW_BARE: Mapping[str, str] = MappingProxyType(
    {
        **PREVIEW,
        "Content-Security-Policy": PREVIEW["Content-Security-Policy"].replace(
            "img-src https:", "img-src 'none'"
        ),
    }
)
"""A mail inside the desk as programs show it that load no pictures."""

ONLINE: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            f"{_MAIL}; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
        )
    }
)
"""A mail as a page of its own: its links may open in new tabs, which are then not in its sandbox."""

_PUBLIC = "public, max-age=300"
"""Caches may keep what everybody may read, but not for long: an editor may take it back."""

ARCHIVE: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": EVERYWHERE["Content-Security-Policy"].replace(
            "img-src 'self'", "img-src 'self' https:"
        ),
        "Cache-Control": _PUBLIC,
        "X-Robots-Tag": "all",
    }
)
"""A page for everybody, with articles' pictures. Its own meta element says when it is not to be listed."""

FEED: Mapping[str, str] = MappingProxyType({"Cache-Control": _PUBLIC})

IMMUTABLE: Mapping[str, str] = MappingProxyType({"Cache-Control": "public, max-age=31536000, immutable"})
"""A file whose name holds the hash of its content."""
