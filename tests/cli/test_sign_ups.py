"""Sign-ups by the command line: what became of them, by day, and nobody's address."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUpOutcome
from digest.runtime import open_runtime
from digest.store.database import writing
from digest.store.sign_ups import tally_sign_ups
from tests.cli.conftest import WRONG, Digest


def tally(**counts: int) -> str:
    """Count sign-ups of now, by outcome; return today's date by UTC."""
    runtime, now = open_runtime(), datetime.now(UTC)
    with writing(runtime.engine) as session:
        told = {(NewsletterId(1), SignUpOutcome(outcome)): count for outcome, count in counts.items()}
        tally_sign_ups(session, told, now=now)
    runtime.engine.dispose()
    return f"{now:%Y-%m-%d}"


def test_what_became_of_them_is_shown_by_day(weekly: Path, digest: Digest) -> None:
    nothing = digest("sign-ups").well().out
    assert "The Weekly: /subscribe/weekly takes sign-ups." in nothing
    assert "Nobody signed up in these days." in nothing
    today = tally(asked=1_200, per_newsletter=3)
    shown = digest("sign-ups", "weekly").well().out
    lines = [line.split(maxsplit=2) for line in shown.splitlines()]
    assert [today, "1,200", "mailed a link to confirm it"] in lines
    assert [today, "3", "put off: over the cap for the newsletter an hour"] in lines
    (told,) = digest("sign-ups", "--json").json
    assert told["days"] == [{"day": today, "counts": {"asked": 1200, "per_newsletter": 3}}]
    assert (told["slug"], told["waiting"]) == ("weekly", 0)


def test_a_closed_page_says_how_it_is_opened(weekly: Path, digest: Digest) -> None:
    digest("newsletter", "change", "weekly", "--no-sign-up").well()
    assert "'digest newsletter change weekly --sign-up' opens it" in digest("sign-ups").well().out


def test_a_newsletter_that_is_not_there_is_named(weekly: Path, digest: Digest) -> None:
    assert digest("sign-ups", "monthly").refused(WRONG, "monthly").out == ""


def test_before_there_is_a_newsletter_it_says_how_to_make_one(home: Path, digest: Digest) -> None:
    assert "'digest newsletter add' makes one" in digest("sign-ups").well().out
