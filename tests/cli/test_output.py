"""What a terminal, a pipe and a program are given."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from digest.cli.lazy import help_width
from digest.cli.output import clean, say, show_json, show_table
from digest.domain.issues import IssueState
from tests.cli.conftest import COMMAND, Digest

ESCAPES = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202etxet"
MARKUP = "[bold]not bold[/] [link=https://example.org]x[/link] :smile:"
WIDE = "月面の溶岩洞に着陸した 🛰️ ランタン二号"


def on_a_terminal(command: list[str], *, columns: int, cwd: Path) -> str:
    """Run a command whose standard output is a terminal of that width, and return what it printed."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen(command, cwd=cwd, env=environment, stdout=slave, stdin=slave) as process:
        os.close(slave)
        shown = b""
        while chunk := _read(master):
            shown += chunk
    os.close(master)
    assert process.returncode == 0
    return shown.decode().replace("\r\n", "\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # how Linux tells that nobody holds the other end any more
        return b""


SHOW = [sys.executable, "-c", "import sys; from digest.cli.output import *; exec(sys.argv[1])"]
TABLE = f"show_table(('#', 'title', 'source'), [(1, {WIDE * 2!r}, 'The Meridian Post')], empty='')"


def test_names_and_titles_are_never_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    say(MARKUP)
    show_table(("title",), [(MARKUP,)], empty="")
    assert capsys.readouterr().out == f"{MARKUP}\ntitle\n{MARKUP}\n"


def test_what_would_act_on_a_terminal_is_shown_as_a_mark(capsys: pytest.CaptureFixture[str]) -> None:
    say(ESCAPES)
    show_table(("name",), [(ESCAPES,)], empty="")
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x07\x9b\u202e")
    assert "red" in out
    assert clean("two\nlines\tand a tab") == "two\nlines\tand a tab"


def test_stored_names_cannot_recolour_a_terminal(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "add", "weekly", "eve@example.org", "--name", ESCAPES, "--topic", "space").well()
    for command in (["subscriber", "list", "weekly"], ["subscriber", "show", "weekly", "eve@example.org"]):
        assert "\x1b" not in digest(*command).well().out


def test_a_pipe_gets_each_row_on_one_line_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    long = "word " * 60
    show_table(("#", "title"), [(1, long.strip()), (2, None)], empty="")
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading == "#  title"
    assert first == f"1  {long.strip()}"
    assert second == "2"


def test_in_a_pipe_one_long_title_does_not_widen_the_rows_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long, words = "word " * 60, "two\nlines"
    show_table(("title", "source"), [(long.strip(), "Post"), (words, WIDE), ("x" * 60, None)], empty="")
    _heading, first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"{long.strip()}  Post"
    assert second == f"{'two lines':60}  {WIDE}"
    assert third == "x" * 60


def test_a_pipe_is_as_wide_as_columns_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines_at(columns: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", columns)
        show_table(("#", "title", "source"), [(1, "word " * 30, "The Meridian Post")], empty="")
        return capsys.readouterr().out.splitlines()

    assert len(lines_at("70")) > 3
    assert max(map(len, lines_at("70"))) <= 70
    assert lines_at("40")[0] == "# 1"
    for nothing in ("", "0", "wide", "-3"):
        assert len(lines_at(nothing)) == 2


def test_a_table_without_headings_begins_with_its_first_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("", ""), [("sources", 5)], empty="")
    assert capsys.readouterr().out == "sources  5\n"
    show_table(("a",), [], empty="Nothing yet.")
    assert capsys.readouterr().out == "Nothing yet.\n"


@pytest.mark.parametrize("columns", [40, 80])
def test_a_table_fits_the_terminal_wide_characters_and_all(columns: int, tmp_path: Path) -> None:
    shown = on_a_terminal([*SHOW, TABLE], columns=columns, cwd=tmp_path)
    if columns == 80:
        assert all(cell_len(line) <= columns for line in _plain(shown).splitlines())
    assert "The Meridian Post" in shown


def test_a_terminal_is_told_all_of_what_is_too_long_for_it(tmp_path: Path) -> None:
    address = "https://example.org/" + "x" * 300
    table = f"show_table(('#', 'address'), [(1, {address!r}), (2, 'short')], empty='')"
    lines = _plain(on_a_terminal([*SHOW, table], columns=80, cwd=tmp_path)).splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(line.removeprefix("1").strip() for line in lines[1:-1]) == address
    assert lines[-1].split() == ["2", "short"]


def test_on_a_narrow_terminal_rows_are_told_one_by_one(tmp_path: Path) -> None:
    lines = _plain(on_a_terminal([*SHOW, TABLE], columns=40, cwd=tmp_path)).splitlines()
    assert lines[0] == "# 1"
    assert lines[-1] == "  source: The Meridian Post"


def _plain(shown: str) -> str:
    return shown.replace("\x1b[1m", "").replace("\x1b[0m", "")


@pytest.mark.parametrize("command", [[], ["issue"], ["newsletter", "add"], ["run"]])
def test_help_fits_forty_columns(command: list[str], tmp_path: Path) -> None:
    shown = on_a_terminal([str(COMMAND), *command, "--help"], columns=40, cwd=tmp_path)
    prose = shown.partition("Examples:")[0]
    assert max(map(len, prose.splitlines())) <= 40 + 8  # a long option stands alone on its line


def test_help_is_no_wider_than_reads_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert help_width() == 98
    monkeypatch.setenv("COLUMNS", "10")
    assert help_width() == 32


@dataclass(frozen=True, slots=True)
class Something:
    where: Path
    when: datetime
    state: IssueState
    words: frozenset[str]
    text: str


def test_json_holds_values_as_a_program_reads_them(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 11, 22, 7, tzinfo=UTC)
    show_json({"one": Something(Path("a/b"), moment, IssueState.SENT, frozenset({"z", "a"}), WIDE)})
    show_json([date(2026, 11, 22), None, {IssueState.DRAFT: 1}])
    out = capsys.readouterr().out
    one, _, rest = out.partition("}\n}\n")
    assert json.loads(f"{one}}}\n}}") == {
        "one": {
            "where": "a/b",
            "when": "2026-11-22T07:00:00+00:00",
            "state": "sent",
            "words": ["a", "z"],
            "text": WIDE,
        }
    }
    assert json.loads(rest) == ["2026-11-22", None, {"draft": 1}]
