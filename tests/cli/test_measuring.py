"""Being measured by the command line: readers asked, said so, and what they opened shown."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from digest.domain.issues import IssueId
from digest.domain.measuring import LEAST
from digest.runtime import open_runtime
from digest.store.database import writing
from digest.store.measures import IssueMeasureRow, note_measured
from tests.cli.conftest import Digest


def measure(html: int, text: int = 0, *, has_links: bool = True) -> None:
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        note_measured(session, IssueId(1), html=html, text=text, has_links=has_links)
    runtime.engine.dispose()


def count(**counts: int) -> None:
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        session.execute(update(IssueMeasureRow).values(**counts))
    runtime.engine.dispose()


def test_readers_are_asked_and_what_they_opened_is_shown(drafted: Path, digest: Digest) -> None:
    nothing = digest("issue", "opens", "1").well().out
    assert (
        "Nothing is measured of issue 1: 'digest newsletter change NEWSLETTER --measuring asked'" in nothing
    )
    asked = digest("newsletter", "change", "weekly", "--measuring", "asked").well().out
    assert "Readers find a box that is not ticked" in asked
    assert "of each reader who agrees to it" in digest("newsletter", "show", "weekly").well().out
    assert "delivered to nobody who had agreed" in digest("issue", "opens", "1").well().out
    measure(1204)
    count(opened=494, followed=120, left_out=7)
    shown = digest("issue", "opens", "1").well().out
    assert "494 of 1204 readers who agreed, 41 %" in shown
    assert "120 of 1204 readers who agreed, 10 %" in shown
    told = digest("issue", "opens", "1", "--json").json
    assert told == {
        "issue_id": 1,
        "is_asked": True,
        "measured": 1204,
        "opened": {"did": 494, "of": 1204, "percent": 41},
        "followed": {"did": 120, "of": 1204, "percent": 10},
        "left_out": 7,
        "has_links": True,
    }, "what the API tells, by the same names"
    off = digest("newsletter", "change", "weekly", "--measuring", "off").well().out
    assert "Who agreed can still take it back." in off


def test_of_few_nothing_is_told_and_why_is_said(drafted: Path, digest: Digest) -> None:
    measure(LEAST - 1)
    count(opened=3)
    shown = digest("issue", "opens", "1").well().out
    assert f"Of fewer than {LEAST} nothing is told, so that nobody is singled out." in shown
    assert digest("issue", "opens", "1", "--json").json["opened"] is None


def test_where_links_are_not_counted_that_is_said(drafted: Path, digest: Digest) -> None:
    measure(LEAST, has_links=False)
    assert "its links are not counted" in digest("issue", "opens", "1").well().out


def test_a_word_that_is_no_choice_is_told(weekly: Path, digest: Digest) -> None:
    said = digest("newsletter", "change", "weekly", "--measuring", "always").err
    assert "'always' is not one of 'off', 'asked'" in said
