"""The services of a Compose file as plain values, so that tests can run their commands without Docker."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_]\w*)|"
    r"\{(?P<name>[A-Za-z_]\w*)(?:(?P<rule>:?[-?])(?P<word>(?:[^{}]|\{[^{}]*\})*))?\})"
)
"""A default may hold another variable, one level deep."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service, with variables filled in and hosts replaced.

    `command` is () where the image's own command runs. `depends_on` maps a service to the condition it must
    meet, `volumes` a path inside to a named volume or a path outside. `check` is the health check's command,
    () when there is none. `is_ours` says that it runs in the image built here.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    depends_on: Mapping[str, str]
    check: tuple[str, ...]
    ports: tuple[str, ...]
    volumes: Mapping[str, str]
    image: str
    is_ours: bool


def services(
    path: Path = COMPOSE_FILE, *, variables: Mapping[str, str], hosts: Mapping[str, str] | None = None
) -> dict[str, Service]:
    """The services by name, in the file's order.

    `variables` stand for the environment and the `.env` file; a required one that is missing raises
    ValueError. `hosts` maps addresses inside the Compose network to others
    (`{"postgres:5432": "127.0.0.1:54321"}`), in commands, environments and health checks.
    """
    loaded = yaml.safe_load(path.read_text("utf-8"))
    return {
        name: _service(name, _filled(service, variables), variables, hosts or {})
        for name, service in loaded["services"].items()
    }


def named_volumes(path: Path = COMPOSE_FILE) -> frozenset[str]:
    """The volumes the file declares."""
    return frozenset(yaml.safe_load(path.read_text("utf-8")).get("volumes", {}))


def variables_in(text: str) -> frozenset[str]:
    """The names of the variables that stand in a text."""
    names: set[str] = set()
    for found in _VARIABLE.finditer(text):
        names |= {found["bare"] or found["name"]} - {None} | variables_in(found["word"] or "")
    return frozenset(names)


def passed_on(path: Path = COMPOSE_FILE) -> frozenset[str]:
    """The names of the variables that services are given as they are, if they are set at all."""
    given = (
        service.get("environment", {})
        for service in yaml.safe_load(path.read_text("utf-8"))["services"].values()
    )
    return frozenset(key for environment in given for key, value in environment.items() if value is None)


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in variables as Compose does, with their rules `:-`, `-`, `:?` and `?`; `$$` is a dollar sign."""

    def value(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name, rule = found["bare"] or found["name"], found["rule"] or ""
        given = variables.get(name)
        if given is not None and (given or not rule.startswith(":")):
            return given
        if rule.endswith("?"):
            raise ValueError(f"{name} is not set: {found['word']}")
        return interpolate(found["word"] or "", variables)

    return _VARIABLE.sub(value, text)


def _filled(node: object, variables: Mapping[str, str]) -> object:
    match node:
        case str():
            return interpolate(node, variables)
        case list():
            return [_filled(child, variables) for child in node]
        case dict():
            return {key: _filled(child, variables) for key, child in node.items()}
    return node


def _service(name: str, given: object, variables: Mapping[str, str], hosts: Mapping[str, str]) -> Service:
    if not isinstance(given, dict):
        raise ValueError(f"the service {name} is no mapping")
    return Service(
        name=name,
        command=tuple(_elsewhere(word, hosts) for word in _words(given.get("command", []))),
        environment={
            key: _elsewhere(str(variables[key] if value is None else value), hosts)
            for key, value in given.get("environment", {}).items()
            if value is not None or key in variables
        },
        depends_on={other: rule["condition"] for other, rule in given.get("depends_on", {}).items()},
        check=tuple(_elsewhere(word, hosts) for word in _check(given.get("healthcheck", {}).get("test", []))),
        ports=tuple(given.get("ports", [])),
        volumes={
            inside: outside
            for outside, inside in (entry.split(":")[:2] for entry in given.get("volumes", []))
        },
        image=given.get("image", ""),
        is_ours="build" in given,
    )


def _words(command: str | list[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else command


def _check(test: list[str]) -> list[str]:
    match test:
        case ["CMD-SHELL", line]:
            return ["sh", "-c", line]
        case ["CMD", *words]:
            return words
    return []


def _elsewhere(text: str, hosts: Mapping[str, str]) -> str:
    for inside, outside in hosts.items():
        text = text.replace(inside, outside)
    return text
