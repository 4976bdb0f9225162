"""How a newsletter's mail looks and is worded: set by the rules of a theme's file, and shown before it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from digest.compose.phrases import Phrase, Phrases, ever_wider, locale_of
from digest.compose.template_files import TemplateFiles
from digest.compose.templates import phrases_said
from digest.compose.themes import Vocabulary, theme_of
from digest.domain.errors import InvalidInput
from digest.domain.letters import OF_NEWSLETTERS
from digest.domain.newsletters import Newsletter
from digest.domain.themes import USUAL, Colours, Logo, Theme
from digest.pipeline.managing.given import Given
from digest.pipeline.managing.newsletters import differences
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import writing
from digest.store.newsletters import get_newsletter
from digest.store.newsletters import set_theme as store_theme

Propose = Callable[[Newsletter], Given]
"""Says which values of the theme are to change, by their names with dots between."""

Make = Callable[[Runtime, Newsletter, Mapping[str, str]], Theme]

SCHEMES = ("light", "dark")
COLOURS = tuple(part.name for part in fields(Colours))
_LOGO = tuple(part.name for part in fields(Logo))
_OTHER = "other"


def set_theme(runtime: Runtime, slug: str, theme: Theme, *, by: str) -> Newsletter:
    """Give a newsletter a whole theme, which was checked. Raises `NotFound`."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        stands = get_newsletter(session, slug, to_change=True)
        newsletter = store_theme(session, stands.id, theme)
        detail = differences(_everything(stands.theme), _everything(theme))
        if detail:
            record(session, by=by, what="newsletter.look-changed", about=slug, detail=detail, now=now)
    return newsletter


def change_look(runtime: Runtime, slug: str, propose: Propose, *, by: str) -> None:
    """Change colours, fonts and logo. Raises `Unfit` with each value that is wrong, and `NotFound`."""
    _change(runtime, slug, propose, with_look, by)


def change_wording(runtime: Runtime, slug: str, language: str, propose: Propose, *, by: str) -> None:
    """Change phrases in a language; an empty one is as ever again. Raises as `change_look` does."""
    _change(runtime, slug, propose, lambda *given: with_wording(*given, language=language), by)


def _change(runtime: Runtime, slug: str, propose: Propose, made: Make, by: str) -> None:
    now = runtime.clock()
    with writing(runtime.engine) as session:
        stands = get_newsletter(session, slug, to_change=True)
        theme = made(runtime, stands, {name: str(text) for name, text in propose(stands).items()})
        if theme == stands.theme:
            return
        store_theme(session, stands.id, theme)
        detail = differences(_everything(stands.theme), _everything(theme))
        record(session, by=by, what="newsletter.look-changed", about=slug, detail=detail, now=now)


def with_look(runtime: Runtime, newsletter: Newsletter, texts: Mapping[str, str]) -> Theme:
    """Return the newsletter's theme with these values of its look. Raises `Unfit`."""
    wanted = look_of(newsletter.theme) | dict(texts)
    plain: dict[str, Any] = {name: wanted[name].strip() for name in ("font", "heading_font")}
    for scheme in SCHEMES:
        plain[scheme] = {name: wanted[f"{scheme}.{name}"].strip() for name in COLOURS}
    if any(wanted[f"logo.{name}"].strip() for name in ("url", "alt", "width")):
        plain["logo"] = {name: _logo_value(name, wanted[f"logo.{name}"].strip()) for name in _LOGO}
    theme = theme_of(plain, vocabulary_of(runtime, newsletter))
    return replace(theme, wording=newsletter.theme.wording)


def _logo_value(name: str, text: str) -> object:
    if name == "replaces_name":
        return text == "yes"
    return int(text) if name == "width" and text.isascii() and text.isdecimal() and len(text) < 6 else text


def with_wording(
    runtime: Runtime, newsletter: Newsletter, texts: Mapping[str, str], *, language: str
) -> Theme:
    """Return the newsletter's theme with these phrases in a language. Raises `Unfit`."""
    tag = next(ever_wider(language))
    wanted = wording_of(runtime, newsletter, tag) | dict(texts)
    own: dict[str, Any] = {}
    for key, text in wanted.items():
        name, _, category = key.rpartition("|")
        if text.strip():
            own.setdefault(name, {})[category] = text.strip()
    plain = {name: forms[_OTHER] if set(forms) == {_OTHER} else forms for name, forms in own.items()}
    worded = {**newsletter.theme.to_plain().get("wording", {}), tag: plain}
    given = {"wording": {one: said for one, said in worded.items() if said}}
    theme = theme_of(given, vocabulary_of(runtime, newsletter))
    return replace(newsletter.theme, wording=theme.wording)


def look_of(theme: Theme) -> dict[str, str]:
    """Return each value of a theme's look as a person types it, by its name with dots between."""
    texts = {"font": theme.font, "heading_font": theme.heading_font}
    for scheme in SCHEMES:
        texts |= {f"{scheme}.{name}": getattr(getattr(theme, scheme), name) for name in COLOURS}
    logo = theme.logo
    return texts | {
        "logo.url": logo.url if logo else "",
        "logo.alt": logo.alt if logo else "",
        "logo.width": str(logo.width) if logo else "",
        "logo.replaces_name": "yes" if logo and logo.replaces_name else "",
    }


def wording_of(runtime: Runtime, newsletter: Newsletter, language: str) -> dict[str, str]:
    """Return the newsletter's own words for each phrase in a language, '' where it has none.

    A key is the phrase's name, a bar and the plural category that the words are for.
    """
    own = newsletter.theme.wording.get(next(ever_wider(language)), {})
    return {
        f"{phrase.name}|{category}": own.get(phrase.name, {}).get(category, "")
        for phrase in vocabulary_of(runtime, newsletter).phrases
        for category in categories_of(phrase, language)
    }


def categories_of(phrase: Phrase, language: str) -> tuple[str, ...]:
    """Return the plural categories that a phrase has in a language, `other` last; only that for most."""
    if not phrase.plural:
        return (_OTHER,)
    return (*sorted(set(locale_of(language).plural_form.tags) - {_OTHER}), _OTHER)


def vocabulary_of(runtime: Runtime, newsletter: Newsletter) -> Vocabulary:
    """Return the phrases of all mails of a newsletter, and the languages they are translated into."""
    phrases = phrases_of(runtime, newsletter, newsletter.template, *OF_NEWSLETTERS)
    return Vocabulary(phrases, runtime.template(newsletter).catalogues.languages)


def phrases_of(runtime: Runtime, newsletter: Newsletter, *templates: str) -> tuple[Phrase, ...]:
    """Return the phrases that these mails of a newsletter say, each once."""
    folders = (runtime.template_folders(newsletter, name) for name in templates)
    return tuple(dict.fromkeys(said for one in folders for said in _said(one, TemplateFiles(one).stamp)))


@lru_cache(maxsize=256)
def _said(folders: tuple[Path, ...], _stamp: object) -> tuple[Phrase, ...]:
    """Return a template's phrases, read when first asked for and after each change of a file: 20 ms each."""
    return phrases_said(*folders)


def spoken(runtime: Runtime, newsletter: Newsletter, language: str) -> Phrases:
    """Return how mail speaks a language without wording of its own. Raises `InvalidInput` for none."""
    if not language:
        raise InvalidInput("no language is named: choose one")
    return runtime.template(newsletter).catalogues.phrases(language, USUAL.wording)


def _everything(theme: Theme) -> dict[str, str]:
    return look_of(theme) | dict(_worded(theme))


def _worded(theme: Theme) -> Iterator[tuple[str, str]]:
    for language, phrases in theme.wording.items():
        for name, forms in phrases.items():
            for category, words in forms.items():
                yield f"{language} {name} ({category})", words
