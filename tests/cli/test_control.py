"""Pausing, ending, sending again and looking on, as somebody types it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


@pytest.fixture
def approved(drafted: Path, digest: Digest) -> Path:
    """An approved issue of two readers."""
    digest("issue", "approve", "1").well()
    return drafted


def spoil(folder: Path, state: str, text: str = "") -> None:
    """Let one mail of the sent issue have come to something else."""
    with closing(sqlite3.connect(folder / "digest.db")) as database:
        database.execute(
            "UPDATE deliveries SET state = ?, smtp_code = 554, smtp_text = ?, owner = 'host:7:0:ab' "
            "WHERE email = 'ada@example.org'",
            (state, text),
        )
        database.commit()


def mails(folder: Path) -> int:
    return len(list((folder / "outbox" / "new").glob("*")))


def test_an_approved_issue_is_paused_told_of_and_goes_on(approved: Path, digest: Digest) -> None:
    digest("issue", "pause", "1", "--why", "wrong date", "--by", "Ada Fenwick").well()
    digest("send", "1").refused(WRONG, "issue 1 is paused", "'digest issue resume 1'")
    assert "paused by Ada Fenwick: wrong date" in digest("issue", "show", "1").well().out
    assert digest("issue", "show", "1", "--json").json["pause"]["by"] == "Ada Fenwick"
    assert "The issue is paused by Ada Fenwick" in digest("why", "ada@example.org", "1").well().out
    told = digest("issue", "progress", "1").well().out
    assert "It is paused by Ada Fenwick: wrong date. 'digest issue resume 1' goes on." in told
    assert "approved again" in digest("issue", "resume", "1").well().out
    digest("send", "1").well()
    assert mails(approved) == 2


def test_everything_is_held_and_let_go(approved: Path, digest: Digest) -> None:
    digest("pause", "--why", "the server moves", "--by", "Ben").well()
    digest("pause").refused(WRONG, "held already")
    digest("send", "1").refused(WRONG, "held by Ben: the server moves", "'digest resume'")
    assert "Nothing is sent now: everything is held by Ben" in digest("issue", "show", "1").well().out
    assert "It was held by Ben: the server moves" in digest("resume").well().out
    digest("resume").refused(WRONG, "nothing is held", "'digest issue resume ISSUE'")
    digest("send", "1").well()


def test_a_cancelled_week_is_made_again_and_spares_who_has_it(approved: Path, digest: Digest) -> None:
    digest("send", "1").well()
    digest("issue", "again", "1").refused(WRONG, "issue 1 is sent", "only the days of a cancelled issue")
    spoil(approved, "pending")
    with closing(sqlite3.connect(approved / "digest.db")) as database:
        database.execute("UPDATE issues SET state = 'sending'")
        database.commit()
    out = digest("issue", "cancel", "1", "--yes", "--why", "a mistake", "--by", "Ben").well().out
    assert "1 mail will not be sent" in out
    assert "1 reader has it" in out
    assert "cancelled by Ben: a mistake" in digest("issue", "show", "1").well().out
    assert "Issue 2 is a draft of the same days" in digest("issue", "again", "1").well().out
    digest("issue", "approve", "2").well()
    digest("send", "2").well()
    shown = digest("issue", "show", "2", "--json").well().json
    assert shown["deliveries"]["accepted"] == 1
    assert shown["skipped"]["already_sent"] == 1


def test_what_failed_is_asked_for_and_sent_once_more(approved: Path, digest: Digest) -> None:
    digest("issue", "resend", "1", "--failed").refused(WRONG, "issue 1 is approved", "nothing of it was sent")
    digest("send", "1").well()
    digest("issue", "resend", "1").refused(WRONG, "--failed, --unknown or both")
    nothing = "nothing of issue 1 can be sent once more: no mail of it failed"
    digest("issue", "resend", "1", "--failed").refused(WRONG, nothing)
    digest("issue", "resend", "1", "--failed", "--unknown").refused(WRONG, f"{nothing} or is of unknown")
    spoil(approved, "failed", "5.6.0 not like this")
    told = digest("issue", "progress", "1").well().out
    assert "1 refused for good" in told
    assert "554 5.6.0 not like this" in told
    assert "'digest issue resend 1 --failed'" in told
    asked = digest("issue", "resend", "1", "--failed")
    assert "1 mail of issue 1 failed and can be sent once more." in asked.out
    asked.refused(WRONG, "--yes goes on without asking")
    again = digest("issue", "resend", "1", "--failed", answer="y").well()
    assert "1 mail will be sent once more" in again.out
    digest("send", "1").well()
    assert mails(approved) == 3


def test_what_is_unknown_is_listed_with_both_choices(approved: Path, digest: Digest) -> None:
    digest("send", "1").well()
    assert "No mail of issue 1 is of unknown outcome" in digest("issue", "unknown", "1").well().out
    spoil(approved, "unknown", "the line went dead")
    told = digest("issue", "unknown", "1").well().out
    for words in (
        "ada@example.org",
        "host:7:0:ab",
        "the line went dead",
        "hold      do nothing",
        "digest issue resend 1 --unknown",
        "digest issue arrived 1 --to EMAIL",
    ):
        assert words in told
    (one,) = digest("issue", "unknown", "1", "--json").json["deliveries"]
    assert one["email"] == "ada@example.org"
    warned = digest("issue", "resend", "1", "--unknown", "--to", "ada@example.org", answer="n")
    assert "whoever has it will have it twice" in warned.out
    nobody = digest("issue", "arrived", "1", "--to", "nobody@example.org")
    nobody.refused(WRONG, "no mail of issue 1 to them is of unknown outcome")
    digest("issue", "resend", "1", "--unknown", "--to", "nobody@example.org").refused(WRONG, "nobody@example")
    digest("issue", "resend", "1", "--unknown", "--to", "ada@example.org", "--yes").well()
    digest("send", "1").well()
    assert mails(approved) == 3


def test_progress_is_data_for_programs_and_ends_with_the_issue(approved: Path, digest: Digest) -> None:
    digest("send", "1").well()
    told = digest("issue", "progress", "1", "--watch", "--json").well().json
    assert (told["total"], told["states"]["accepted"], told["is_over"], told["waits"]) == (2, 2, True, None)
    digest("issue", "progress", "7").refused(WRONG, "no issue 7")


def test_what_a_reader_says_has_arrived_is_settled_and_not_sent(approved: Path, digest: Digest) -> None:
    digest("send", "1").well()
    sent = mails(approved)
    spoil(approved, "unknown", "the line went dead")
    told = digest("issue", "arrived", "1", "--to", "Ada@example.org", "--by", "Olga").well().out
    assert "1 mail of issue 1 counts as arrived." in told
    assert "No mail of issue 1 is of unknown outcome" in digest("issue", "unknown", "1").well().out
    assert mails(approved) == sent
    digest("issue", "arrived", "1", "--to", "ada@example.org").refused(WRONG, "nothing was changed")
