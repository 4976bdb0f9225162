"""Style sheet, scripts and icon, under names that change with what they hold: browsers may keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from digest.domain.errors import Misconfigured, NotFound

PATH = "/static"

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served at all: a file of another kind in the folder, such as a licence, stays there."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    body: bytes
    media_type: str


class Assets:
    """The files of a folder, read once."""

    def __init__(self, folder: Path) -> None:
        self._names: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        for file in sorted(folder.glob("*")):
            if file.suffix in _MEDIA_TYPES:
                self._add(file)

    def _add(self, file: Path) -> None:
        body = file.read_bytes()
        served_as = f"{file.stem}.{hashlib.sha256(body).hexdigest()[:12]}{file.suffix}"
        self._names[file.name] = served_as
        self._assets[served_as] = Asset(body, _MEDIA_TYPES[file.suffix])

    def path(self, name: str) -> str:
        """Return where the file called `name` is served. Raises `Misconfigured` when there is none."""
        if name not in self._names:
            raise Misconfigured(f"the web templates have no static/{name}: add it, or unset templates_dir")
        return f"{PATH}/{self._names[name]}"

    def get(self, served_as: str) -> Asset:
        """Return a file by the name it is served under. Raises `NotFound`."""
        if served_as not in self._assets:
            raise NotFound(f"no file '{served_as}'; reload the page that asked for it")
        return self._assets[served_as]

    @property
    def names(self) -> Mapping[str, str]:
        """Each file's name and the name it is served under."""
        return dict(self._names)
