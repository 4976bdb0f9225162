"""Evidence settles what a server left open, whatever has become of the issue meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update

from benchmarks.readers import Size, sending_issue
from digest.deliver.logs.evidence import Evidence
from digest.deliver.reconcile import Reconciled, reconcile
from digest.deliver.steps import finish_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict
from digest.domain.issues import IssueId, IssueState
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.issues import change_issue, get_issue

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SIX = Size(readers=6, topics=2, articles=2, follows=1)


def unknown_issue(engine: Engine) -> tuple[IssueId, list[str]]:
    """Return an issue whose every delivery is unknown, and their Message-IDs."""
    issue_id = sending_issue(engine, SIX)
    with writing(engine) as session:
        session.execute(update(DeliveryRow).values(state=DeliveryState.UNKNOWN, armed_at=NOW))
    with reading(engine) as session:
        return issue_id, list(session.scalars(select(DeliveryRow.message_id).order_by(DeliveryRow.id)))


def told(
    asked: Collection[str], taken: Collection[str], *, first: datetime = NOW, last: datetime = NOW
) -> Evidence:
    """A log that says so, of a time."""
    return Evidence(
        asked=frozenset(asked),
        taken=frozenset(taken),
        bounced=(),
        servers=frozenset({"Postfix"}),
        first=first,
        last=last,
        read_at=NOW,
        lines=9,
    )


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue_id).items() if count}


def test_what_the_log_names_was_accepted_and_the_rest_stays_unknown(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    done = reconcile(engine, issue_id, told(ids, ids[:4]), complete=False, now=NOW)
    assert done == Reconciled(accepted=4, again=0, unknown=2)


def test_a_complete_log_sends_what_it_does_not_name_again(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    assert finish_issue(engine, issue_id, now=NOW)
    done = reconcile(engine, issue_id, told(ids, ids[:4]), complete=True, now=NOW)
    assert done == Reconciled(accepted=4, again=2, unknown=0)
    with reading(engine) as session:
        assert get_issue(session, issue_id).state is IssueState.SENDING
    assert not finish_issue(engine, issue_id, now=NOW)


def test_nothing_of_a_cancelled_issue_is_sent_again(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    with writing(engine) as session:
        change_issue(session, issue_id, IssueState.CANCELLED, now=NOW)
    assert reconcile(engine, issue_id, told(ids, ids[:1]), complete=True, now=NOW) == Reconciled(1, 0, 0)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 1, DeliveryState.CANCELLED: 5}


def test_settling_twice_is_told(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    reconcile(engine, issue_id, told(ids, ids), complete=True, now=NOW)
    with pytest.raises(Conflict, match="nothing to settle"):
        reconcile(engine, issue_id, told(ids, ids), complete=True, now=NOW)


@pytest.mark.parametrize("late", [timedelta(seconds=-1), timedelta(minutes=1)])
def test_a_log_of_another_time_is_not_complete(late: timedelta, engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    covered = told(ids, ids[:4], first=NOW + min(late, timedelta()), last=NOW + max(late, timedelta()))
    with writing(engine) as session:
        session.execute(
            update(DeliveryRow).where(DeliveryRow.message_id == ids[5]).values(armed_at=NOW - 2 * late)
        )
    with pytest.raises(Conflict, match=r"the log covers 2026-11-23 0.*what it does not name"):
        reconcile(engine, issue_id, covered, complete=True, now=NOW)
    assert counts(engine, issue_id) == {DeliveryState.UNKNOWN: 6}
    assert reconcile(engine, issue_id, covered, complete=False, now=NOW) == Reconciled(4, 0, 2)


def test_what_became_unknown_after_the_log_was_searched_is_not_sent_again(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    done = reconcile(engine, issue_id, told(ids[:4], ids[:1]), complete=True, now=NOW)
    assert done == Reconciled(accepted=1, again=3, unknown=2)


def test_a_trial_tells_and_changes_nothing(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    done = reconcile(engine, issue_id, told(ids, ids[:4]), complete=True, now=NOW, is_trial=True)
    assert done == Reconciled(accepted=4, again=2, unknown=0)
    assert counts(engine, issue_id) == {DeliveryState.UNKNOWN: 6}
