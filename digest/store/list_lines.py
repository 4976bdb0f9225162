"""An uploaded list without the lines that name somebody; all else of it stays byte for byte."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
_RECORD_MAX = 200_000
"""Characters of a line: a quotation mark that is never closed must not take the rest of the file along."""


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
    """Yield the lines of a CSV file with their ends; a field in quotes may hold the end of a line."""
    record: list[str] = []
    length = quotes = 0
    for line in io.StringIO(text, newline=""):
        record.append(line)
        length, quotes = length + len(line), quotes + line.count('"')
        if quotes % 2 and length <= _RECORD_MAX:
            continue
        yield from record if quotes % 2 else ("".join(record),)
        record, length, quotes = [], 0, 0
    yield from record


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
