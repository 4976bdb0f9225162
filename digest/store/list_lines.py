"""An uploaded list without the lines that name somebody; all else of it stays byte for byte."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def without_lines(packed: bytes, file: str, names: Callable[[str], bool]) -> bytes | None:
    """Return a packed list, or report, without the lines that name somebody; the same bytes if none does.

    None for what nobody can look into, as a spreadsheet or a zip with a password: it may hold anybody.
    """
    try:
        body = zlib.decompress(packed)
        rest = _zip_without(body, names) if file.lower().endswith(".zip") else _text_without(body, names)
    except _BROKEN:
        return None
    if rest is None or rest == body:
        return packed if rest == body else None
    return zlib.compress(rest, 6)


def _text_without(body: bytes, names: Callable[[str], bool]) -> bytes | None:
    if b"\0" in body:
        return None
    text = body.decode("utf-8", "surrogateescape")
    if not names(text):
        return body
    kept = "".join(record for record in _records(text) if not names(record))
    return kept.encode("utf-8", "surrogateescape")


def _records(text: str) -> Iterator[str]:
    """Yield the rows of a CSV file with their ends, cut as `intake/tables.py` reads them.

    A field in quotes may hold the end of a line; a quotation mark inside of another field opens nothing.
    Where several lines come to no row of the table, as one was never closed, each stands for itself: a field
    is over after 131,072 characters (`csv.field_size_limit`).
    """
    lines = io.StringIO(text, newline="")
    delimiter = _delimiter_of(text)
    taken: list[str] = []
    width = 0
    while lines.tell() < len(text):
        try:
            for row in csv.reader(_noted(lines, taken), delimiter=delimiter, strict=True):
                width = width or len(row)
                yield from taken if len(row) != width else ("".join(taken),)
                taken.clear()
        except csv.Error:
            yield from taken
            taken.clear()


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _delimiter_of(text: str) -> str:
    """Return what separates the fields of the first line: what sets `email` apart, or makes most fields."""
    first = text.lstrip("\ufeff\r\n").partition("\n")[0]

    def likeness(delimiter: str) -> tuple[bool, int]:
        fields = [field.strip(' \t\r"').lower() for field in first.split(delimiter)]
        return "email" in fields, len(fields)

    return max(",;\t", key=likeness)


def _zip_without(body: bytes, names: Callable[[str], bool]) -> bytes | None:
    """Return a zip without these lines, and without what no import reads: somebody may be named there."""
    rest: dict[str, bytes] = {}
    has_changed = False
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        for member in packed.infolist():
            content = packed.read(member) if _is_table(member.filename) else None
            kept = None if content is None else _text_without(content, names)
            has_changed |= kept != content or content is None
            if kept is not None:
                rest[member.filename] = kept
    if not has_changed:
        return body
    if not rest:
        return None
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, kept in rest.items():
            made.writestr(name, kept)
    return stream.getvalue()


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv") and "__MACOSX" not in PurePosixPath(name).parts
