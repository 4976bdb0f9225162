"""CSV files as strangers' programs write them: read a line at a time, whatever separates the fields."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TextIO

from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.separators import FIRST_LINE_MAX, SEPARATORS, separator_of

_MANY = 10
_LINE_MAX = 200_000
"""Characters of a line: a file without line ends must not be read as one. csv takes 131,072 a field."""

_FORMULA = tuple("=+-@\t\r＝＋－＠'")
"""What spreadsheets take for the beginning of a formula, full-width too, and the mark that prevents it."""


_UNREADABLE = re.compile("[\0\udc80-\udcff]")
"""NUL, and the bytes that `surrogateescape` hands on where a file is not UTF-8."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file with its columns' names. `lines` yields each line that holds something, with its number, once.

    Raises `InvalidInput` while it is read, for what is no CSV.
    """

    header: Sequence[str]
    lines: Iterator[tuple[int, list[str]]]
    notes: tuple[str, ...]
    place: str
    """Where the columns' names stand, as errors tell it."""

    def fields(self, values: Sequence[str]) -> Mapping[str, str]:
        """Return a line's values by their columns.

        Raises `InvalidInput` for too many, too few, NULs, or bytes that are not UTF-8.
        """
        if len(values) != len(self.header):
            found, columns = counted(len(values), "field"), counted(len(self.header), "column")
            hint = (
                "; put a field that holds the separator in quotes" if len(values) > len(self.header) else ""
            )
            raise InvalidInput(f"{found} where the first line names {columns}{hint}")
        for value in values:
            if odd := _UNREADABLE.search(value):
                raise InvalidInput(_unreadable(odd[0]))
        return dict(zip(self.header, values, strict=True))


def open_table(stream: TextIO, *, name: str, columns: Collection[str]) -> Table:
    """Return the table in `stream`, whose columns are `email` and any other of `columns`.

    Raises `InvalidInput` for other columns.
    """
    table = read_table(stream, name=name, likely=columns)
    require_columns(table, columns)
    return table


def read_table(stream: TextIO, *, name: str, likely: Collection[str]) -> Table:
    """Return the table in `stream`, which must leave line ends as they are (`newline=""`) and be seekable.

    The first line that holds something names its columns, some of them `likely` ones. It also decides
    whether commas, semicolons or tabs separate fields. Raises `InvalidInput`.
    """
    delimiter = separator_of(stream.read(FIRST_LINE_MAX), likely)
    stream.seek(0)
    if stream.read(1) != "\ufeff":
        stream.seek(0)
    notes = () if delimiter == "," else (f"{name}: read with {SEPARATORS[delimiter]} between its fields",)
    rows = _lines(stream, name, delimiter)
    line, names = next(rows, (1, []))
    if odd := _UNREADABLE.search("".join(names)):
        raise InvalidInput(f"{name} line {line}: {_unreadable(odd[0])}; nothing was imported")
    return Table([column.lower() for column in names], rows, notes, f"{name} line {line}")


def require_columns(table: Table, columns: Collection[str], hint: str = "") -> None:
    """Raise `InvalidInput` for a table without `email`, or with others than `columns`.

    It says what the first line looks like, and what it has to be; `hint` is what else may help.
    """
    header = table.header
    if "email" in header and set(header) <= set(columns) and len(set(header)) == len(header):
        return
    others = [column for column in columns if column != "email"]
    told = ", ".join(map(repr, others))
    example = ",".join(["email", *others[:2]])
    raise InvalidInput(
        f"{table.place}: {_looks_like(header)}. The first line must name 'email' and may name {told}, as in "
        f"'{example}'{hint}; nothing was imported"
    )


def refuse_lines(problems: Sequence[str], hint: str = "") -> None:
    """Raise `InvalidInput` with the lines that are wrong, up to ten of them. Nothing without any.

    `hint` is a sentence about what else can be done.
    """
    if problems:
        rest = len(problems) - _MANY
        more = f"\n… and {counted(rest, 'more line')}" if rest > 0 else ""
        raise InvalidInput("\n".join(problems[:_MANY]) + more + f"\nNothing was imported. {hint}".rstrip())


def guarded(field: str) -> str:
    """Return a field that no spreadsheet takes for a formula; `unguarded` takes the mark off again."""
    return f"'{field}" if field.startswith(_FORMULA) else field


def unguarded(field: str) -> str:
    """Return what `guarded` was given."""
    return field[1:] if field[:1] == "'" and field[1:].startswith(_FORMULA) else field


def _lines(stream: TextIO, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_bounded(stream, name), delimiter=delimiter, strict=True)
    try:
        for fields in reader:
            told = [" ".join(field.split()) for field in fields]
            if any(told):
                yield reader.line_num, told
    except csv.Error as exc:
        raise InvalidInput(f"{name} line {reader.line_num}: not CSV ({exc}); nothing was imported") from exc


def _bounded(stream: TextIO, name: str) -> Iterator[str]:
    """Yield the lines of a file. Raises `InvalidInput` for one that does not end."""
    for number in count(1):
        line = stream.readline(_LINE_MAX)
        if len(line) == _LINE_MAX:
            told = f"not CSV (a line of more than {_LINE_MAX:,} characters)"
            raise InvalidInput(f"{name} line {number}: {told}; nothing was imported")
        if not line:
            return
        yield line


def _unreadable(sign: str) -> str:
    if sign == "\0":
        return "holds a NUL character, which no text has"
    return f"holds the byte 0x{ord(sign) - 0xDC00:02x}, which is not UTF-8: save the file as UTF-8"


def _looks_like(header: Sequence[str]) -> str:
    if not header:
        return "the file is empty"
    found = ", ".join(f"'{column}'" for column in header)
    if any("@" in field for field in header):
        return f"{found} looks like a subscriber, and a line with the columns' names has to stand before them"
    other = next((mark for mark in "|:^" if len(header) == 1 and mark in header[0]), "")
    if other:
        return f"{found} looks like columns with '{other}' between; put commas, semicolons or tabs there"
    return f"names the columns {found}"
