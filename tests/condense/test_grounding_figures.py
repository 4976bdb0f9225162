import pytest

from digest.condense.grounding import ground
from tests.condense.samples import article, paragraph


def is_said(claim: str, said: str, language: str = "en") -> bool:
    """Whether a figure in one sentence is borne out by the figure of another, all else being equal."""
    source = article(paragraph(f"Lorries carried {said} there."), language=language)
    return ground(f"Lorries carried {claim} there.", source).problems == ()


@pytest.mark.parametrize(
    ("claim", "said", "language"),
    [
        ("1.2 million", "1,200,000", "en"),
        ("1.2m litres", "1,200,000 litres", "en"),
        ("€1.2bn", "1.2 billion euros", "en"),
        ("1.200.000", "1,2 Millionen", "de"),
        ("3,5 Mio. Euro", "3.500.000 Euro", "de"),
        ("1'200", "1.200", "de"),
        ("dreiundzwanzig", "23", "de"),
        ("12 500", "12,5 tys.", "pl"),
        ("dix-huit", "18", "fr"),
        ("treinta y cinco", "35", "es"),
        ("twenty-three", "23", "en"),
        ("two hundred and fifty", "250", "en"),
        ("a dozen", "12", "en"),
        ("40 percent", "four in ten", "en"),
        ("a third", "one third", "en"),
        ("two thirds", "2/3 or 66.66666667 percent", "en"),
        ("half of it", "50 % of it", "en"),
        ("90 minutes", "1.5 hours", "en"),
        ("2 years", "24 months", "en"),
        ("500 kg", "0.5 tonnes", "en"),
        ("19 million", "from 19 to 12 million", "en"),
        ("more than 5,000", "5,120", "en"),
        ("nearly 200", "187", "en"),
        ("about 400", "412", "en"),
        ("fewer than 50", "46", "en"),
        ("twice as much", "double, as much", "en"),
    ],
)
def test_the_same_amount_in_other_words_is_borne_out(claim: str, said: str, language: str) -> None:
    assert is_said(claim, said, language)


@pytest.mark.parametrize(
    ("claim", "said", "language"),
    [
        ("1.3 million", "1,200,000", "en"),
        ("1.2 billion", "1.2 million", "en"),
        ("42 percent", "24 percent", "en"),
        ("18 percent", "18 days", "en"),
        ("18 euros", "18 dollars", "en"),
        ("14 days", "14 months", "en"),
        ("5,000", "5,120", "en"),
        ("nearly 200", "212", "en"),
        ("more than 5,200", "5,120", "en"),
        ("about 500", "412", "en"),
        ("3,5", "3,6", "de"),
        ("two thirds", "one third", "en"),
        ("thirty-two", "23", "en"),
        ("9" * 40, "8" * 40, "en"),
    ],
)
def test_another_amount_is_not(claim: str, said: str, language: str) -> None:
    assert not is_said(claim, said, language)


def test_a_number_too_long_to_be_one_must_be_written_alike() -> None:
    assert is_said("9" * 40, "9" * 40)


def test_a_figure_in_a_name_is_part_of_the_name() -> None:
    assert is_said("the TR-70", "the TR-70")
    assert not is_said("the old TR-90", "the old TR-70")


def test_half_time_is_no_figure() -> None:
    source = article(paragraph("Falk scored two goals before the break."))
    assert ground("Falk scored two goals before half-time.", source).problems == ()
