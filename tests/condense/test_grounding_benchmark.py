import json

import pytest

from benchmarks.grounding import DATA, TRUE, main, read_labelled


def test_the_set_is_large_and_half_of_it_corrupted() -> None:
    kinds = [one.kind for folder in DATA.iterdir() for one in read_labelled(folder)]
    true = kinds.count(TRUE)
    assert len(kinds) >= 200
    assert 0.4 <= true / len(kinds) <= 0.6


def test_grounding_catches_what_it_promises_and_the_naive_check_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--json"]) == 0
    figures = json.loads(capsys.readouterr().out)

    def share(check: str, *kinds: str) -> float:
        counts = [own[check]["refused"][kind] for own in figures.values() for kind in kinds]
        return float(sum(refused for refused, _ in counts) / sum(total for _, total in counts))

    assert share("digest", "number") >= 0.95
    assert share("digest", "name") >= 0.95
    assert share("digest", "negation") >= 0.95
    assert share("digest", TRUE) <= 0.05
    assert share("naive", "negation") == 0
    assert share("naive", "name") < 0.95


def test_misses_are_printed_with_their_language_and_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--misses", "dev"]) == 0
    assert "[es, true] Unos 2.300 habitantes" in capsys.readouterr().out
