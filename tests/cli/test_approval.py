"""`digest issue ask`, `approve` and `reopen`, and newsletters that want a second pair of eyes."""

from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


@pytest.fixture
def two_pairs(drafted: Path, digest: Digest) -> Path:
    digest("newsletter", "change", "weekly", "--second-eyes").well()
    return drafted


def test_a_second_pair_of_eyes_approves_what_the_first_asked_for(two_pairs: Path, digest: Digest) -> None:
    assert "manual, by a second pair of eyes" in digest("newsletter", "show", "weekly").well().out
    asked = digest("issue", "ask", "1", "--note", "the lead is new", "--by", "Ada").well().out
    assert "Ada asked for the approval of issue 1" in asked
    digest("issue", "approve", "1").refused(WRONG, "--by NAME says whose")
    digest("issue", "approve", "1", "--by", "Ada").refused(WRONG, "Ada asked for it")
    digest("issue", "approve", "1", "--by", "Ben").well()


def test_an_approval_is_taken_back_until_somebody_was_addressed(two_pairs: Path, digest: Digest) -> None:
    digest("issue", "reopen", "1").refused(WRONG, "issue 1 is a draft already")
    digest("issue", "approve", "1", "--by", "Ben").well()
    assert "Issue 1 is a draft again" in digest("issue", "reopen", "1").well().out
    assert "revision 2" in digest("issue", "approve", "1", "--by", "Ben").well().out


@pytest.mark.parametrize("approval", ["automatic", "deadline"])
def test_two_pairs_are_not_wanted_where_nobody_looks(approval: str, two_pairs: Path, digest: Digest) -> None:
    digest("newsletter", "change", "weekly", "--approval", approval).refused(WRONG, "asks nobody")
    assert "manual" in digest("newsletter", "show", "weekly").well().out
    digest("newsletter", "change", "weekly", "--approval", approval, "--one-pair").well()
