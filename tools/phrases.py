"""Bring the catalogues of phrases up to date with the e-mail templates: `make phrases`.

`locale/mail.pot` gets every phrase that templates say; each language's `mail.po` gets what is new, not
translated yet, and loses what is said no more. `make phrases ARGS=it` begins another language.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from digest.compose.template_files import LOCALE
from digest.compose.templates import phrases_said

EMAIL = Path(__file__).resolve().parents[1] / "templates" / "email"
HEADERS = ("Language:", "MIME-Version", "Content-", "Plural-Forms")
"""What stays of a file's header: no date and no tool, so that a line changes when a phrase does."""


def source() -> Catalog:
    """Return the phrases of all templates, each with the templates that say it."""
    catalogue = Catalog(project="Digest", charset="utf-8", fuzzy=False)
    for folder in sorted(file.parent for file in EMAIL.glob("*/body.mjml")):
        for phrase in phrases_said(folder):
            text = (phrase.text, phrase.plural) if phrase.plural else phrase.text
            catalogue.add(text, context=phrase.context or None, locations=[(folder.name, 0)])
    return catalogue


def updated(file: Path, language: str, phrases: Catalog) -> Catalog:
    """Return a language's catalogue with exactly these phrases; what it had for them stays."""
    catalogue = read_po(file.open("rb"), locale=language) if file.is_file() else Catalog(locale=language)
    catalogue.update(phrases, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.fuzzy = "Digest", False
    return catalogue


def save(catalogue: Catalog, file: Path) -> None:
    """Write a catalogue in the order of the templates."""
    catalogue.header_comment = "# What Digest's mails say of their own accord: see docs/themes.md."
    written = io.BytesIO()
    write_po(written, catalogue, width=110, include_lineno=False)
    header, phrases = written.getvalue().decode().split("\n\n", 1)
    kept = [line for line in header.splitlines() if not line.startswith('"') or line[1:].startswith(HEADERS)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(kept) + "\n\n" + phrases.rstrip("\n") + "\n", encoding="utf-8")


def main() -> None:
    """Update every catalogue there is, and begin those named as arguments."""
    phrases = source()
    save(phrases, EMAIL / LOCALE / "mail.pot")
    there = {file.parent.parent.name for file in (EMAIL / LOCALE).glob("*/LC_MESSAGES/mail.po")}
    for name in sorted(there | {language.replace("-", "_") for language in sys.argv[1:]}):
        file = EMAIL / LOCALE / name / "LC_MESSAGES" / "mail.po"
        save(updated(file, name, phrases), file)


if __name__ == "__main__":
    main()
