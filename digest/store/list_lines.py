"""An uploaded list without the rows that name somebody; all else of it stays byte for byte.

Beside what is given and returned, which is packed, some lines are in memory at a time, however long the list
is: it is unpacked into files without names, which are gone with their process.
"""

from __future__ import annotations

import csv
import errno
import io
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import IO

from digest.domain.errors import Unavailable
from digest.domain.separators import separator_of

_LINE_MAX = 200_000
"""Characters of a line, and octets of a file in a zip, as an import takes them (`digest/intake/`)."""
_MEMBER_MAX = 4 * 1024**3

_AT_ONCE = 1_000_000
"""Octets, or characters, that are read at a time."""

Names = Callable[[str], bool]
"""Whether a text names somebody."""


class _Unreadable(Exception):
    """Nobody can look into it, or tell where a row of it begins and ends."""


_NO_TABLE = (_Unreadable, csv.Error)
_BROKEN = (*_NO_TABLE, EOFError, RuntimeError, ValueError, struct.error)
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def without_lines(packed: bytes, file: str, names: Names, columns: Collection[str]) -> bytes | None:
    """Return a packed list, or report, without the rows that name somebody; the same bytes if none does.

    `columns` are likely ones, by which it is known what separates them (`digest/domain/separators.py`).
    None for what nobody can look into, as a spreadsheet or a zip with a password: it may hold anybody. And
    for what names somebody and is no table: no import reads that, and a street may stand on any line of it.
    Raises `Unavailable` when there is no room to unpack it.
    """
    is_zip = file.lower().endswith(".zip")
    try:
        with tempfile.TemporaryFile() as body, tempfile.TemporaryFile() as rest:
            _unpack(packed, body)
            if not (_is_named_in_zip if is_zip else _is_named)(body, names):
                return packed
            (_copy_zip if is_zip else _copy)(body, rest, names, columns)
            return _pack(rest)
    except (*_BROKEN, *_BROKEN_ZIP):
        return None
    except OSError as exc:
        if exc.errno in (None, errno.EINVAL):  # as bz2 has it, and who seeks before the beginning
            return None
        raise Unavailable(
            f"{tempfile.gettempdir()}: {exc.strerror}; an uploaded list is unpacked there"
        ) from exc


def _unpack(packed: bytes, body: IO[bytes]) -> None:
    unpacker = zlib.decompressobj()
    while not unpacker.eof:
        part = unpacker.decompress(packed, _AT_ONCE)
        packed = unpacker.unconsumed_tail
        if not (part or packed or unpacker.eof):
            raise _Unreadable
        body.write(part)


def _pack(rest: IO[bytes]) -> bytes:
    packer, packed = zlib.compressobj(6), bytearray()
    rest.seek(0)
    while part := rest.read(_AT_ONCE):
        packed += packer.compress(part)
    packed += packer.flush()
    return bytes(packed)


def _lines(table: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a table with their ends, of whichever kind. Raises `_Unreadable`."""
    table.seek(0)
    # Octets that are no UTF-8 come out again as they were.
    text = io.TextIOWrapper(table, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        while line := text.readline(_LINE_MAX):
            if len(line) == _LINE_MAX or "\0" in line:
                raise _Unreadable
            yield line
    finally:
        text.detach()


def _is_named(table: IO[bytes], names: Names) -> bool:
    """Tell whether a table names somebody. Many lines are asked at once, as an address stands on one."""
    piece: list[str] = []
    length = 0
    for line in _lines(table):
        piece.append(line)
        length += len(line)
        if length > _AT_ONCE:
            if names("".join(piece)):
                return True
            piece.clear()
            length = 0
    return names("".join(piece))


def _copy(table: IO[bytes], rest: IO[bytes], names: Names, columns: Collection[str]) -> None:
    """Copy a table without the rows that name somebody. Raises `_Unreadable` and `csv.Error`.

    With such a row goes what is beside it and no row of the table: where somebody left out the quotes around
    a street of two lines, it goes on in the next. No import takes that.
    """
    first = next((line for line in _lines(table) if line.strip("\ufeff\r\n")), "")
    if names(first):
        raise _Unreadable  # it names no columns
    after_row, is_named = 0, False
    for text, is_row in _rows(table, separator_of(first, columns)):
        if is_row:
            is_named = False
        if not is_named and names(text):
            is_named = True
            rest.seek(after_row)
            rest.truncate()
        if not is_named:
            rest.write(text.encode("utf-8", "surrogateescape"))
        if is_row:
            after_row = rest.tell()


def _rows(table: IO[bytes], delimiter: str) -> Iterator[tuple[str, bool]]:
    """Yield the rows of a CSV file with their ends, cut as `digest/intake/tables.py` reads them.

    With each, whether it is one of the table: as wide as the first, and an address where it is all there is.
    A field in quotes may hold the end of a line; a quotation mark inside of another field opens nothing.
    """
    taken: list[str] = []
    width = 0
    for fields in csv.reader(_noted(_lines(table), taken), delimiter=delimiter, strict=True):
        is_first, width = not width, width or len(fields)
        is_row = len(fields) == width and (width > 1 or is_first or _may_be_address(fields[0]))
        yield "".join(taken), is_row
        taken.clear()


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _may_be_address(field: str) -> bool:
    return "@" in field and len(field.split()) == 1


def _is_named_in_zip(body: IO[bytes], names: Names) -> bool:
    """Tell whether a zip names somebody, or may, as it holds what no import reads."""
    with zipfile.ZipFile(body) as packed:
        for member in packed.infolist():
            if not _may_be_read(member, names):
                return True
            with packed.open(member) as table:
                try:
                    if _is_named(table, names):
                        return True
                except _NO_TABLE:
                    return True
    return False


def _copy_zip(body: IO[bytes], rest: IO[bytes], names: Names, columns: Collection[str]) -> None:
    """Copy a zip without these rows, and without what no import reads. Raises `_Unreadable` if all went."""
    with zipfile.ZipFile(body) as packed, zipfile.ZipFile(rest, "w", zipfile.ZIP_DEFLATED) as made:
        for member in packed.infolist():
            if not _may_be_read(member, names):
                continue
            with packed.open(member) as table, tempfile.TemporaryFile() as left:
                try:
                    if _is_named(table, names):
                        _copy(table, left, names, columns)
                    else:
                        table.seek(0)
                        shutil.copyfileobj(table, left)
                except _NO_TABLE:
                    continue
                left.seek(0)
                with made.open(member.filename, "w", force_zip64=True) as kept:
                    shutil.copyfileobj(left, kept)
        if not made.infolist():
            raise _Unreadable


def _may_be_read(member: zipfile.ZipInfo, names: Names) -> bool:
    name = member.filename
    is_table = name.lower().endswith(".csv") and "__MACOSX" not in PurePosixPath(name).parts
    return is_table and member.file_size <= _MEMBER_MAX and not names(name)
