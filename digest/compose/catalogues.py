"""The catalogues of translated phrases: gettext's `.po` files, read as they are.

Each is checked when it is read, and read anew when it has changed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from digest.compose.directions import LANGUAGE_TAG
from digest.compose.phrases import NO_WORDING, PLACEHOLDER, SOURCE_LANGUAGE, Phrases, ever_wider, locale_of
from digest.domain.errors import Misconfigured
from digest.domain.themes import Wording

if TYPE_CHECKING:  # reading catalogues costs 80 ms to import, which only mails in other languages need
    from babel.messages.catalog import Catalog, Message

_PO_LINE = re.compile(r'(?:#.*|(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)?\s*"(?:[^"\\]|\\.)*"|)')


@dataclass(frozen=True, slots=True)
class Catalogues:
    """The translations in a folder, `de/LC_MESSAGES/mail.po` and so on. One that is not there has none.

    `domain` is what its files are called, as gettext names them.
    """

    folder: Path
    domain: str = "mail"

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags of the languages there are, English first."""
        files = self.folder.glob(f"*/LC_MESSAGES/{self.domain}.po")
        found = sorted(path.parent.parent.name for path in files)
        return (SOURCE_LANGUAGE, *(name.replace("_", "-") for name in found))

    def phrases(self, language: str, wording: Wording = NO_WORDING) -> Phrases:
        """Return how templates speak in an issue of this language, and as a newsletter words it.

        A region without words of its own takes its language's: pt-BR, then pt, then English; so does what is
        no language tag. Raises `Misconfigured` with the file of a catalogue that cannot be read.
        """
        tags = list(ever_wider(language)) if LANGUAGE_TAG.fullmatch(language) else []
        file = next((file for tag in tags if (file := self._file(tag)).is_file()), None)
        if not (file or SOURCE_LANGUAGE in tags or any(tag in wording for tag in tags)):
            tags, language = [SOURCE_LANGUAGE], SOURCE_LANGUAGE
        own = {name: forms for tag in reversed(tags) for name, forms in wording.get(tag, NO_WORDING).items()}
        known = _translations(file, file.stat().st_mtime_ns) if file else NullTranslations()
        return Phrases(language, locale_of(language), known, own)

    def _file(self, tag: str) -> Path:
        return self.folder / tag.replace("-", "_") / "LC_MESSAGES" / f"{self.domain}.po"


@lru_cache(maxsize=64)
def _translations(file: Path, _changed: int) -> NullTranslations:
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, _catalogue(file))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _catalogue(file: Path) -> Catalog:
    from babel.messages.pofile import PoFileError, read_po

    try:
        octets = file.read_bytes()
        _refuse_odd_lines(file, octets.decode())
        catalogue = read_po(io.BytesIO(octets), abort_invalid=True)
    except (OSError, UnicodeDecodeError, PoFileError, ValueError) as exc:
        raise Misconfigured(f"{file}: {exc}; correct the catalogue of phrases") from exc
    for message in catalogue:
        if message.id:
            _refuse_unknown_placeholders(file, message)
    return catalogue


def _refuse_odd_lines(file: Path, text: str) -> None:
    """Raise `Misconfigured` for a line with its quotes not closed: Babel passes over the whole phrase."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not _PO_LINE.fullmatch(line.strip()):
            raise Misconfigured(
                f"{file} line {number}: not a comment, and no msgid or msgstr with a text in quotes; correct "
                "the catalogue of phrases"
            )


def _refuse_unknown_placeholders(file: Path, message: Message) -> None:
    known, said = (set(PLACEHOLDER.findall(" ".join(_forms(text)))) for text in (message.id, message.string))
    if said - known:
        raise Misconfigured(
            f"{file} line {message.lineno}: nothing is there to fill {{{min(said - known)}}} with; the "
            f"phrase {_forms(message.id)[0]!r} has {_listed(known)}; correct the catalogue of phrases"
        )


def _forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _listed(placeholders: Collection[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(placeholders)) or "nothing to fill in"
