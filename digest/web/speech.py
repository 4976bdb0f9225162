"""The public pages' own words, in the language of a newsletter or its reader: catalogues, as mails have.

Templates say `pgettext('save', 'Save')`, the phrase's name and its English. The catalogues are beside them in
`locale`; where nobody translated, English is said and marked as such.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from digest.compose.escaping import Safe, escaped
from digest.compose.phrases import ARTICLES, Phrase, Phrases, filled
from digest.web import stored_words
from digest.web.sign_up_words import SAID_OF_SIGN_UPS

DOMAIN = "pages"
"""What the pages' catalogues are called: `locale/de/LC_MESSAGES/pages.po`."""

ISSUES = Phrase("issue_count", "{count} issue", "{count} issues")
ISSUE_NAME = Phrase("issue_name", "Issue {number}, {days}")
A_SOURCE = Phrase("a_source", "its source")
ANOTHER_SOURCE = Phrase("another_source", "another source")
FEED_TITLES = {
    "articles": Phrase("feed_title_articles", "{newsletter}, articles"),
    "issues": Phrase("feed_title_issues", "{newsletter}, issues"),
}
FEED_ENTRIES = {
    "articles": Phrase("feed_about_articles", "Each entry is an article of {newsletter}."),
    "issues": Phrase("feed_about_issues", "Each entry is an issue of {newsletter}."),
}
"""Of a feed, by what an entry of it is."""

SAID_BESIDE_TEMPLATES = (
    ARTICLES,
    ISSUES,
    ISSUE_NAME,
    A_SOURCE,
    ANOTHER_SOURCE,
    *FEED_TITLES.values(),
    *FEED_ENTRIES.values(),
    *stored_words.ALL,
)
"""The phrases that no template says itself."""

_FUNCTIONS = ("pgettext", "npgettext")
_ACCEPTED_MAX = 20
_ACCEPTED = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


@dataclass(frozen=True, slots=True)
class Speech:
    """How a page's template says phrases: as markup, in which values are text unless they are markup too."""

    phrases: Phrases

    def names(self) -> dict[str, Any]:
        """Return what a template calls, and what its words are in."""
        return {"pgettext": self.pgettext, "npgettext": self.npgettext, "spoken": self.phrases}

    def pgettext(self, name: str, text: str, /, **values: object) -> Safe:
        """Return the phrase of this name, whose English is `text`."""
        return _marked_up(self.phrases.pgettext(name, text, **_left(values)), values)

    def npgettext(self, name: str, one: str, many: str, count: int, /, **values: object) -> Safe:
        """Return the form of the phrase of this name that suits `count`, which is its {count}, too."""
        values = {"count": self.phrases.number(count), **values}
        return _marked_up(self.phrases.npgettext(name, one, many, count, **_left(values)), values)


def _left(values: dict[str, object]) -> dict[str, str]:
    """Return values that leave the {placeholders} of a phrase as they are."""
    return {name: f"{{{name}}}" for name in values}


def _marked_up(said: str, values: dict[str, object]) -> Safe:
    return Safe(filled(html.escape(said), {name: escaped(value) for name, value in values.items()}))


def speaks(phrases: Phrases, language: str) -> bool:
    """Whether these are this language's own words, and not English for want of them."""
    return phrases.language.partition("-")[0].lower() == language.partition("-")[0].lower()


def accepted_languages(header: str) -> list[str]:
    """Return the languages that an Accept-Language header names, the best first (RFC 9110 §12.5.4).

    What is no language, and what is not wanted (q=0), is left out.
    """
    found = [
        (float(one[2] or 1), one[1])
        for part in header.split(",")[:_ACCEPTED_MAX]
        if (one := _ACCEPTED.fullmatch(part))
    ]
    return [language for weight, language in sorted(found, key=lambda one: -one[0]) if weight > 0]


def phrases_said(folder: Path) -> Iterator[tuple[str, Phrase]]:
    """Yield each phrase that the pages in `folder` say, and the template that says it."""
    for file in sorted(folder.glob("*.html")):
        tree = Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
        calls: Iterator[tuple[int, str, Any]] = extract_from_ast(tree, _FUNCTIONS, babel_style=False)
        for _, function, texts in calls:
            yield file.stem, Phrase.given(function, texts)
    for phrase in SAID_BESIDE_TEMPLATES:
        yield "feeds", phrase
    for phrase in SAID_OF_SIGN_UPS:
        yield "sign_up", phrase
