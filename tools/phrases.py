"""Bring the catalogues of phrases up to date with what mails and pages say: `make phrases`.

The templates of the catalogues, `mail.pot` and `pages.pot`, get every phrase that is said; each language's
files get what is new, not translated yet, and lose what is said no more. `make phrases ARGS=it` begins
another language.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from digest.compose import templates
from digest.compose.phrases import Phrase
from digest.compose.template_files import LOCALE
from digest.web import speech

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
EMAIL, WEB = TEMPLATES / "email", TEMPLATES / "web"
HEADERS = ("Language:", "MIME-Version", "Content-", "Plural-Forms")
"""What stays of a file's header: no date and no tool, so that a line changes when a phrase does."""


@dataclass(frozen=True, slots=True)
class Source:
    """A set of catalogues: where they are, what they are called, and who says them, in a comment."""

    folder: Path
    domain: str
    comment: str

    def file(self, language: str) -> Path:
        """Return where a language's catalogue is."""
        return self.folder / language / "LC_MESSAGES" / f"{self.domain}.po"


def said_in_mails() -> Iterator[tuple[str, Phrase]]:
    """Yield each phrase of the e-mail templates, and the template that says it."""
    for folder in sorted(file.parent for file in EMAIL.glob("*/body.mjml")):
        for phrase in templates.phrases_said(folder):
            yield folder.name, phrase


def collected(said: Iterable[tuple[str, Phrase]]) -> Catalog:
    """Return these phrases, each with the templates that say it."""
    catalogue = Catalog(project="Digest", charset="utf-8", fuzzy=False)
    for template, phrase in said:
        text = (phrase.text, phrase.plural) if phrase.plural else phrase.text
        catalogue.add(text, context=phrase.context or None, locations=[(template, 0)])
    return catalogue


def updated(file: Path, language: str, phrases: Catalog) -> Catalog:
    """Return a language's catalogue with exactly these phrases; what it had for them stays."""
    catalogue = read_po(file.open("rb"), locale=language) if file.is_file() else Catalog(locale=language)
    catalogue.update(phrases, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.fuzzy = "Digest", False
    return catalogue


def save(catalogue: Catalog, file: Path, comment: str) -> None:
    """Write a catalogue in the order of the templates."""
    catalogue.header_comment = f"# {comment}"
    written = io.BytesIO()
    write_po(written, catalogue, width=110, include_lineno=False)
    header, phrases = written.getvalue().decode().split("\n\n", 1)
    kept = [line for line in header.splitlines() if not line.startswith('"') or line[1:].startswith(HEADERS)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(kept) + "\n\n" + phrases.rstrip("\n") + "\n", encoding="utf-8")


def bring_up_to_date(source: Source, phrases: Catalog, begun: Iterable[str]) -> None:
    """Update every catalogue of a source, and begin those of the languages `begun`."""
    save(phrases, source.folder / f"{source.domain}.pot", source.comment)
    there = {file.parent.parent.name for file in source.folder.glob(f"*/LC_MESSAGES/{source.domain}.po")}
    for name in sorted(there | {language.replace("-", "_") for language in begun}):
        save(updated(source.file(name), name, phrases), source.file(name), source.comment)


def main() -> None:
    """Update every catalogue there is, and begin those named as arguments."""
    see = "see docs/themes.md."
    mails = Source(EMAIL / LOCALE, "mail", f"What Digest's mails say of their own accord: {see}")
    pages = Source(WEB / LOCALE, speech.DOMAIN, f"What Digest's public pages say themselves: {see}")
    bring_up_to_date(mails, collected(said_in_mails()), sys.argv[1:])
    bring_up_to_date(pages, collected(speech.phrases_said(WEB)), sys.argv[1:])


if __name__ == "__main__":
    main()
