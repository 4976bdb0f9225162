"""How commands answer: tables for people, JSON for programs, complaints on standard error."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from digest.domain.errors import InvalidInput
from digest.domain.mail import Page
from digest.domain.quiet import QuietHours

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]

_PIPED_WIDTH = 10_000
"""What is read by a program is not folded, unless COLUMNS is set: one row stays one line, for grep."""

_ALIGNED_MAX = 60
"""So wide a column gets in a pipe: one long title must not push what is beside all others out of sight."""

_NARROW = 60
"""Below this many columns a table that does not fit is told row by row."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could move the cursor, change colours or turn text round: titles and names come from strangers."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise  # the error being handled, which rich would end the process for; `main` knows better


def _console(*, stderr: bool = False) -> Console:
    # Made anew for each answer: it then writes to the streams, and is as wide, as they are now.
    console = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _wished_width() or _PIPED_WIDTH
    return console


def _wished_width() -> int | None:
    """Return the width COLUMNS asks for, None when it asks for none: a shell exports it only when told to."""
    wished = os.environ.get("COLUMNS", "")
    return int(wished) if wished.isdecimal() and int(wished) else None


def clean(text: str) -> str:
    """Return `text` without characters that act on a terminal; tabs and line breaks stay."""
    return _CONTROL.sub("�", text)


def say(text: str = "") -> None:
    """Print a sentence. Nothing in it is taken for markup."""
    _console().print(Text(clean(text)), soft_wrap=True)


def complain(text: str) -> None:
    """Print what is wrong to standard error."""
    _console(stderr=True).print(Text.assemble(("Error:", "bold red"), " ", clean(text)), soft_wrap=True)


def warn(text: str) -> None:
    """Print to standard error what does not stop the command."""
    _console(stderr=True).print(Text(clean(text)), soft_wrap=True)


def rule(title: str = "") -> None:
    """Print a line between parts of an answer."""
    console = _console()
    console.rule(title, style="dim", align="left") if console.is_terminal else say(f"— {title}".rstrip())


def show_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False, indent=2) + "\n")


def plain(value: object) -> Any:
    """Return `value` as JSON holds it: a dataclass as an object, an instant in ISO 8601, a set in order.

    A length of time is its seconds.
    """
    if isinstance(value, QuietHours):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, title: str = "") -> None:
    """Print rows under headings, or the sentence `empty` when there are none.

    Without a single heading there is no line of headings. A terminal's width is kept: what is longer is
    folded, and on a narrow one a table that does not fit is one short list for each row. Into a pipe each
    row is one line with all that is in it, unless COLUMNS says how wide to be.
    """
    cells = [["" if cell is None else clean(str(cell)) for cell in row] for row in rows]
    if not cells:
        say(empty)
        return
    if title:
        say(title)
    console = _console()
    if not console.is_terminal and _wished_width() is None:
        sys.stdout.writelines(_aligned([columns, *cells] if any(columns) else cells))
        return
    table = _table(columns, cells)
    if console.width < _NARROW and _width(console, table) > console.width:
        _show_rows(columns, cells)
    elif not console.is_terminal:
        with console.capture() as captured:
            console.print(table)
        # The last column's filling is for the eye alone.
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
    else:
        console.print(table)


def _table(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> Table:
    table = Table(
        *columns,
        show_header=any(columns),
        header_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in table.columns:
        column.overflow = "fold"
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row as a line in columns; a cell longer than its column pushes on its own row only."""
    told = [[" ".join(cell.splitlines()) for cell in row] for row in rows]
    widths = [min(_ALIGNED_MAX, max(map(cell_len, column))) for column in zip(*told, strict=True)]
    for row in told:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        yield f"{'  '.join(cells).rstrip()}\n"


def _width(console: Console, table: Table) -> int:
    """Return how wide the table would be with all the room it wants."""
    return Measurement.get(console, console.options.update(width=_PIPED_WIDTH), table).maximum


def _show_rows(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    for row in cells:
        first, *rest = zip(columns, row, strict=True)
        say(" ".join(filter(None, first)) if first[1] else first[0])
        for heading, cell in rest:
            if cell:
                say(f"  {heading}: {cell}" if heading else f"  {cell}")


def show_record(name: str, values: Sequence[tuple[str, Any]]) -> None:
    """Print one thing: its name, then what it is made of; what it has none of is a dash."""
    show_table(
        (name, ""), [(label, "-" if value in ("", None) else value) for label, value in values], empty=""
    )


def show_page(page: Page, out: Path | None, *, text: bool) -> None:
    """Print a mail's HTML, or its `text`; with `out` write both beside it and print its subject.

    Raises `InvalidInput` when they cannot be written.
    """
    if out is None:
        typer.echo(page.text if text else page.html)
        return
    files = {Path(f"{out}.html"): page.html, Path(f"{out}.txt"): page.text}
    for file, content in files.items():
        try:
            file.write_text(content, "utf-8")
        except OSError as exc:
            raise InvalidInput(f"--out: {file} cannot be written: {exc.strerror or exc}") from exc
    say("\n".join((page.subject, *map(str, files))))


def read_text_file(path: Path) -> str:
    """Return a file's text. Raises `InvalidInput` when it cannot be read as UTF-8."""
    try:
        return read_file_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise InvalidInput(
            f"{path} line {line}: not UTF-8; save the file as UTF-8 and try again. Nothing was changed."
        ) from exc


def read_file_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises `InvalidInput` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InvalidInput(f"{path} cannot be read: {exc.strerror or exc}. Nothing was changed.") from exc


def confirm(question: str) -> None:
    """Ask before something that cannot be taken back. Ends the command with exit code 1 for a 'no'.

    Raises `InvalidInput` where nobody is there to answer.
    """
    try:
        is_wanted = typer.confirm(question)
    except typer.Abort as exc:
        if isinstance(exc.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from exc
        raise InvalidInput("nobody answered, so nothing was changed; --yes goes on without asking") from exc
    if not is_wanted:
        say("Nothing was changed.")
        raise typer.Exit(1)
