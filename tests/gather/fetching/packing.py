"""Content-Encoding as servers apply it."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "br": lambda body: brotli.compress(body, quality=4),
    "zstd": zstd.compress,
}


def pack(body: bytes, coding: str) -> bytes:
    """Return `body` in the codings of a Content-Encoding, applied in their order."""
    for name in coding.split(","):
        body = PACKERS[name.strip()](body)
    return body
