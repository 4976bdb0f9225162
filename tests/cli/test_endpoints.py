"""Endpoints by command: added with a secret shown once, tried, paused, told again, removed."""

from __future__ import annotations

from pathlib import Path

from digest.domain.endpoints import EventKind
from tests.cli.conftest import WRONG, Digest

URL = "https://hooks.example.org/digest"


def test_an_endpoint_is_added_tried_and_removed(weekly: Path, digest: Digest) -> None:
    assert "No program is told anything yet" in digest("endpoint", "list").well().out
    made = digest("endpoint", "add", URL, "--event", "issue.sent", "--about", "chat", "--by", "Ada").well()
    secret, told = made.out.split("\n", 1)
    assert secret.startswith("whsec_")
    assert "told of issue.sent" in told
    assert secret not in digest("endpoint", "list", "--json").well().out
    (listed,) = digest("endpoint", "list", "--json").json
    assert (listed["about"], listed["made_by"], listed["is_off"]) == ("chat", "Ada", False)
    assert "told nothing yet" in digest("endpoint", "log", "1").well().out
    digest("endpoint", "test", "1").well()
    (call,) = digest("endpoint", "log", "1", "--json").json
    assert (call["kind"], call["state"]) == (EventKind.ENDPOINT_TESTED, "waiting")
    digest("endpoint", "again", "1", "1").refused(WRONG, "waits for its next try")
    assert "told nothing" in digest("endpoint", "pause", "1").well().out
    assert "given up" in digest("endpoint", "log", "1").well().out
    digest("endpoint", "resume", "1").well()
    digest("endpoint", "again", "1", "1").well()
    assert "waiting" in digest("endpoint", "log", "1").well().out
    assert digest("endpoint", "rotate", "1").well().out.split("\n", 1)[0] != secret
    changed = digest("endpoint", "change", "1", "--event", "delivery.failed", "--event", "issue.sent").well()
    assert "delivery.failed, issue.sent" in changed.out
    digest("endpoint", "remove", "1", "--yes").well()
    digest("endpoint", "test", "1").refused(WRONG, "no endpoint 1")


def test_an_endpoint_that_cannot_be_is_refused(weekly: Path, digest: Digest) -> None:
    digest("endpoint", "add", URL).refused(WRONG, "told of one kind or more")
    digest("endpoint", "add", URL, "--event", "issue.read").refused(WRONG, "'issue.read' is not a kind")
    digest("endpoint", "add", "http://x.example.org/", "--event", "issue.sent").refused(WRONG, "use https")
    digest("endpoint", "change", "1").refused(WRONG, "nothing to change")
    digest("endpoint", "change", "1", "--about", "x").refused(WRONG, "no endpoint 1")
    assert digest("endpoint", "list", "--json").json == []
