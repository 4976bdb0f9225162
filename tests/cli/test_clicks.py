"""Clicks by the command line: turned on, said so, and shown; and what readers told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from digest.domain.departures import Reason
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.runtime import open_runtime
from digest.store.clicks import Hit, count_clicks
from digest.store.database import writing
from digest.store.departures import DepartureRow, record_departure, say_why
from tests.cli.conftest import Digest


def test_clicks_are_turned_on_counted_shown_and_turned_off(drafted: Path, digest: Digest) -> None:
    nothing = digest("issue", "clicks", "1").well().out
    assert "No link of issue 1 was counted: 'digest newsletter change NEWSLETTER --clicks counted'" in nothing
    turned_on = digest("newsletter", "change", "weekly", "--clicks", "counted").well().out
    assert "/c/: let your proxy pass that on. The mail says so." in turned_on
    assert "counted, without who it was" in digest("newsletter", "show", "weekly").well().out
    digest("issue", "approve", "1", "--by", "Edith", "--despite-errors").well()
    assert "No link of issue 1 was followed" in digest("issue", "clicks", "1").well().out
    hits = [Hit("", IssueId(1), datetime(2026, 11, 23, 9, tzinfo=UTC), 0, "climate", "Meridian", 1)]
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        count_clicks(session, hits * 3, hits)
    runtime.engine.dispose()
    shown = digest("issue", "clicks", "1").well().out
    assert "3 links followed; 1 opened by scanners are left out." in shown
    assert "climate" in shown
    assert digest("issue", "clicks", "1", "--json").json["followed"] == 3
    turned_off = digest("newsletter", "change", "weekly", "--clicks", "off").well().out
    assert "Links of mail that was sent lead on as before" in turned_off


def test_a_word_that_is_no_choice_is_told(weekly: Path, digest: Digest) -> None:
    assert (
        "'always' is not one of 'off', 'counted'"
        in digest("newsletter", "change", "weekly", "--clicks", "always").err
    )


def test_what_readers_told_is_shown(drafted: Path, digest: Digest) -> None:
    assert "Nobody left after issue 1." in digest("issue", "heard", "1").well().out
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        record_departure(session, NewsletterId(1), SubscriberId(1), now=datetime(2026, 11, 23, tzinfo=UTC))
        session.execute(update(DepartureRow).values(issue_id=1))
        say_why(session, NewsletterId(1), SubscriberId(1), Reason.NOT_GOOD, "Dull.")
    runtime.engine.dispose()
    shown = digest("issue", "heard", "1").well().out
    assert "1 reader left after issue 1." in shown
    assert "it does not help them" in shown
    assert "Dull." in shown
    assert digest("issue", "heard", "1", "--json").json["departures"]["reasons"] == {"not-good": 1}
    assert "no issue 99" in digest("issue", "heard", "99").err
