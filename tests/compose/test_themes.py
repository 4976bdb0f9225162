"""A theme's file: what it may say, and how each mistake is told."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.catalogues import Catalogues
from digest.compose.phrases import Phrase
from digest.compose.template_files import LOCALE
from digest.compose.templates import phrases_said
from digest.compose.theme_values import font
from digest.compose.themes import Vocabulary, parse_theme, write_theme
from digest.domain.errors import InvalidInput
from digest.domain.themes import DARK, LIGHT, Logo, Theme
from tests.samples import TEMPLATES

CATALOGUES = Catalogues(TEMPLATES / LOCALE)
UNNAMED = Phrase("", 'Say "it" = {twice}')
VOCABULARY = Vocabulary((*phrases_said(TEMPLATES / "digest"), UNNAMED), CATALOGUES.languages)

WHOLE = """
font = "Verdana, 'Trebuchet MS', sans-serif"
heading_font = 'Palatino, "Book Antiqua", serif'   # as it is printed

[light]
ink = "#123"
page = "#FFFFFF"
accent = "#0b5394"

[dark]
accent = "#9fc5e8"

[logo]
url = "https://example.org/logo.png?v=2"
alt = "The Harbour Week"
width = 240
replaces_name = true

[wording.de]
read_at = "Weiter bei {source}"
reading_time = { one = "eine Minute", other = "{count} Minuten" }

[wording.pt-br]
"""


def parsed(text: str) -> Theme:
    return parse_theme(text, "theme.toml", VOCABULARY)


def complaints(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as raised:
        parsed(text)
    *told, last = str(raised.value).splitlines()
    assert last.endswith("Nothing was changed.")
    return told


def test_a_file_sets_what_it_names_and_leaves_the_rest() -> None:
    theme = parsed(WHOLE.replace("[wording.pt-br]", ""))
    assert theme.light == replace(LIGHT, ink="#112233", page="#ffffff", accent="#0b5394")
    assert theme.dark == replace(DARK, accent="#9fc5e8")
    assert theme.font == "Verdana, 'Trebuchet MS', sans-serif"
    assert theme.heading_font == "Palatino, 'Book Antiqua', serif"
    assert theme.logo == Logo("https://example.org/logo.png?v=2", "The Harbour Week", 240, True)
    assert theme.wording == {
        "de": {
            "read_at": {"other": "Weiter bei {source}"},
            "reading_time": {"one": "eine Minute", "other": "{count} Minuten"},
        }
    }


def test_an_empty_file_is_the_theme_that_sets_nothing() -> None:
    assert parsed("") == Theme()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('colour = "#123456"', "line 1: 'colour' is not known; there is font, heading_font, light"),
        ("[light]\n\nacent = '#000'", "line 3: 'acent' is not known in [light]; did you mean 'accent'?"),
        ("[light]\nink = 'black'", "line 2: light.ink is 'black': write a colour as #rrggbb"),
        ("[light]\nink = 17", "line 2: light.ink is 17: write a colour"),
        ("light = '#fff'", "line 1: light is a table: write [light]"),
        (
            "[light]\nsoft = '#999999'",
            "line 2: light.soft #999999 on light.page #f7f4ee has a contrast of 2.60:1, and text needs "
            "4.5:1: make soft darker or page lighter",
        ),
        (
            "[dark]\npage = '#888'",
            "line 2: dark.ink #ebe7df on dark.page #888888 has a contrast of 2.87:1, and text needs 4.5:1: "
            "make page darker or ink lighter",
        ),
        ("font = 'Arial'", "line 1: font ends in Arial, which not every reader has"),
        ("font = 'url(https://example.org/f), serif'", "line 1: font holds 'url(https://example.org/f)'"),
        ('font = "Arial\'; color: red, serif"', "line 1: font holds"),
        ("font = '@import x, serif'", "line 1: font holds '@import x'"),
        ("font = ''", "line 1: font holds ''"),
        (f"font = '{'a' * 300}, serif'", "line 1: font is not a text of at most 200"),
        ("font = 3", "line 1: font is not a text"),
        ("[logo]\nurl = 'https://example.org/l.png'\nwidth = 9", "line 1: a logo needs alt: add it"),
        (
            "[logo]\nalt = 'x'\nwidth = 20\nurl = 'data:image/png;base64,AA=='",
            "line 4: logo.url is 'data:image/png;base64,AA==': give the whole address",
        ),
        (
            "[logo]\nalt = 'x'\nwidth = 2.5\nurl = 'https://example.org/l.png'",
            "line 3: logo.width is 2.5: give a whole number of pixels from 16 to 536",
        ),
        (
            "[logo]\nalt = ' '\nwidth = 20\nurl = 'https://example.org/l.png'",
            "line 2: logo.alt is ' ': say in a line what the logo says",
        ),
        (
            "[logo]\nalt='x'\nwidth=20\nurl='https://example.org/l.png'\nreplaces_name = 'yes'",
            "line 5: logo.replaces_name is 'yes': write true or false",
        ),
        ("[wording.de]\nread = 'x'", "line 2: 'read' is not known in [wording.de]; did you mean 'read_at'?"),
        (
            "[wording.de]\nread_at = 'Bei {quelle}'",
            "line 2: wording.de.read_at is 'Bei {quelle}': of what is filled in, this phrase knows {source}",
        ),
        ("[wording.de]\nunsubscribe = 'Weg {'", "this phrase knows nothing in braces"),
        ("[wording.de]\nunsubscribe = ''", "line 2: wording.de.unsubscribe is '': write a line of text"),
        ('[wording.de]\nunsubscribe = "a\\u202eb"', "line 2: wording.de.unsubscribe is"),
        ("[wording.de]\nunsubscribe = { other = 'x' }", "line 2: wording.de.unsubscribe is {'other': 'x'}"),
        ("[wording.de]\nreading_time = { one = 'x' }", "'other' must be there"),
        ("[wording]\nde = 'x'", "line 2: wording.de is a table: write [wording.de]"),
        ("[wording.'de_DE']\nunsubscribe = 'x'", "line 1: 'de_DE' is no language: use one such as en"),
        (
            "[wording.de]\nunsubscribe = 'Weg'\n[wording.DE]\nview_online = 'Netz'",
            "line 3: [wording.DE] and [wording.de] are one language: put all its wording into [wording.de]",
        ),
        (
            "[wording.de-at]\nunsubscribe = 'Weg'\n[wording.de-AT]",
            "line 3: [wording.de-AT] and [wording.de-at] are one language: put all its wording into",
        ),
        (
            "[wording.it]\nunsubscribe = 'Annulla'",
            "line 1: there is no translation into 'it', so its wording must have every phrase; it lacks ",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, told: str) -> None:
    assert any(told in line and line.startswith("theme.toml") for line in complaints(text)), complaints(text)


def test_every_mistake_is_told_at_once() -> None:
    found = complaints("fnt = 'x'\n[light]\nink = 'red'\n[dark]\nink = '#000'\n[wording.de]\nread = 'x'")
    assert [line.partition(":")[0] for line in found] == [
        f"theme.toml line {number}" for number in (1, 3, 5, 7)
    ]


def test_what_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"theme\.toml: .*line 2.*Nothing was changed"):
        parsed("font = 'serif'\n[light\n")


def test_a_language_that_nobody_translated_may_be_worded_whole() -> None:
    lines = [f"{json.dumps(phrase.name)} = {json.dumps(phrase.text)}" for phrase in VOCABULARY.phrases]
    theme = parsed("[wording.it]\n" + "\n".join(lines))
    assert len(theme.wording["it"]) == len(VOCABULARY.phrases)
    assert CATALOGUES.phrases("it-CH", theme.wording).language == "it-CH"


def test_a_region_is_worded_over_its_language() -> None:
    theme = parsed(
        "[wording.de]\nunsubscribe = 'Weg'\nview_online = 'Netz'\n[wording.de-at]\nunsubscribe = 'Fort'"
    )
    phrases = CATALOGUES.phrases("de-AT", theme.wording)
    said = [phrases.pgettext(name, name) for name in ("unsubscribe", "view_online", "preferences")]
    assert said == ["Fort", "Netz", "preferences"]
    assert CATALOGUES.phrases("de", theme.wording).pgettext("unsubscribe", "") == "Weg"


def test_plurals_are_worded_by_their_category() -> None:
    phrases = CATALOGUES.phrases("de", parsed(WHOLE.replace("[wording.pt-br]", "")).wording)
    assert [phrases.npgettext("reading_time", "", "", count) for count in (1, 7)] == [
        "eine Minute",
        "7 Minuten",
    ]


@pytest.mark.parametrize("wording", ["{subject}", "» {subject} …", "..."])
def test_the_mark_of_a_test_cannot_be_worded_away(wording: str) -> None:
    vocabulary = replace(VOCABULARY, phrases=phrases_said(TEMPLATES / "test"))
    with pytest.raises(InvalidInput, match=r"line 2: wording\.de\.test_subject is .* a word of its own"):
        parse_theme(f"[wording.de]\ntest_subject = '{wording}'", "theme.toml", vocabulary)
    theme = parse_theme("[wording.de]\ntest_subject = 'Probe'", "theme.toml", vocabulary)
    assert theme.wording == {"de": {"test_subject": {"other": "Probe"}}}


@pytest.mark.parametrize("text", ["", WHOLE.replace("[wording.pt-br]", "")])
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_what_is_exported_reads_back_as_the_same_theme(text: str, language: str) -> None:
    theme = parsed(text)
    written = write_theme(theme, CATALOGUES.phrases(language), VOCABULARY)
    assert parsed(written) == theme
    assert "accent" in written
    assert "unsubscribe" in written


@given(st.text(max_size=60))
def test_no_font_can_end_the_style_it_stands_in(text: str) -> None:
    try:
        stack = font(f"{text}, serif")
    except ValueError:
        return
    assert not set(stack) & set('"<>;:(){}@\\/&\n')
    assert stack.count("'") % 2 == 0


def test_a_file_of_any_length_is_no_theme() -> None:
    with pytest.raises(InvalidInput, match="no theme"):
        parsed("#" * 200_000)


@pytest.mark.parametrize("text", ["a = " + "[" * 40_000, "a = " + "{a=" * 30_000, "a = " + "1" * 5_000])
def test_what_the_reader_of_toml_stumbles_over_is_told(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"nested too deep.* nothing was changed"):
        parsed(text)
