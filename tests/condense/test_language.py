from dataclasses import fields

import pytest

from digest.condense.language import Language, get_language, known_languages
from digest.condense.words import count_words, stems, words

PROMISED = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")


@pytest.mark.parametrize("language", known_languages(), ids=lambda language: language.code)
def test_lists_are_written_as_they_are_compared(language: Language) -> None:
    for field in fields(language):
        if field.name.endswith("_patterns"):
            continue
        value = getattr(language, field.name)
        for entry in value if isinstance(value, tuple | frozenset) else ():
            assert entry == entry.casefold().replace("’", "'").strip(), (field.name, entry)


@pytest.mark.parametrize("code", PROMISED)
def test_every_promised_language_has_every_list_that_any_reader_would_miss(code: str) -> None:
    for name in (
        "stop",
        "leaning",
        "leaning_patterns",
        "person",
        "abbreviations",
        "chrome",
        "bylines",
        "credits",
    ):
        assert getattr(get_language(code), name) or (code, name) == ("en", "leaning_patterns"), name


def test_a_regional_code_means_its_language() -> None:
    assert get_language("pt-BR").code == "pt"
    assert get_language("xx") == get_language(None) == Language(code=None)


def test_words_compare_by_stem_without_function_words() -> None:
    english = get_language("en")
    assert stems(words("The boards were voting on walls"), english) == stems(
        words("board votes wall"), english
    )
    assert stems(words("on the 3.5 km of it"), Language(code=None)) == ["the", "3.5"]


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("a 4.2 km wall – built", 5), ("市議会は可決した", 4), ("— ! ?", 0)]
)
def test_length_is_counted_as_a_reader_would(text: str, length: int) -> None:
    assert count_words(text) == length
