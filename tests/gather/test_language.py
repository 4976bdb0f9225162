from __future__ import annotations

import pytest

from digest.gather.language import iso_639_1, language_of

GERMAN = "Der Rat trat am Montag zusammen, um über die neue Brücke und ihren Preis zu beraten. "


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"),
        ("EN-gb", "en"),
        ("pt_BR", "pt"),
        ("zh-Hans-CN", "zh"),
        ("eng", None),
        ("", None),
        ("x", None),
    ],
)
def test_a_language_tag_gives_its_two_letters(tag: str, code: str | None) -> None:
    assert iso_639_1(tag) == code


def test_a_text_is_told_by_its_words_and_a_scrap_is_not() -> None:
    assert language_of(GERMAN) == "de"
    assert language_of("Le conseil s'est réuni lundi pour parler du nouveau pont.") == "fr"
    assert language_of("OK") is None
    assert language_of("") is None


def test_what_is_declared_holds_unless_a_long_text_contradicts_it() -> None:
    assert language_of(GERMAN, "en") == "en"
    assert language_of(GERMAN * 8, "en") == "de"
    assert language_of("", "fr") == "fr"
