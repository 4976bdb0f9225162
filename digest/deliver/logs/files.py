"""Log files as lines: plain, gzipped, from standard input, or exported from systemd's journal.

Read once from the front and kept nowhere, so a gigabyte costs no more memory than a page.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from digest.domain.errors import InvalidInput

STDIN = "-"

_LINE_MAX = 64 * 1024
"""Octets of a line that are read at once: a file that is no text may have none that ends."""

_GZIP = b"\x1f\x8b"
_EXPORT = re.compile(rb"__CURSOR=|__REALTIME_TIMESTAMP=")
_HEAD = 1_000
_JOURNAL_FIELDS = (b"__REALTIME_TIMESTAMP", b"SYSLOG_IDENTIFIER", b"MESSAGE")


@dataclass(frozen=True, slots=True)
class HeldLog:
    """A log that is in memory, by the name that errors tell."""

    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log that is open: `head` are its first lines, which `lines` begins with."""

    name: str
    head: tuple[bytes, ...]
    lines: Iterator[bytes]


def open_log(log: str | HeldLog) -> LogFile:
    """Open a log, `-` for standard input. Raises `InvalidInput` when it cannot be read."""
    name = shown(log)
    try:
        lines = _told(name, _lines(_unpacked(_opened(log))))
    except OSError as exc:
        raise _unreadable(name, exc) from exc
    head = tuple(islice(lines, _HEAD))
    return LogFile(name, head, chain(head, lines))


def shown(log: str | HeldLog) -> str:
    """Return what a log is called where people read of it."""
    if isinstance(log, HeldLog):
        return log.name
    return "standard input" if log == STDIN else log


def _opened(log: str | HeldLog) -> io.BufferedReader:
    if isinstance(log, HeldLog):
        return io.BufferedReader(io.BytesIO(log.octets))
    # Read to its end by whoever asked, and closed with the last line's reader.
    return open(0, "rb", closefd=False) if log == STDIN else Path(log).open("rb")


def _unpacked(stream: io.BufferedReader) -> io.BufferedIOBase:
    if stream.peek(2)[:2] != _GZIP:
        return stream
    return gzip.open(stream)


def _told(name: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise InvalidInput(f"{name} is gzipped and damaged or cut. Nothing was changed.") from exc
    except OSError as exc:
        raise _unreadable(name, exc) from exc


def _unreadable(name: str, exc: OSError) -> InvalidInput:
    return InvalidInput(f"{name} cannot be read: {exc.strerror or exc}. Nothing was changed.")


def _lines(stream: io.BufferedIOBase) -> Iterator[bytes]:
    first = stream.readline(_LINE_MAX)
    if _EXPORT.match(first):
        yield from _exported(stream, first)
        return
    lines = chain([first] if first else [], iter(lambda: stream.readline(_LINE_MAX), b""))
    yield from _from_json(lines) if first.startswith(b"{") and b'"MESSAGE"' in first else lines


def _exported(stream: io.BufferedIOBase, line: bytes) -> Iterator[bytes]:
    """Yield the records of systemd's export format: a field a line, a blank line behind each record."""
    fields: dict[bytes, bytes] = {}
    while line:
        name, equals, value = line.rstrip(b"\n").partition(b"=")
        if not name:
            yield _as_syslog(*(fields.get(field, b"") for field in _JOURNAL_FIELDS))
            fields = {}
        elif not equals and line.endswith(b"\n"):
            # A value that is not one line of text follows with its length in front.
            length = int.from_bytes(stream.read(8), "little")
            value = stream.read(min(length, _LINE_MAX))
            _skip(stream, length - len(value) + len(b"\n"))
        if name in _JOURNAL_FIELDS:
            fields[name] = value
        while line and not line.endswith(b"\n"):
            line = stream.readline(_LINE_MAX)
        line = stream.readline(_LINE_MAX)
    if fields:
        yield _as_syslog(*(fields.get(field, b"") for field in _JOURNAL_FIELDS))


def _skip(stream: io.BufferedIOBase, octets: int) -> None:
    while octets > 0 and (skipped := stream.read(min(octets, _LINE_MAX))):
        octets -= len(skipped)


def _from_json(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the records of systemd's JSON, one a line; what is none is passed on as it is."""
    for line in lines:
        try:
            found = json.loads(line)
            values = [_octets(found[field.decode()]) for field in _JOURNAL_FIELDS]
        except (ValueError, LookupError, TypeError):
            yield line
        else:
            yield _as_syslog(*values)


def _octets(value: object) -> bytes:
    """Return a value of the journal's JSON, where what is no text is a list of numbers."""
    return bytes(value) if isinstance(value, list) else str(value).encode("utf-8", "replace")


def _as_syslog(microseconds: bytes, program: bytes, message: bytes) -> bytes:
    text = b" ".join(message.split(b"\n"))
    return b"@%s - %s[0]: %s\n" % (microseconds, program, text)
