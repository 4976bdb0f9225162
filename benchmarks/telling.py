"""How benchmarks are asked, and tell their figures: a table for people, one JSON object for programs."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def arguments(about: str | None, *, databases: bool = True) -> ArgumentParser:
    """Return a parser that knows `--json`, and `--database` where a benchmark runs on either."""
    parser = ArgumentParser(description=about, formatter_class=RawDescriptionHelpFormatter)
    if databases:
        parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    return parser


def figures_table(title: str, figures: DataclassInstance) -> Table:
    """Return a line for each figure."""
    table = Table(title=title, box=SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in asdict(figures).items():
        table.add_row(name.replace("_", " "), _told(value))
    return table


def _told(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def tell(figures: DataclassInstance, table: Table, *, as_json: bool) -> None:
    """Print the figures as JSON, or else the table."""
    if as_json:
        print(json.dumps(asdict(figures)))
    else:
        Console().print(table)
