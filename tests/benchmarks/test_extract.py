from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.extract import main
from benchmarks.pages import author_f1, same_picture, same_title, shingle_shares
from tests.gather.pages.samples import prose

PAGE = (
    f"<html><head><title>Bridge opens in May | Valley</title></head><body><article>{prose()}</article></body>"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.html").write_text(PAGE, encoding="utf-8")
    text = prose().replace("<p>", "").replace("</p>", "\n")
    (tmp_path / "one.txt").write_text(text, encoding="utf-8")
    (tmp_path / "without-gold.html").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_the_benchmark_scores_a_folder_beside_trafilatura(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = {"title": "Bridge opens in May", "authors": [], "date": "2026-11-18", "image": None}
    (folder / "one.json").write_text(json.dumps(note), encoding="utf-8")
    assert main([str(folder), "--json", "--rounds", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pages"], told["noted"]) == (1, 1)
    assert told["digest"]["f1"] == 1
    assert (told["digest"]["title"], told["digest"]["date"], told["digest"]["image"]) == (1, 0, 1)
    assert told["trafilatura"]["ms_per_page"] > 0
    assert told["time_ratio"] > 0


def test_pages_without_notes_are_scored_by_their_text_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "--rounds", "1", "--worst", "1"]) == 0
    told = capsys.readouterr().out
    assert "1 pages, 0 with notes" in told
    assert "one: precision 1.000" in told


@pytest.mark.parametrize("content", ["[1]", "{", '{"authors": "Ada"}'])
def test_a_bad_folder_is_refused_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (folder / "one.json").write_text(content, encoding="utf-8")
    assert main([str(folder)]) == 2
    assert "one.json" in capsys.readouterr().err


def test_a_folder_that_is_none_or_has_no_pages_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 2
    assert "no page NAME.html" in capsys.readouterr().err


def test_shingles_count_as_often_as_they_stand_there() -> None:
    shares = shingle_shares("a b c d a b c d", "a b c d")
    assert (round(shares.precision, 2), shares.recall) == (0.2, 1.0)
    assert shingle_shares("", "").precision == 1
    assert shingle_shares("x", "").precision == 0


def test_titles_names_and_pictures_are_compared_for_what_they_mean() -> None:
    assert same_title("It’s “open”", "It's 'Open'")
    assert not same_title("Bridge opens | Valley", "Bridge opens")
    assert author_f1(["ADA BERG"], ("Ada Berg", "Kim Lee")) == pytest.approx(2 / 3)
    assert same_picture("https://a.example/b-1200x630.jpg?w=3", "https://c.example/b.jpg")
    assert not same_picture("https://a.example/b.jpg", None)
    assert same_picture(None, None)
