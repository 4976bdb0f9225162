"""Content-Encoding undone, in steps so small that a bomb is noticed before it goes off.

Errors are predicates ("is larger than 8 MiB: not read further"); whoever knows the URL puts it in front.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import brotli

from digest.domain.errors import Refused, Unavailable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_STEP = 64 * 1024
_RATIO_FREE = 1024 * 1024
_MAX_STACKED = 3
_MAX_MEMBERS = 1000
"""Members of one gzip or zstd body: each costs a new decompressor, and 9 bytes would buy one."""
_WINDOW_LOG = 23
"""A zstd window of 8 MiB, the most that a Content-Encoding may ask for (RFC 9659 §3)."""
_FAULTS = (zlib.error, brotli.error, zstd.ZstdError)


class BodyDecoder:
    """Decodes one body as it arrives, within `max_bytes` and `ratio` decoded bytes per received one.

    The ratio counts from the first decoded MiB on. What is received, and what stacked codings yield in
    between, is held to the same limits. What follows the end of gzip, deflate or zstd data is not read:
    some pages append to it, and browsers show them.
    """

    def __init__(self, content_encoding: str, *, max_bytes: int, ratio: int) -> None:
        """Take the header's value ('' for none). Raises `Refused` for a coding that was not asked for."""
        self.received = 0
        self._max_bytes = max_bytes
        self._ratio = ratio
        self._codings = _codings(content_encoding)
        self._made = [0] * len(self._codings)

    def feed(self, received: bytes) -> bytes:
        """Return what `received`, the next bytes from the wire, decode to.

        Raises `Refused` over a limit, for damaged data and for data that are not what the label says.
        """
        self.received += len(received)
        if self.received > self._max_bytes:
            raise self._too_large()
        return b"".join(self._through(0, received))

    def finish(self) -> None:
        """Raise `Unavailable` when the data break off before their end."""
        if not self.received:
            return
        for coding in self._codings:
            if not coding.is_complete:
                raise Unavailable(f"breaks off in the middle of its {coding.name} data")

    def _through(self, depth: int, data: bytes) -> Iterator[bytes]:
        if depth == len(self._codings):
            yield data
            return
        for piece in self._codings[depth].pieces(data):
            self._count(depth, len(piece))
            yield from self._through(depth + 1, piece)

    def _count(self, depth: int, size: int) -> None:
        self._made[depth] += size
        if self._made[depth] > self._max_bytes:
            raise self._too_large()
        if self._made[depth] > max(_RATIO_FREE, self._ratio * self.received):
            raise Refused(f"decompresses to over {self._ratio} times its size: not read further")

    def _too_large(self) -> Refused:
        return Refused(f"is larger than {self._max_bytes / (1 << 20):.4g} MiB: not read further")


def _codings(content_encoding: str) -> list[_Coding]:
    """Return the codings in the order in which they have to be undone (RFC 9110 §8.4)."""
    names = [name.strip().lower().removeprefix("x-") for name in content_encoding.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    unknown = [name for name in names if name not in _OPENERS]
    if unknown:
        raise Refused(f"is compressed as '{unknown[0][:40]}', which was not asked for")
    if len(names) > _MAX_STACKED:
        raise Refused(f"is compressed {len(names)} times over: not read")
    return [_Coding(name) for name in reversed(names)]


class _Decompressor(Protocol):
    """One member's decompressor, over four libraries' manners."""

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """Return about `_STEP` decoded bytes at most, and what of `data` has to be given again.

        Fewer than `_STEP` bytes, and nothing to be given again: it wants more data.
        """
        ...

    @property
    def rest(self) -> bytes | None:
        """What came after the end, None while the end has not been reached."""
        ...


class _Inflate:
    """gzip, zlib or raw deflate."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        return self._inner.decompress(data, _STEP), self._inner.unconsumed_tail

    @property
    def rest(self) -> bytes | None:
        return self._inner.unused_data if self._inner.eof else None


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        # While it holds output back it holds input back too, and takes none.
        if self._inner.can_accept_more_data():
            return self._inner.process(data, output_buffer_limit=_STEP), b""
        return self._inner.process(b"", output_buffer_limit=_STEP), data

    @property
    def rest(self) -> bytes | None:
        return b"" if self._inner.is_finished() else None


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        return self._inner.decompress(data, _STEP), b""

    @property
    def rest(self) -> bytes | None:
        return self._inner.unused_data if self._inner.eof else None


def _open_deflate(start: bytes) -> _Decompressor:
    """Tell zlib's header (RFC 1950 §2.2) from the raw deflate that some servers send instead."""
    is_zlib = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return _Inflate(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


_OPENERS: dict[str, Callable[[bytes], _Decompressor]] = {
    "gzip": lambda _: _Inflate(zlib.MAX_WBITS + 16),
    "deflate": _open_deflate,
    "br": lambda _: _Brotli(),
    "zstd": lambda _: _Zstd(),
}
_TELLING = {"gzip": 2, "deflate": 2, "br": 1, "zstd": 4}
"""How many first bytes tell what a member is."""


def _is_next_member(name: str, start: bytes) -> bool:
    """Say whether `start` begins another member: RFC 1952 §2.3.1, RFC 8878 §3.1 with skippable frames."""
    if name == "gzip":
        return start.startswith(b"\x1f\x8b")
    return name == "zstd" and (start == b"\x28\xb5\x2f\xfd" or start[1:] == b"\x2a\x4d\x18")


class _Coding:
    """One coding of a body, over all the members or frames it is made of."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._current: _Decompressor | None = None
        self._members = 0
        self._start = b""
        self._has_ended = False
        self._has_yielded = False

    @property
    def is_complete(self) -> bool:
        """Whether the data may end here: after a member, whatever follows it."""
        return self._members > 0 and self._current is None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decode to, about `_STEP` bytes at a time."""
        while data and not self._has_ended:
            if self._current is None:
                data = self._begin(self._start + data)
            if self._current is not None:
                data = yield from self._decode(self._current, data)

    def _begin(self, data: bytes) -> bytes:
        """Open the next member and return its bytes; b"" when there is none, or not enough to tell."""
        telling = _TELLING[self.name]
        if len(data) < telling:
            self._start = data
            return b""
        self._start = b""
        if self._members and not _is_next_member(self.name, data[:telling]):
            self._has_ended = True
            return b""
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise Refused(f"is made of over {_MAX_MEMBERS} pieces of {self.name} data: not read further")
        self._current = _OPENERS[self.name](data)
        return data

    def _decode(self, current: _Decompressor, data: bytes) -> Generator[bytes, None, bytes]:
        """Yield what one member's `data` decode to and return what came after its end."""
        while True:
            try:
                piece, data = current.step(data)
            except _FAULTS as exc:
                raise self._refusal(exc) from exc
            if piece:
                self._has_yielded = True
                yield piece
            if (rest := current.rest) is not None:
                self._current = None
                return rest
            if not data and len(piece) < _STEP:
                return b""

    def _refusal(self, exc: Exception) -> Refused:
        if isinstance(exc, zstd.ZstdError) and "memory" in str(exc):
            return Refused(f"needs a zstd window over {1 << (_WINDOW_LOG - 20)} MiB: not read")
        if self._has_yielded:
            return Refused(f"sent {self.name} data that are damaged and do not decompress")
        return Refused(f"is labelled '{self.name}' but does not decompress as such")
