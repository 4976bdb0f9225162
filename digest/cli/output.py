"""How commands answer: tables for people, JSON for programs, complaints on standard error."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from digest.domain.deliveries import Outcome
from digest.domain.errors import InvalidInput
from digest.domain.schedules import Stage
from digest.gather.steps import Polled

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]

console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a sentence. Nothing in it is taken for markup."""
    console.print(escape(text), soft_wrap=True)


def complain(text: str) -> None:
    """Print what is wrong to standard error."""
    _errors.print(f"[bold red]Error:[/] {escape(text)}", soft_wrap=True)


def show_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, title: str = "") -> None:
    """Print rows under headings, or the sentence `empty` when there are none."""
    table = Table(
        *columns, title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    if table.row_count:
        console.print(table)
    else:
        say(empty)


def read_text_file(path: Path) -> str:
    """Return a file's text. Raises `InvalidInput` when it cannot be read as UTF-8."""
    try:
        return path.read_text("utf-8-sig")
    except OSError as exc:
        raise InvalidInput(f"{path}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise InvalidInput(f"{path} line {line}: not UTF-8; save the file as UTF-8 and try again") from exc


def read_file_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises `InvalidInput` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InvalidInput(f"{path}: {exc.strerror or exc}") from exc


class _Bar:
    """A run's progress, drawn: one line a stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: Any = None

    def begin(self, stage: Stage, total: int | None = None) -> None:
        """Draw a new line."""
        self._task = self._progress.add_task(stage.value, total=total)

    def step(self, what: Polled | Outcome | None = None) -> None:  # noqa: ARG002
        """Move the line on."""
        self._progress.advance(self._task)


@contextmanager
def watching() -> Iterator[_Bar]:
    """Give a watch that draws progress on standard error, where that is a terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=_errors,
        disable=not _errors.is_terminal,
    ) as progress:
        yield _Bar(progress)
