"""The files of an e-mail template: one folder over another, parts included, and where each line stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digest.domain.errors import Misconfigured

LOCALE = "locale"
"""The folder beside templates that holds their phrases in other languages."""

_INCLUDE = re.compile(r"\s*\{% include '([\w-]+(?:[./][\w-]+)*)' %\}\s*")
_DEPTH_MAX = 8


@dataclass(frozen=True, slots=True)
class Source:
    """A template's text with its parts in place; `lines` says where each of its lines stands."""

    text: str
    lines: tuple[tuple[Path, int], ...]

    def place(self, line: int) -> str:
        """Return where a line of the text (from 1) stands, for a person to find it."""
        file, number = self.lines[min(max(line, 1), len(self.lines)) - 1]
        return f"{file} line {number}"


@dataclass(frozen=True, slots=True)
class TemplateFiles:
    """A template in one folder or several: a file in an earlier one takes the place of the later one's.

    `{% include 'parts/head.mjml' %}`, alone on its line, puts a file there as it is, before anything is
    compiled: from these folders, or from those they are in.
    """

    folders: tuple[Path, ...]

    @property
    def name(self) -> str:
        """What the template is called."""
        return self.folders[-1].name

    @property
    def locale(self) -> Path:
        """The folder of its phrases."""
        return self.folders[-1].parent / LOCALE

    @property
    def stamp(self) -> tuple[tuple[Path, int, int], ...]:
        """Every file it may be made of, when it was changed and its size: another stamp, another template."""
        places = [
            place
            for folder in self.folders
            for place in (folder, *folder.glob("*/"), folder.parent / "parts")
        ]
        files = sorted(
            file for place in places if place.is_dir() for file in place.iterdir() if file.is_file()
        )
        return tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files)

    def read(self, name: str) -> Source:
        """Return a file with its parts in place.

        Raises `Misconfigured`, naming file and line, when it or a part is not there or is no text.
        """
        file = self._find(name)
        if file is None:
            raise Misconfigured(
                f"{self.folders[-1] / name}: cannot be read (no such file); an e-mail template needs it"
            )
        lines = tuple(self._lines(file, 0))
        return Source(
            "".join(text for _, _, text in lines), tuple((place, number) for place, number, _ in lines)
        )

    def _lines(self, file: Path, depth: int) -> Iterator[tuple[Path, int, str]]:
        for number, line in enumerate(_read(file).removesuffix("\n").split("\n"), start=1):
            included = _INCLUDE.fullmatch(line)
            if included is None:
                yield file, number, f"{line}\n"
                continue
            part = self._find(included[1])
            if part is None or depth == _DEPTH_MAX:
                why = "includes itself" if part else "is in none of the template's folders"
                raise Misconfigured(f"{file} line {number}: '{included[1]}' {why}; correct the template")
            yield from self._lines(part, depth + 1)

    def _find(self, name: str) -> Path | None:
        around = "/" in name  # a part may be shared by the templates beside this one
        places = (place / name for own in self.folders for place in ((own, own.parent) if around else (own,)))
        return next((place for place in places if place.is_file()), None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path}: cannot be read ({exc}); an e-mail template needs this file") from exc
