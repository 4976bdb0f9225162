"""What a sender armed last, noted outside the database."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.deliver.marks import Mark, Marks, read_marks, tidy_marks
from digest.domain.deliveries import Claim, DeliveryId
from digest.domain.errors import DiskFull, Unavailable
from digest.domain.issues import IssueId
from digest.domain.subscribers import SubscriberId
from digest.store.homes import Armed
from tests.stored import NOW

ISSUE = IssueId(3)


def claim(number: int) -> Claim:
    message_id = f"<3.{number}.0a1b2c3d4e5f@news.example.org>"
    return Claim(DeliveryId(number), 2, "a@example.org", message_id, "x:0", SubscriberId(number), 0, NOW)


def armed(number: int) -> Armed:
    return Armed(DeliveryId(number), ISSUE, 2, claim(number).message_id)


def test_the_newest_mark_of_each_process_is_read(tmp_path: Path) -> None:
    with Marks(tmp_path / "a", "host:7:0:ab/..", ISSUE) as marks:
        marks.write([claim(number) for number in range(500)], NOW)
        marks.write([claim(4711)], NOW + timedelta(seconds=1))
    with Marks(tmp_path / "a", "host:8:0:cd", ISSUE) as other:
        other.write([claim(number) for number in range(1, 5)], NOW)
    assert read_marks(tmp_path / "a") == (
        Mark((armed(4711),), NOW + timedelta(seconds=1)),
        Mark((armed(2), armed(3), armed(4)), NOW),
    )


def test_no_mark_is_read_where_none_was_written(tmp_path: Path) -> None:
    assert read_marks(tmp_path / "nowhere") == ()
    with Marks(tmp_path, "me", ISSUE):
        assert read_marks(tmp_path) == ()
    (tmp_path / "odd.mark").write_bytes(b"\xff{")
    assert read_marks(tmp_path) == ()


@pytest.mark.parametrize(("code", "raised"), [(errno.ENOSPC, DiskFull), (errno.EIO, Unavailable)])
def test_a_mark_that_cannot_be_written_holds_the_dots_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]
) -> None:
    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    with Marks(tmp_path, "me", ISSUE) as marks:
        monkeypatch.setattr(os, "pwrite", fail)
        with pytest.raises(raised, match="me.mark" if raised is Unavailable else "is full"):
            marks.write([claim(1)], NOW)


def test_marks_of_processes_long_gone_are_removed_but_for_the_newest(tmp_path: Path) -> None:
    for number in range(30):
        with Marks(tmp_path, f"w{number}", ISSUE) as marks:
            marks.write([claim(number)], NOW)
        age = NOW - timedelta(hours=number * 2)
        os.utime(tmp_path / f"w{number}.mark", (age.timestamp(), age.timestamp()))
    tidy_marks(tmp_path, now=NOW)
    left = {mark.armed[0].delivery for mark in read_marks(tmp_path)}
    assert left == set(range(16)), "all that is younger than a day, and sixteen at least"
    tidy_marks(tmp_path, now=datetime(2020, 1, 1, tzinfo=NOW.tzinfo))
    assert len(read_marks(tmp_path)) == 16
