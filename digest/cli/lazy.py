"""A group of commands that imports each of them only when it is asked for.

Help and completion of the whole come from a table of sentences; the libraries behind one command (an
extractor, a template engine, a worker) cost a second that no other command should wait for.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

HELP_WIDTH_MAX, HELP_WIDTH_MIN = 100, 32


@dataclass(frozen=True, slots=True)
class Part:
    """One command, or one group of commands: the module it is in, and how the help of the whole tells of it.

    The module's `app` either holds a command of that name or, for a group, is the group.
    """

    section: str
    module: str
    help: str
    is_group: bool = False


def new_app() -> typer.Typer:
    """Return an empty group in the style of this command line: plain help that any terminal shows."""
    return typer.Typer(
        cls=PlainGroup, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def examples(*lines: str) -> str:
    """Return an epilog that shows `lines` as they are typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def help_width() -> int:
    """Return how wide help may be here: as the terminal is, and never wider than reads well."""
    return max(HELP_WIDTH_MIN, min(shutil.get_terminal_size().columns, HELP_WIDTH_MAX) - 2)


class PlainGroup(TyperGroup):
    """A group whose help gives each command its whole first paragraph, however narrow the terminal is."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands, in the order they were added."""
        told = [(name, _first_paragraph(command.help)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(told)


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


class LazyGroup(TyperGroup):
    """A group whose commands stand in a table. Listing them imports nothing; running one imports it."""

    parts: Mapping[str, Part]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {
            name: TyperCommand(name, help=part.help, rich_help_panel=part.section, rich_markup_mode=None)
            for name, part in self.parts.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in the place of the one that only has a name and a sentence."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and self._load(command.name or ""), rest

    def _load(self, name: str) -> Any:
        part = self.parts[name]
        group = get_group(import_module(part.module).app)
        if not part.is_group:
            return group.commands[name]
        group.name, group.help = name, part.help
        return group

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands under the headings of their sections, in the table's order."""
        for section in dict.fromkeys(part.section for part in self.parts.values()):
            with formatter.section(section):
                formatter.write_dl([(n, p.help) for n, p in self.parts.items() if p.section == section])
