"""What the mail says of its own accord, in every language it is said in."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from digest.compose.catalogues import Catalogues
from digest.compose.markup import Outline, outline
from digest.compose.phrases import FUNCTIONS, PLACEHOLDER, Phrases, filled
from digest.compose.render import EmailTemplate, render_issue
from digest.compose.template_files import LOCALE
from digest.compose.templates import phrases_said
from digest.domain.errors import Misconfigured
from digest.domain.issues import Edition
from digest.domain.themes import Theme
from tests.catalogues import assert_up_to_date
from tests.samples import TEMPLATES, everything, page_of, sample_issue

CATALOGUES = Catalogues(TEMPLATES / LOCALE)
FOLDERS = sorted(file.parent for file in TEMPLATES.glob("*/body.mjml"))
SAID = dict.fromkeys(phrase for folder in FOLDERS for phrase in phrases_said(folder))
TRANSLATED = [language for language in CATALOGUES.languages if language != "en"]

ONE, OTHER, LATER = date(2026, 11, 16), date(2026, 11, 22), date(2026, 12, 2)


def spoken(language: str) -> Phrases:
    return CATALOGUES.phrases(language)


def page_in(language: str, template: EmailTemplate) -> tuple[Outline, str]:
    content = sample_issue(language=language, number=3)
    page = page_of(render_issue(content, template), everything(content))
    return outline(page.html), page.text


def test_there_are_four_languages() -> None:
    assert CATALOGUES.languages == ("en", "de", "es", "fr")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_phrase_and_no_other(language: str) -> None:
    file = TEMPLATES / LOCALE / language / "LC_MESSAGES" / "mail.po"
    catalogue = read_po(file.open("rb"), abort_invalid=True)
    messages = {(message.context or "", message.id): message for message in catalogue if message.id}
    wanted = {(p.context, (p.text, p.plural) if p.plural else p.text): p for p in SAID}
    assert messages.keys() == wanted.keys()
    assert not catalogue.obsolete
    for key, message in messages.items():
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.fuzzy, key
        assert len(forms) == (catalogue.num_plurals if message.pluralizable else 1), key
        for form in forms:
            assert form.strip() == form != "", key
            assert set(PLACEHOLDER.findall(form)) == wanted[key].placeholders, key


def test_catalogues_are_what_the_tool_writes(tmp_path: Path) -> None:
    assert_up_to_date("mail", tmp_path)


def test_a_name_means_one_phrase() -> None:
    names = [phrase.name for phrase in SAID]
    assert len(names) == len(set(names)) > 10


@pytest.mark.parametrize(
    ("language", "says", "tag", "day"),
    [
        ("en", "Unsubscribe", "en", "16 November"),
        ("en-US", "Unsubscribe", "en-US", "November 16"),
        ("de", "Abbestellen", "de", "16. November"),
        ("de-AT", "Abbestellen", "de-AT", "16. November"),
        ("de-XX", "Abbestellen", "de-XX", "16. November"),
        ("fr-CA", "Se désabonner", "fr-CA", "16 novembre"),
        ("es", "Cancelar la suscripción", "es", "16 de noviembre"),
        ("pt-BR", "Unsubscribe", "en", "16 November"),
        ("ar", "Unsubscribe", "en", "16 November"),
        ("../../de", "Unsubscribe", "en", "16 November"),
    ],
)
def test_a_language_speaks_its_own_words_and_days_or_english(
    language: str, says: str, tag: str, day: str
) -> None:
    phrases = spoken(language)
    assert phrases.pgettext("unsubscribe", "Unsubscribe") == says
    assert phrases.language == tag
    assert phrases.day(ONE) == day


@pytest.mark.parametrize(
    ("language", "within_a_month", "across_months", "across_years", "one_day"),
    [
        (
            "en",
            "16–22 November 2026",
            "16 November – 2 December 2026",
            "16 November 2026 – 3 January 2027",
            "16 November 2026",
        ),
        (
            "de",
            "16.–22. November 2026",
            "16. November – 2. Dezember 2026",
            "16. November 2026 – 3. Januar 2027",
            "16. November 2026",
        ),
        (
            "fr",
            "16–22 novembre 2026",
            "16 novembre – 2 décembre 2026",
            "16 novembre 2026 – 3 janvier 2027",
            "16 novembre 2026",
        ),
        (
            "es",
            "16–22 de noviembre de 2026",
            "16 de noviembre – 2 de diciembre de 2026",
            "16 de noviembre de 2026 – 3 de enero de 2027",
            "16 de noviembre de 2026",
        ),
    ],
)
def test_days_are_written_out_as_the_language_does(
    language: str, within_a_month: str, across_months: str, across_years: str, one_day: str
) -> None:
    days = spoken(language).days
    assert days(ONE, OTHER) == within_a_month
    assert days(ONE, LATER) == across_months
    assert days(ONE, date(2027, 1, 3)) == across_years
    assert days(ONE, ONE) == one_day


def test_numbers_and_plurals_are_the_languages_own() -> None:
    assert [spoken(language).number(1200) for language in ("en", "de", "fr")] == ["1,200", "1.200", "1 200"]
    forms = [spoken(language).ngettext("{count} one", "{count} many", 0) for language in ("en", "de")]
    assert forms == ["0 many", "0 many"]
    assert spoken("de").npgettext("reading_time", "{count} min read", "{count} min read", 1) == (
        "1 Min. Lesezeit"
    )


def test_what_fills_a_phrase_is_never_read_as_one() -> None:
    assert filled("Read at {source}", {"source": "{source.__class__} {0} %s"}) == (
        "Read at {source.__class__} {0} %s"
    )
    with pytest.raises(ValueError, match="no 'source'"):
        filled("Read at {source}", {})


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translated_mail_says_nothing_in_english(language: str, template: EmailTemplate) -> None:
    found, text = page_in(language, template)
    said = " ".join([*found.texts, text])
    for phrase in SAID:
        longest = max(re.split(PLACEHOLDER, phrase.text), key=len).strip(" .")
        assert not re.search(rf"\b{re.escape(longest)}\b", said), phrase


@pytest.mark.parametrize(
    ("language", "own", "direction"), [("de", "de", "ltr"), ("ar", "en", "ltr"), ("pt-BR", "en", "ltr")]
)
def test_our_own_words_are_marked_with_their_language(
    language: str, own: str, direction: str, template: EmailTemplate
) -> None:
    found, _ = page_in(language, template)
    assert found.named("html")[0].attributes["lang"] == language
    ours = [found.of_class(name)[0] for name in ("online", "why", "hair")]
    ours += [element for element in found.named("a") if "accent" in element.classes]
    assert len(ours) > 3
    assert {(e.attributes["lang"], e.attributes["dir"]) for e in ours} == {(own, direction)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('msgid "Unsubscribe"\nmsgstr "Abbestellen\n', r" line 2: .* in quotes"),
        ('msgid "Unsubscribe"\nmsgst "Abbestellen"\n', r" line 2: "),
        ('msgid "Read at {source}"\nmsgstr "Bei {quelle}"\n', r" line 1: .*\{quelle\}.* has \{source\}"),
        ('msgid "Unsubscribe"\nmsgstr "Weg, {email}"\n', r" line 1: .*\{email\}.* has nothing to fill in"),
        (b"\xff", ".*utf-8"),
    ],
)
def test_a_catalogue_with_an_error_is_named_with_its_line(
    text: str | bytes, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "de" / "LC_MESSAGES" / "mail.po"
    file.parent.mkdir(parents=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Misconfigured, match=rf"de/LC_MESSAGES/mail\.po{told}.*correct the catalogue"):
        Catalogues(tmp_path).phrases("de")


def test_a_catalogue_that_was_corrected_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "de" / "LC_MESSAGES" / "mail.po"
    file.parent.mkdir(parents=True)
    for words in ("Abbestellen", "Newsletter abbestellen"):
        file.write_text(f'msgctxt "unsubscribe"\nmsgid "Unsubscribe"\nmsgstr "{words}"\n')
        assert Catalogues(tmp_path).phrases("de").pgettext("unsubscribe", "Unsubscribe") == words


def test_templates_say_phrases_by_these_functions_only() -> None:
    assert set(spoken("en").names()) == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en", "1 article", "3 articles"),
        ("de", "1 Artikel", "3 Artikel"),
        ("fr", "1 article", "3 articles"),
        ("es", "1 artículo", "3 artículos"),
        ("ar", "1 article", "3 articles"),
    ],
)
def test_an_edition_says_how_many_articles_it_has(
    language: str, one: str, many: str, template: EmailTemplate
) -> None:
    content = sample_issue(language=language)
    rendered = render_issue(content, template)
    for key, said in (("food:9", one), ("space:3,4,5", many)):
        page = page_of(rendered, Edition.from_key(key))
        assert said in page.text.splitlines()
        assert f">{said}</span></p>" in page.html


def test_a_newsletter_words_how_many_articles_there_are_in_forms_of_its_own(template: EmailTemplate) -> None:
    wording = {"en": {"article_count": {"one": "a single story", "other": "{count} <stories>"}}}
    content = sample_issue()
    rendered = render_issue(content, replace(template, theme=Theme(wording=wording)))
    assert rendered.counts[:2] == ("a single story", "2 <stories>")
    assert "2 &lt;stories&gt;" in page_of(rendered, Edition.from_key("climate:0;space:3")).html
