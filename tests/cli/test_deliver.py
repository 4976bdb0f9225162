"""`digest deliver reconcile` as ops type it, with what they may get wrong."""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest, rows_in
from tests.deliver.logs.samples import bounced, postfix


@pytest.fixture
def unknown(drafted: Path, digest: Digest) -> Iterator[tuple[str, str]]:
    """Issue 1 went to two readers, and whether they have it is unknown: the two Message-IDs."""
    digest("issue", "approve", "1", "--by", "Ada").well()
    digest("send", "1").well()
    with closing(sqlite3.connect(drafted / "digest.db")) as database:
        database.execute("UPDATE deliveries SET state = 'unknown', armed_at = '2026-11-23 07:00:01.000000'")
        database.commit()
        (one,), (two,) = database.execute("SELECT message_id FROM deliveries ORDER BY id").fetchall()
        yield one, two


def write(lines: Iterable[str], name: str = "mail.log") -> None:
    """Write a log whose stamps name their year, whenever this runs."""
    text = re.sub(r"Nov 23 ([\d:]+)", r"2026-11-23T\1Z", "".join(lines)).encode()
    Path(name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)


def reconcile(*more: str) -> tuple[str, ...]:
    return ("deliver", "reconcile", "--log", "mail.log", *more)


def test_a_log_is_told_of_before_and_after_it_settles(unknown: tuple[str, str], digest: Digest) -> None:
    lines = [*postfix("A1", unknown[0], end=bounced()), *postfix("A2", unknown[1], taken=False)]
    write(lines)
    before = rows_in(Path())
    trial = digest(*reconcile("--complete", "--dry-run")).well().out
    assert "A dry run: nothing was changed." in trial
    assert rows_in(Path()) == before
    told = digest(*reconcile("--json", "--complete", "--dry-run")).well().json
    assert told["issues"] == [{"issue": 1, "accepted": 1, "again": 1, "unknown": 0}]
    assert told["bounces"] == {"found": 1, "changed": {"suppressed": 1}, "known": 0, "strange": 0}
    write(lines[:2], "mail.log.1.gz")
    write(line.replace("07:00:01", "07:00:02") for line in lines[2:])
    done = digest(*reconcile("--log", "mail.log.1.gz", "--complete", "--issue", "1")).well().out
    assert "Postfix, 7 lines, 20" in done
    assert "1 bounce of ours: 1 address suppressed." in done
    assert "'digest send 1' sends them" in done
    assert "log" in digest("bounces", "list").well().out


def test_what_is_typed_wrongly_is_told_and_changes_nothing(unknown: tuple[str, str], digest: Digest) -> None:
    before = rows_in(Path())
    write(postfix("A1", unknown[0], clock="06:00:00"))
    digest(*reconcile("--complete")).refused(WRONG, "--complete: the log covers", "06:00:00 to 2026")
    digest(*reconcile("--issue", "9")).refused(WRONG, "issue 9")
    digest(*reconcile("--timezone", "Mars/Base")).refused(WRONG, "'Mars/Base' is not a time zone")
    digest("deliver", "reconcile").refused(WRONG, "--log")
    Path("diary").write_text("Dear diary\n")
    digest("deliver", "reconcile", "--log", "diary").refused(WRONG, "diary is no log of Postfix or Exim")
    digest("deliver", "reconcile", "--log", "none").refused(WRONG, "none cannot be read: No such file")
    Path("empty").touch()
    digest("issue", "reconcile", "1", "--log", "empty", "--complete").refused(
        WRONG, "empty, which proves nothing"
    )
    assert rows_in(Path()) == before


def test_where_nothing_is_open_a_log_settles_nothing(drafted: Path, digest: Digest) -> None:
    write(postfix("A1", "<shop@example.net>", end=bounced()))
    assert "nothing to settle" in digest(*reconcile()).well().out
