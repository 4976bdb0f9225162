"""Files of a list: one or more, or a zip of them as other programs hand out their exports."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TextIO

from digest.domain.errors import InvalidInput
from digest.domain.segments import parse_key
from digest.intake.lists.beehiiv import BEEHIIV
from digest.intake.lists.ghost import GHOST
from digest.intake.lists.listmonk import LISTMONK
from digest.intake.lists.mailchimp import MAILCHIMP
from digest.intake.lists.own import COLUMNS, OWN
from digest.intake.lists.said import ATTRIBUTE, Layout
from digest.intake.lists.substack import SUBSTACK
from digest.intake.tables import Table, read_table, require_columns

LAYOUTS = (MAILCHIMP, LISTMONK, GHOST, SUBSTACK, BEEHIIV, OWN)
"""The first that a file is of; ours is last, as its only mark is an address."""

LIKELY = frozenset().union(*(layout.marks for layout in LAYOUTS), COLUMNS)
"""Columns by which it is known what separates them."""

_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What unpacking raises: a password is a RuntimeError, a way of packing that is not known the next."""

_MEMBER_MAX = 4 * 1024**3
"""Bytes of a file in a zip, unpacked: a list of ten million is a quarter of that."""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file by the name that errors tell, which can be opened again and again.

    `is_optional` is one of a zip, where other things lie, too.
    """

    name: str
    open: Callable[[], AbstractContextManager[TextIO]]
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class OpenedList:
    """A file that is being read, and how it is written."""

    table: Table
    layout: Layout


def text_file(name: str, text: str) -> ListFile:
    """Return a file that is a text in memory."""

    @contextmanager
    def opened() -> Iterator[TextIO]:
        # Not splitlines, which also takes a vertical tab or U+2028 inside a name for the end of the line.
        yield io.StringIO(text, newline="")

    return ListFile(name, opened)


def files_at(paths: Sequence[Path]) -> tuple[ListFile, ...]:
    """Return the files at `paths`, those within a zip instead of the zip. Raises `InvalidInput`."""
    return tuple(file for path in paths for file in _files_of(path.name, path, str(path)))


def files_in(name: str, body: IO[bytes]) -> tuple[ListFile, ...]:
    """Return the file of this name that a stream holds, or those within it. Raises `InvalidInput`.

    They are read from the stream as long as they are, one at a time.
    """
    return tuple(_files_of(name, body, name))


def layout_named(name: str) -> Layout:
    """Return the layout of a program. Raises `InvalidInput` for one that is not known."""
    for layout in LAYOUTS:
        if layout.name == name:
            return layout
    known = ", ".join(layout.name for layout in LAYOUTS)
    raise InvalidInput(f"no list is written by '{name}'; known are: {known}")


def read_list(
    stream: TextIO, file: ListFile, *, layout: Layout | None, columns: Mapping[str, str]
) -> OpenedList | None:
    """Return the table of a file and whose it is, None for one in a zip that is no list of people.

    `columns` says which of our columns another name stands for; with it, or a `layout`, further columns are
    left alone. Raises `InvalidInput` for a file that is no list.
    """
    table = read_table(stream, name=file.name, likely=LIKELY | columns.keys())
    table = _renamed(table, columns)
    found = layout or next((one for one in LAYOUTS if one.wrote(table.header)), None)
    if file.is_optional and found is None:
        return None
    if layout and not layout.wrote(table.header):
        raise InvalidInput(
            f"{table.place}: {layout.name} writes the columns {', '.join(sorted(layout.marks))}, and not all "
            "of them are there; nothing was imported"
        )
    if found is None or (found is OWN and not columns):
        _require_keys(table)
        require_columns(
            table,
            (*COLUMNS, *_attributes(table)),
            "; --column 'Their name=email' says what another name stands for",
        )
    return OpenedList(table, found or OWN)


def _attributes(table: Table) -> list[str]:
    return [column for column in table.header if column.startswith(ATTRIBUTE)]


def _require_keys(table: Table) -> None:
    for column in _attributes(table):
        try:
            parse_key(column.removeprefix(ATTRIBUTE))
        except InvalidInput as exc:
            raise InvalidInput(f"{table.place}: column '{column}': {exc}; nothing was imported") from exc


def _renamed(table: Table, columns: Mapping[str, str]) -> Table:
    missing = sorted(columns.keys() - set(table.header))
    if missing:
        raise InvalidInput(
            f"{table.place}: there is no column '{missing[0]}'; there is: {', '.join(table.header)}. "
            "Nothing was imported"
        )
    return Table([columns.get(name, name) for name in table.header], table.lines, table.notes, table.place)


def _files_of(name: str, source: Path | IO[bytes], shown: str) -> Iterator[ListFile]:
    if not name.lower().endswith(".zip"):
        yield ListFile(name, lambda: _opened(source))
        return
    try:
        with zipfile.ZipFile(source) as packed:
            members = [one for one in packed.infolist() if _is_list(one.filename)]
    except (OSError, zipfile.BadZipFile) as exc:
        told = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise InvalidInput(f"{shown} cannot be read as a zip: {told}. Nothing was imported.") from exc
    if not members:
        raise InvalidInput(f"{shown} holds no .csv file; nothing was imported")
    for member in members:
        if member.file_size > _MEMBER_MAX:
            raise InvalidInput(f"{shown}: {member.filename} is larger than 4 GB; nothing was imported")
        inside = f"{name}/{PurePosixPath(member.filename).name}"
        yield ListFile(inside, _opener(source, member, shown), is_optional=True)


def _is_list(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name.lower().endswith(".csv") and "__MACOSX" not in parts


def _opener(
    source: Path | IO[bytes], member: zipfile.ZipInfo, shown: str
) -> Callable[[], AbstractContextManager[TextIO]]:
    @contextmanager
    def opened() -> Iterator[TextIO]:
        try:
            with zipfile.ZipFile(source) as packed, packed.open(member) as raw:
                yield io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")
        except _BROKEN as exc:
            raise InvalidInput(
                f"{shown}: {member.filename} cannot be unpacked: {exc}. Nothing was imported."
            ) from exc

    return opened


@contextmanager
def _opened(source: Path | IO[bytes]) -> Iterator[TextIO]:
    if not isinstance(source, Path):
        source.seek(0)
        text = io.TextIOWrapper(source, encoding="utf-8", errors="surrogateescape", newline="")
        try:
            yield text
        finally:
            text.detach()
        return
    try:
        with source.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
    except OSError as exc:
        raise InvalidInput(f"{source} cannot be read: {exc.strerror or exc}. Nothing was imported.") from exc
