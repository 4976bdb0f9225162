import json
from pathlib import Path

import pytest

from benchmarks import takeaways
from benchmarks.fit_takeaways import fit
from benchmarks.rouge import rouge
from benchmarks.takeaways import main
from digest.condense.ranking import JOINT, SINGLE
from tests.condense.samples import HARBOUR


@pytest.fixture
def file(tmp_path: Path) -> Path:
    row = {
        "id": "1",
        "title": HARBOUR.title,
        "text": HARBOUR.text,
        "highlights": ["A flood wall will be built."],
    }
    path = tmp_path / "articles.jsonl"
    path.write_text(f"{json.dumps(row)}\n\n{json.dumps(row | {'id': '2'})}\n", encoding="utf-8")
    return path


def test_every_system_is_scored_at_no_more_words_than_ours(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"digest", "lead3", "lexrank", "textrank"} <= figures.keys()
    for name in ("digest", "lead3", "lexrank", "textrank"):
        assert {"rouge1", "rouge2", "rougeL", "ms_per_article"} <= figures[name].keys()
        assert 0 < figures[name]["rouge1"] < 100
        assert figures[name]["words"] <= figures["digest"]["words"]


def test_the_table_names_every_system(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file), "--limit", "1", "--at", "sentences"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("digest", "lead3", "lexrank", "textrank", "ROUGE-L"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no articles"),
        ("{}\n", "line 1"),
        ('{"text": "a", "highlights": "b"}', "line 1"),
        ("\nnonsense", "line 2"),
        ('{"text": null, "highlights": []}', "text is not a string"),
        ('{"text": "a", "highlights": [1]}', "highlights is not a list of strings"),
    ],
)
def test_a_file_of_something_else_is_refused_with_its_line(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    assert main([str(path)]) == 2
    assert said in capsys.readouterr().err
    assert main([str(tmp_path / "missing.jsonl")]) == 2


def test_a_file_that_is_no_text_is_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"\xff\xfe\x00not text\n")
    assert main([str(path)]) == 2
    path.write_bytes(b'\xef\xbb\xbf{"text": "A wall is built.", "highlights": ["A wall."]}\r\n')
    assert main([str(path), "--json"]) == 0


def test_rouge_agrees_with_hand_counted_examples() -> None:
    same = rouge(["The walls were built."], ["the wall were built"])
    assert (same.rouge1, same.rouge2, same.rougeL) == (1, 1, 1)
    # 2 of 3 words, no pair, and one word in the same order: "b … a" against "a … b".
    swapped = rouge(["bb xx aa"], ["aa yy bb"])
    assert swapped.rouge1 == pytest.approx(2 / 3)
    assert swapped.rouge2 == 0
    assert swapped.rougeL == pytest.approx(1 / 3)
    # Summary level: the second sentence adds what the first lacks, and no word counts twice.
    union = rouge(["aa bb", "bb cc"], ["aa bb cc"])
    assert union.rougeL == pytest.approx(2 * 3 / (4 + 3))
    assert rouge([], ["aa"]).rouge1 == 0


def test_figures_over_lead_come_with_their_interval(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file), "--json"]) == 0
    ahead = json.loads(capsys.readouterr().out)["rouge1_over_lead3"]
    assert ahead["low"] <= ahead["mean"] <= ahead["high"]


def test_memory_is_watched_over_many_different_articles(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeaways, "MANY", 10)
    assert main([str(file), "--memory"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("10 articles")
    assert len(printed.partition("tenth: ")[2].split()) == 10


def test_a_model_is_fitted_to_what_people_highlighted(tmp_path: Path) -> None:
    lines = [
        f"The {word} of Port Ellery rose by {number} percent in the year {2000 + number}."
        for number, word in enumerate(("rent", "toll", "rate", "fare", "levy", "duty", "wage"))
    ]
    for last in (False, True):
        rows = [
            {"id": str(turn), "text": " ".join([*lines[turn:], *lines[:turn]])} for turn in range(len(lines))
        ]
        for turn, row in enumerate(rows):
            row["highlights"] = [lines[turn - 1] if last else lines[turn]]  # type: ignore[assignment]
        path = tmp_path / "articles.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        model = fit(list(takeaways.read_samples(path)))
        assert (model.worth["lateness"] > 0) == last
        assert set(model.sets) == {*SINGLE, *JOINT}
