"""What is asked for wrongly: one clear paragraph, the right exit code, nothing lost."""

from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest, rows_in


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["newsletter", "show", "weekyl"], ["no newsletter 'weekyl'", "there is: weekly"]),
        (["run", "weekyl"], ["no newsletter 'weekyl'"]),
        (["issue", "list", "weekyl"], ["no newsletter 'weekyl'"]),
        (["topic", "show", "weekly", "sports"], ["no topic 'sports'", "climate, space"]),
        (["topic", "remove", "weekly", "sports"], ["no topic 'sports'"]),
        (["subscriber", "add", "weekly", "eve@example.org", "--topic", "sports"], ["no topic 'sports'"]),
        (["source", "show", "weekly", "Nowhere"], ["no source 'Nowhere'", "digest source add"]),
        (["source", "add", "weekly", "https://example.org/f", "--topic", "sports"], ["no topic 'sports'"]),
        (["subscriber", "show", "weekly", "eve@example.org"], ["'eve@example.org' is not a subscriber"]),
        (["subscriber", "remove", "weekly", "eve@example.org"], ["'eve@example.org' is not a subscriber"]),
        (["issue", "show", "7"], ["no issue 7", "digest issue list"]),
        (["issue", "cancel", "7"], ["no issue 7"]),
        (["issue", "preview", "7"], ["no issue 7"]),
        (["send", "7"], ["no issue 7"]),
        (["why", "ada@example.org", "7"], ["no issue 7"]),
        (["article", "takeaways", "7"], ["no article '7'", "digest article list"]),
        (["article", "takeaways", "9" * 30], ["no article '999", "digest article list"]),
        (
            ["article", "edit", "https://example.org/x", "--takeaway", "x"],
            ["no article 'https://example.org/x'"],
        ),
        (["article", "restore", "tides", "--version", "1"], ["no article 'tides'"]),
        (["schedule", "pause", "7"], ["no schedule 7", "digest schedule list"]),
        (["schedule", "next", "7"], ["no schedule 7"]),
        (["schedule", "remove", "7"], ["no schedule 7"]),
        (["schedule", "run", "7"], ["no held occurrence 7", "digest schedule list"]),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    weekly: Path, digest: Digest, command: list[str], words: list[str]
) -> None:
    digest(*command).refused(WRONG, *words)


IDENTITY = ["--name", "N", "--from", "a@example.org", "--postal-address", "P"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["newsletter", "add", "Weekly News", *IDENTITY], ["'Weekly News' is not a short name", "hyphens"]),
        (["newsletter", "add", "weekly", *IDENTITY], ["'weekly' exists already"]),
        (["newsletter", "add", "x", *IDENTITY, "--from", "editors"], ["'editors' is not an e-mail address"]),
        (["newsletter", "add", "x", *IDENTITY, "--from", "lektør@example.org"], ["SMTPUTF8", "letters"]),
        (["newsletter", "add", "x", *IDENTITY, "--name", " "], ["--name is empty"]),
        (["newsletter", "add", "x", *IDENTITY, "--name", "x" * 201], ["--name", "201", "200"]),
        (["newsletter", "add", "x", *IDENTITY, "--timezone", "Europe"], ["'Europe' is not a time zone"]),
        (
            ["newsletter", "add", "x", *IDENTITY, "--timezone", "Mars/Base"],
            ["'Mars/Base' is not a time zone"],
        ),
        (["newsletter", "add", "x", *IDENTITY, "--language", "klingon!"], ["not a language tag", "pt-BR"]),
        (["newsletter", "add", "x", *IDENTITY, "--language", "und"], ["'und' names no language", "pt-BR"]),
        (["newsletter", "change", "weekly", "--language", ""], ["'' names no language", "pt-BR"]),
        (["subscriber", "add", "weekly", "eve@"], ["'eve@' is not an e-mail address"]),
        (["subscriber", "add", "weekly", "eve@example.org\nBcc: x@example.org"], ["not an e-mail address"]),
        (["subscriber", "add", "weekly", "eve@example.org", "--timezone", "x"], ["'x' is not a time zone"]),
        (
            ["subscriber", "add", "weekly", "eve@example.org", "--cadence", "monthly"],
            ["'monthly' is no cadence of this newsletter; it offers: every", "--cadence"],
        ),
        (["newsletter", "change", "weekly", "--cadence", "yearly"], ["'yearly' is not one of", "monthly"]),
        (["newsletter", "change", "weekly", "--quiet-hours", "22-7"], ["'22-7'", "22:00-07:00"]),
        (["source", "add", "weekly", "example.org/feed"], ["'example.org/feed' is not an http(s) URL"]),
        (["source", "add", "weekly", "file:///etc/passwd"], ["not an http(s) URL"]),
        (["source", "add", "weekly", "http://e.org/", "--link-pattern", "("], ["'(' is not a regular expr"]),
        (["topic", "add", "weekly", "food"], ["would match nothing", "--phrase"]),
        (["topic", "add", "weekly", "food", "--phrase", " "], ["would match nothing"]),
        (["topic", "add", "weekly", "climate", "--phrase", "x"], ["'climate' exists already"]),
        (["schedule", "add", "weekly", "every monday"], ["'every monday' is not a cron rule", "0 7 * * MON"]),
        (["schedule", "add", "weekly", "0 7 30 2 *"], ["0 7 30 2 *"]),
        (["schedule", "add", "weekly", "0 7 * * 1", "--timezone", "x"], ["'x' is not a time zone"]),
        (["run", "weekly", "--window", "last week"], ["--window 'last week'", "2026-11-16..2026-11-22"]),
        (["run", "weekly", "--window", "2026-11-22..2026-11-16"], ["ends before it begins"]),
        (["run", "weekly", "--window", "9999-12-30..9999-12-31"], ["no calendar reaches that far"]),
        (["issue", "edit", "1"], ["nothing to change", "--subject"]),
        (["newsletter", "change", "weekly"], ["nothing to change", "--takeaways"]),
        (["article", "edit", "1"], ["either by --takeaway, one each, or by --file"]),
        (["article", "edit", "1", "--takeaway", "x", "--file", "y"], ["either by --takeaway"]),
        (["article", "edit", "1", "--file", "no-such-file.txt"], ["no-such-file.txt cannot be read"]),
        (["article", "edit", "1", "--file", "-"], ["holds no takeaway"]),
        (["inspect", "feed", "ftp://example.org/feed"], ["'ftp://example.org/feed' is not an http(s) URL"]),
        (["inspect", "article", "no-such-file.html"], ["'no-such-file.html' cannot be read: No such file"]),
        (["inspect", "article", "."], ["'.' cannot be read: Is a directory"]),
    ],
)
def test_a_value_that_cannot_be_is_told_with_one_that_could(
    weekly: Path, digest: Digest, command: list[str], words: list[str]
) -> None:
    digest(*command).refused(WRONG, *words)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], ["Usage: digest", "From sources to readers:"]),
        (["issue"], ["Usage: digest issue", "reconcile"]),
        (["isue", "list"], ["No such command 'isue'. Did you mean 'issue'"]),
        (["issue", "lst"], ["No such command 'lst'. Did you mean 'list'?"]),
        (["run"], ["Missing argument 'NEWSLETTER'", "digest run --help"]),
        (["run", "weekly", "--dryrun"], ["No such option", "--dry-run"]),
        (["issue", "show", "one"], ["'ISSUE'", "integer"]),
        (["issue", "show", "0"], ["'ISSUE'", "count from 1"]),
        (["issue", "show", "99999999999999999999999"], ["'ISSUE'", "cannot be a number of anything"]),
        (["newsletter", "add", "x", *IDENTITY, "--window-days", "0"], ["--window-days", "1"]),
        (["newsletter", "add", "x", *IDENTITY, "--takeaway-words", "7"], ["--takeaway-words", "8"]),
        (["newsletter", "change", "x", "--takeaway-words", "81"], ["--takeaway-words", "80"]),
        (["newsletter", "change", "x", "--takeaway-style", "loud"], ["plain", "neutral", "brief"]),
        (["article", "restore", "7"], ["--version"]),
        (["article", "restore", "7", "--version", "0"], ["--version", "1"]),
        (["up", "--port", "99999"], ["--port", "65535"]),
        (["newsletter", "show", "\udcff"], ["\\xff", "is not UTF-8"]),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(
    home: Path, digest: Digest, command: list[str], words: list[str]
) -> None:
    told = digest(*command)
    assert (told.code, told.out) == (WRONG, "")
    assert "Traceback" not in told.err
    for word in words:
        assert word in told.err


def test_a_question_that_nobody_answers_changes_nothing(weekly: Path, digest: Digest) -> None:
    digest("newsletter", "remove", "weekly").refused(WRONG, "nobody answered", "--yes")
    digest("newsletter", "show", "weekly").well()


def test_a_demo_does_not_empty_a_folder_of_somebody_else(nowhere: Path, digest: Digest) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("keep me")
    digest("demo", "--folder", "mine").refused(WRONG, "mine", "--folder")
    for impossible in ("mine/letter.txt", "mine/letter.txt/demo"):
        told = digest("demo", "--folder", impossible).refused(
            WRONG, impossible, "Not a directory", "--folder"
        )
        assert told.err.count("\n") == 1
    assert Path("mine/letter.txt").read_text() == "keep me"


@pytest.mark.parametrize("by", ["Ada\nX", "Ada\r2026-11-22 07:00  Ben", "Ada\x1b[2J", "A\u202eda", " "])
@pytest.mark.parametrize(
    "command",
    [
        ["issue", "approve", "1"],
        ["issue", "hide", "1"],
        ["issue", "pin", "1", "1"],
        ["issue", "drop", "1", "1"],
        ["article", "topic", "1", "--add", "space"],
        ["article", "edit", "1", "--takeaway", "Ours."],
        ["article", "restore", "1", "--version", "1"],
        ["article", "release", "1"],
    ],
)
def test_a_name_that_would_break_the_history_is_refused_before_anything_is_changed(
    by: str, command: list[str], drafted: Path, digest: Digest
) -> None:
    before = rows_in(drafted)
    digest(*command, "--by", by).refused(WRONG, "--by ")
    assert rows_in(drafted) == before


def test_who_approves_a_run_unseen_is_named_on_one_line_too(drafted: Path, digest: Digest) -> None:
    before = rows_in(drafted)
    digest("run", "weekly", "--approve", "Ada\nX").refused(WRONG, "--approve holds a line break (U+000A)")
    assert rows_in(drafted) == before
