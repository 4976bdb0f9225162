"""`digest throttle` and quiet hours by command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


def test_what_is_slowed_down_is_shown_for_people_and_programs(
    weekly: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = digest("throttle", "show").well().out
    assert "Nothing is capped: see rate_limits" in shown
    assert "nobody is slowed down" in shown
    monkeypatch.setenv("DIGEST_RATE_LIMITS", "100/s, google: 20/s")
    monkeypatch.setenv("DIGEST_WARM_UP_FROM", "2026-11-23")
    digest("newsletter", "change", "weekly", "--quiet-hours", "22:00-07:00").well()
    digest("throttle", "pause", "Google", "--why", "our address is being delisted").well()
    shown = digest("throttle", "show").well().out
    for words in (
        "everything",
        "100/s",
        "google",
        "nothing",
        "being delisted",
        "Warm-up since",
        "22:00-07:00",
    ):
        assert words in shown, words
    report = digest("throttle", "show", "--json").json
    assert [(one["whom"], one["cap"]) for one in report["caps"]] == [
        ("everything", "100/s"),
        ("google", "20/s"),
    ]
    assert report["groups"][0]["paused_why"] == "our address is being delisted"
    assert report["warm_up"]["start"] == "2026-11-23"
    assert "google gets mail again: 0 mails" in digest("throttle", "resume", "google").well().out


def test_what_cannot_be_paused_or_resumed_is_told(weekly: Path, digest: Digest) -> None:
    digest("throttle", "pause", "gogle").refused(WRONG, "'gogle' is no group of receivers", "'google'")
    digest("throttle", "pause", "gmail.com").refused(WRONG, "mailed together with others as 'google'")
    digest("throttle", "pause", "google", "--why", " ").refused(WRONG, "--why is empty")
    digest("throttle", "resume", "yahoo").refused(WRONG, "yahoo is not paused")


def test_quiet_hours_are_shown_changed_and_taken_away(weekly: Path, digest: Digest) -> None:
    change = ("newsletter", "change", "weekly", "--quiet-hours")
    digest(*change, "22:00-07:00").well()
    assert "22:00-07:00" in digest("newsletter", "show", "weekly").well().out
    assert digest("newsletter", "show", "weekly", "--json").json["quiet_hours"] == "22:00-07:00"
    digest(*change, "late").refused(WRONG, "'late' are no hours", "22:00-07:00")
    digest(*change, "07:00-07:00").refused(WRONG, "ends when it begins")
    digest(*change, "").well()
    assert digest("newsletter", "show", "weekly", "--json").json["quiet_hours"] is None
