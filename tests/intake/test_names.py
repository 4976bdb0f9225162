import pytest

from digest.domain.errors import InvalidInput
from digest.intake.names import NAME_MAX, parse_person


@pytest.mark.parametrize(
    "name", ["Ada Fenwick", "Zoë O’Neil-Ångström", "علی\u200cرضا", "山田\u3000花子", "R2-D2"]
)
def test_a_name_is_kept_as_it_is_written(name: str) -> None:
    assert parse_person(f"  {name} ", "--by") == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ada\nX", "--by holds a line break (U+000A)"),
        ("Ada\r", "--by holds a line break (U+000D)"),
        ("Ada\u2028X", "--by holds a line break (U+2028)"),
        ("Ada\x1b[2J", "--by holds a sign that is not seen (U+001B)"),
        ("A\tda", "(U+0009)"),
        ("Ada\u202eX", "(U+202E)"),
        ("Ada\x00", "(U+0000)"),
        ("\ud800", "(U+D800)"),
        ("\ue000", "(U+E000)"),
        ("", "--by is empty"),
        (" \u00a0 ", "--by is empty"),
        ("w" * (NAME_MAX + 1), "201 characters long; there is room for 200"),
    ],
)
def test_what_would_break_the_line_that_names_somebody_is_refused(name: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_person(name, "--by")
    assert said in str(refused.value)
    assert str(refused.value).isprintable()
