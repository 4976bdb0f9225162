"""`digest issue check`, and an approval that it holds back."""

from pathlib import Path

import pytest

from digest.cli.main import FAILED, WRONG
from tests.cli.conftest import Digest


@pytest.fixture(autouse=True)
def _no_spamassassin(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds, and is tried in tests of its own."""
    monkeypatch.setattr("digest.deliver.spam.shutil.which", lambda _name: None)


@pytest.mark.usefixtures("drafted")
def test_a_check_counts_editions_and_readers_and_ends_well_without_errors(digest: Digest) -> None:
    told = digest("issue", "check", "1", "--no-fetch").well().out
    assert told.startswith("Issue 1: 2 editions, 2 readers. Links and pictures were not looked at.\n")
    assert "warning: unsubscribe and preferences lead to http://127.0.0.1:8000" in told
    answer = digest("issue", "check", "1", "--no-fetch", "--json").well().json
    assert (answer["issue"], answer["editions"], answer["readers"], answer["errors"]) == (1, 2, 2, 0)
    assert set(answer["findings"][0]) == {"severity", "what", "where", "next", "editions", "readers"}


@pytest.mark.usefixtures("drafted")
def test_links_are_looked_at_unless_that_is_not_wanted(digest: Digest) -> None:
    answer = digest("issue", "check", "1", "--json").json
    assert answer["links"] > 0
    assert (answer["not_looked_at"], answer["looked_at"] is None) == (0, False)
    assert any("no spam score" in one["what"] for one in answer["findings"])


@pytest.mark.usefixtures("drafted")
def test_errors_end_the_check_with_one_and_hold_the_approval(digest: Digest) -> None:
    digest("issue", "edit", "1", "--intro", "Dear {{ name }}").well()
    checked = digest("issue", "check", "1", "--no-fetch")
    assert checked.code == FAILED
    assert "error: '{{ name }}' looks like a placeholder" in checked.out
    digest("issue", "approve", "1", "--by", "Edda").refused(
        WRONG, "1 error: '{{ name }}'", "--despite-errors"
    )
    digest("issue", "approve", "1", "--despite-errors").refused(WRONG, "--despite-errors wants --by NAME")
    assert digest("issue", "show", "1", "--json").json["issue"]["state"] == "draft"
    assert "stays a draft" in digest("run", "weekly", "--approve", "Edda").out
    digest("issue", "approve", "1", "--despite-errors", "--by", "Edda").well()
    assert "approved by Edda despite 1 error" in digest("issue", "show", "1").well().out


def test_what_is_not_there_cannot_be_checked(home: Path, digest: Digest) -> None:
    digest("issue", "check", "1").refused(WRONG, "no issue 1")
