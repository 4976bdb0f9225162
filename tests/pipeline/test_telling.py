"""What ops are told of a send that ended: once, and with what to do."""

from pathlib import Path

from sqlalchemy import Engine

from digest.domain.issues import IssueState
from digest.pipeline.sending import open_issues
from tests.pipeline.controlled import ACCEPTED, UNANSWERED, Controlled, alerts


def ended(engine: Engine, folder: Path, *, unanswered: int) -> Controlled:
    """A send of four readers that a worker finds ended."""
    sending = Controlled.stored(engine, folder, ops_email="ops@example.org")
    sending.address()
    sending.settle(*[UNANSWERED] * unanswered, *[ACCEPTED] * (4 - unanswered))
    open_issues(sending.runtime)
    assert sending.now.state is IssueState.SENT
    return sending


def test_mails_of_unknown_outcome_are_told_once_with_the_way_to_settle_them(
    engine: Engine, tmp_path: Path
) -> None:
    sending = ended(engine, tmp_path, unanswered=2)
    open_issues(sending.runtime)
    (told,) = alerts(tmp_path)
    assert "The mail server never answered the end of 2 mails" in told
    assert f"digest issue unknown {sending.issue.id}" in told
    assert f"digest issue reconcile {sending.issue.id} --log FILE" in told
    sending.engine.dispose()


def test_a_send_that_ended_well_wakes_nobody(engine: Engine, tmp_path: Path) -> None:
    sending = ended(engine, tmp_path, unanswered=0)
    assert alerts(tmp_path) == []
    sending.engine.dispose()
