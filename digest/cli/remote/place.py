"""Which server is meant, and by which token: options before the command say so, else the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from digest.domain.errors import InvalidInput, Misconfigured

SERVER, TOKEN_FILE = "--server", "--token-file"
SERVER_VARIABLE, TOKEN_VARIABLE = "DIGEST_SERVER", "DIGEST_TOKEN"

_TOKEN_MOST = 1_000

ServerOption = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="URL",
        help="Work on this server elsewhere, over its API; DIGEST_SERVER says so for all commands.",
    ),
]
TokenFileOption = Annotated[
    str,
    typer.Option(
        "--token-file", metavar="FILE", help="The file whose first line is the token; else DIGEST_TOKEN is."
    ),
]
"""Told of in help; they are read before any command is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server elsewhere by its address, '' for this machine; `named_by` is what named it."""

    address: str
    named_by: str
    token_file: str = ""

    def token(self) -> str:
        """Return the token, '' for none. Raises `Misconfigured` for a file that is empty or unreadable."""
        if not self.token_file:
            return os.environ.get(TOKEN_VARIABLE, "").strip()
        try:
            with Path(self.token_file).open(encoding="utf-8") as file:
                token = file.readline(_TOKEN_MOST).strip()
        except (OSError, UnicodeDecodeError) as exc:
            why = getattr(exc, "strerror", None) or "it is not UTF-8 text"
            raise Misconfigured(f"{TOKEN_FILE}: {self.token_file} cannot be read: {why}") from exc
        if not token:
            raise Misconfigured(f"{TOKEN_FILE}: the first line of {self.token_file} is empty")
        return token


_meant: ContextVar[Place | None] = ContextVar("place", default=None)


def place() -> Place:
    """Return where the command works."""
    return _meant.get() or _of_environment()


def _of_environment() -> Place:
    return Place(os.environ.get(SERVER_VARIABLE, "").strip(), SERVER_VARIABLE)


@contextmanager
def meant_by(arguments: Sequence[str]) -> Iterator[list[str]]:
    """Read the options that stand before the command; yield the other arguments, for this place.

    Raises `InvalidInput` for one without its value, and for a token's file where there is no server.
    """
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] in (SERVER, TOKEN_FILE):
        option, is_joined, value = rest.pop(0).partition("=")
        if not is_joined and rest:
            value = rest.pop(0)
        if not value.strip():
            raise InvalidInput(f"{option} is empty: say {option} {'URL' if option == SERVER else 'FILE'}")
        given[option] = value.strip()
    found = _of_environment()
    if SERVER in given:
        found = Place(given[SERVER], SERVER)
    if TOKEN_FILE in given:
        if not found.address:
            raise InvalidInput(f"{TOKEN_FILE} is for a server elsewhere: say which with {SERVER} URL")
        found = Place(found.address, found.named_by, given[TOKEN_FILE])
    before = _meant.set(found)
    try:
        yield rest
    finally:
        _meant.reset(before)
