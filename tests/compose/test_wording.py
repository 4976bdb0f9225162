import pytest

from digest.compose.checks.wording import check_subject, check_writing


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Dear {{ first_name }},", "error"),
        ("Dear *|FNAME|*,", "error"),
        ("Dear %%FirstName%%,", "error"),
        ("Dear {{name}},", "error"),
        ("Hello {first_name}", "error"),
        ("Hello %FIRSTNAME%", "error"),
        ("Hello [[Name]]", "error"),
        ("Hello [Name]", "warning"),
        ("News of {city}", "warning"),
        ("INSERT SUBJECT HERE", "warning"),
        ("See [your link here]", "warning"),
        ("Lorem ipsum dolor", "error"),
        ("TODO: thank the readers", "warning"),
        ("We met xxx yesterday", "warning"),
        ("This week [...]", "warning"),
        ("This week [NAME]", "warning"),
        ("See https://www.example.com/offer.", "warning"),
    ],
)
def test_what_was_to_be_replaced_is_found(text: str, severity: str) -> None:
    (finding,) = check_writing({"opening lines": text})
    assert (finding.severity, finding.where) == (severity, "opening lines")
    assert finding.next_step == "rewrite the opening lines"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Todo cambia en todo el país",
        "Braces {like these} and 100% of it",
        "He said [laughing] so",
        "XX",
        "5% and 7% more",
        "[your] own",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert list(check_writing({"subject": text})) == []


@pytest.mark.parametrize(("length", "told"), [(9, 1), (10, 0), (78, 0), (79, 1)])
def test_a_subject_has_ten_to_78_characters(length: int, told: int) -> None:
    assert len(list(check_subject("s" * length))) == told
