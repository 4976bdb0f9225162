"""The table of commands says what is there."""

import inspect
from importlib import import_module

import pytest
import typer

from digest.cli.main import Root, app


def group() -> Root:
    made = typer.main.get_group(app)
    assert isinstance(made, Root)
    return made


@pytest.mark.parametrize("name", list(Root.parts))
def test_every_command_of_the_table_is_there_and_explains_itself(name: str) -> None:
    root = group()
    with typer.Context(root) as context:
        _, command, rest = root.resolve_command(context, [name, "--help"])
    assert rest == ["--help"]
    assert command.name == name
    for inner in getattr(command, "commands", {"": command}).values():
        assert inner.callback is not None
        assert inspect.getdoc(inner.callback)
        for parameter in inner.params:
            assert parameter.help, f"{name} {inner.name} {parameter.name} has no help"


def test_every_command_of_a_module_stands_in_the_table() -> None:
    for name in {part.module for part in Root.parts.values() if not part.is_group}:
        for command in typer.main.get_group(import_module(name).app).commands:
            assert Root.parts[command].module == name
