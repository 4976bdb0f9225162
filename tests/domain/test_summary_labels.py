"""The labels that both the reader of pages and the chooser of takeaways go by."""

import pytest

from digest.domain.summary_labels import bare_label, is_summary_label


@pytest.mark.parametrize(
    "line",
    [
        "Key Takeaways",
        "▸ KEY POINTS:",
        "The 5 key takeaways",
        "L’essentiel",
        "TL;DR",
        "Das Wichtigste in Kürze",
        "Résumé",
    ],
)
def test_a_label_is_known_however_it_is_decorated(line: str) -> None:
    assert is_summary_label(line)


@pytest.mark.parametrize("line", ["", "…", "The vote in brief is over", "Also on Horizon", "Key"])
def test_other_lines_are_no_labels(line: str) -> None:
    assert not is_summary_label(line)


def test_a_label_is_compared_without_its_number() -> None:
    assert bare_label("The seven key points") == "the key points"
