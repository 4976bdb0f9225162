"""The table of commands says what is there."""

import inspect

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
    import digest.cli.runs
    import digest.cli.sending
    import digest.cli.system

    for module in (digest.cli.runs, digest.cli.sending, digest.cli.system):
        for command in typer.main.get_group(module.app).commands:
            assert Root.parts[command].module == module.__name__
