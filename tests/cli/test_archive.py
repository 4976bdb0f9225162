"""The public archive from the command line: opened, closed, and what is taken out of it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Digest

ADDRESS = "http://127.0.0.1:8000/archive/weekly"


def test_an_archive_is_opened_shown_and_closed(weekly: Path, digest: Digest) -> None:
    assert "public archive: none" in shown(digest)
    opened = digest("newsletter", "change", "weekly", "--archive").well().out
    assert ADDRESS in opened
    assert "let your proxy pass on /archive/" in " ".join(opened.split())
    assert f"public archive: {ADDRESS}" in shown(digest)
    closed = digest("newsletter", "change", "weekly", "--no-archive").well().out
    assert "shown to nobody any more" in closed
    assert digest("newsletter", "show", "weekly", "--json").json["archive"] is False


def shown(digest: Digest) -> str:
    rows = digest("newsletter", "show", "weekly").well().out.splitlines()
    return "\n".join(
        ": ".join(part.strip() for part in row.strip().split("  ") if part.strip()) for row in rows
    )


def test_an_editor_takes_out_an_article_and_an_issue_and_puts_them_back(
    drafted: Path, digest: Digest
) -> None:
    digest("issue", "hide", "1", "--item", "1").refused(2, "was not approved")
    digest("issue", "approve", "1").well()
    assert digest("issue", "show", "1", "--json").json["issue"]["number"] == 1
    title = digest("issue", "show", "1", "--json").json["items"][1]["title"]
    told = digest("issue", "hide", "1", "--item", "2", "--by", "Ada").well().out
    assert f"'{title}' is in the archive no more" in " ".join(told.split())
    assert "The Weekly has no public archive at present." in told
    assert digest("issue", "show", "1", "--json").json["hidden"] == [2]
    assert "Not in the public archive: article 2." in digest("issue", "show", "1").well().out
    digest("issue", "hide", "1", "--item", "99").refused(2, "has no article 99")
    digest("issue", "unhide", "1", "--item", "2").well()
    assert digest("issue", "show", "1", "--json").json["hidden"] == []
    hidden = " ".join(digest("issue", "hide", "1").well().out.split())
    assert "Issue 1 of The Weekly (number 1 to its readers) is in the archive no more" in hidden
    assert "'digest issue unhide 1' shows it there" in digest("issue", "show", "1").well().out
    digest("issue", "hide", "1").refused(2, "is hidden already")
    digest("issue", "unhide", "1").well()
    digest("issue", "unhide", "1").refused(2, "is not hidden")
    digest("issue", "hide", "9").refused(2, "no issue 9")
    digest("issue", "cancel", "1", "--yes").well()
    digest("issue", "hide", "1").refused(2, "was cancelled", "'digest issue list' gives both")
