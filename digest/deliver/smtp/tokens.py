"""Access tokens of XOAUTH2: where each log-in finds one that has not expired."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from digest.domain.errors import Unavailable

SECONDS = 30.0
"""How long a command may take to make a token."""

_MOST = 16 * 1024
"""Octets of a token: those of large providers have some 2,000."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token itself, or the file that holds it, or the command (program and arguments) that prints it.

    Tokens are good for about an hour, so that file or command is asked again at each log-in.
    """

    text: str = field(default="", repr=False)
    file: Path | None = None
    command: tuple[str, ...] = ()

    async def read(self) -> str:
        """Return the token as it is now. Raises `Unavailable`, and never repeats what may be one."""
        if self.file is not None:
            octets, where = await asyncio.to_thread(_content, self.file), f"token_file {self.file}"
        elif self.command:
            octets, where = await _printed(self.command), f"token_command {self.command[0]}"
        else:
            octets, where = self.text.encode(), "the token in mail_url"
        text = octets[: _MOST + 1].decode("ascii", "replace").strip()
        if not text or len(text) > _MOST or not text.isascii() or not text.isprintable() or " " in text:
            raise Unavailable(f"{where}: is not one access token and nothing else")
        return text


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST + 2)
    except OSError as exc:
        raise Unavailable(f"token_file {file}: {exc.strerror or exc}. Check mail_url") from exc


async def _printed(command: tuple[str, ...]) -> bytes:
    """Return what a command prints. What it says besides is its own business: it may name secrets."""
    name = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as exc:
        raise Unavailable(f"token_command {name}: {exc.strerror or exc}. Check mail_url") from exc
    try:
        async with asyncio.timeout(SECONDS):
            octets, _ = await process.communicate()
    except TimeoutError:
        raise Unavailable(f"token_command {name}: printed no token within {SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unavailable(
            f"token_command {name}: ended with {process.returncode}. Run it by hand as this user to see why"
        )
    return octets
