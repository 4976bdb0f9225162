"""Reading a saved page, text or feed as if it had been fetched, for `digest inspect`."""

from __future__ import annotations

from pathlib import Path

from digest.domain.errors import InvalidInput
from digest.gather.feeds.sniff import Kind, kind_of
from digest.gather.fetching.fetch import DEFAULT_LIMITS, Fetched

_MEDIA_TYPES = {
    Kind.XML_FEED: "application/rss+xml",
    Kind.JSON_FEED: "application/feed+json",
    Kind.HTML: "text/html",
    Kind.TEXT: "text/plain",
    Kind.SITEMAP: "application/xml",
    Kind.XML: "application/xml",
    Kind.JSON: "application/json",
    Kind.BINARY: "application/octet-stream",
    Kind.EMPTY: "",
}


def read_file(path: Path) -> Fetched:
    """Return a local file as a fetch would: a `file:` URL, and the content type told from the content.

    Raises `InvalidInput` when there is no such file, it cannot be read or is over 8 MiB.
    """
    try:
        with path.open("rb") as file:
            body = file.read(DEFAULT_LIMITS.body_bytes + 1)
    except OSError as exc:
        raise InvalidInput(f"'{path}' cannot be read: {exc.strerror}") from exc
    if len(body) > DEFAULT_LIMITS.body_bytes:
        raise InvalidInput(f"'{path}' is larger than {DEFAULT_LIMITS.body_bytes >> 20} MiB: not read")
    return Fetched(path.resolve().as_uri(), 200, _MEDIA_TYPES[kind_of(body)], None, body)
