"""Evidence settles what a server left open, whatever has become of the issue meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select, update

from benchmarks.readers import Size, sending_issue
from digest.deliver.reconcile import Reconciled, message_ids, reconcile
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
        session.execute(update(DeliveryRow).values(state=DeliveryState.UNKNOWN))
    with reading(engine) as session:
        return issue_id, list(session.scalars(select(DeliveryRow.message_id).order_by(DeliveryRow.id)))


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue_id).items() if count}


def test_what_the_log_names_was_accepted_and_the_rest_stays_unknown(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    done = reconcile(engine, issue_id, accepted=ids[:4], complete=False, now=NOW)
    assert done == Reconciled(accepted=4, again=0, unknown=2)


def test_a_complete_log_sends_what_it_does_not_name_again(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    assert finish_issue(engine, issue_id, now=NOW)
    done = reconcile(engine, issue_id, accepted=ids[:4], complete=True, now=NOW)
    assert done == Reconciled(accepted=4, again=2, unknown=0)
    with reading(engine) as session:
        assert get_issue(session, issue_id).state is IssueState.SENDING
    assert not finish_issue(engine, issue_id, now=NOW)


def test_nothing_of_a_cancelled_issue_is_sent_again(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    with writing(engine) as session:
        change_issue(session, issue_id, IssueState.CANCELLED, now=NOW)
    assert reconcile(engine, issue_id, accepted=ids[:1], complete=True, now=NOW) == Reconciled(1, 0, 0)
    assert counts(engine, issue_id) == {DeliveryState.ACCEPTED: 1, DeliveryState.CANCELLED: 5}


def test_settling_twice_is_told(engine: Engine) -> None:
    issue_id, ids = unknown_issue(engine)
    reconcile(engine, issue_id, accepted=ids, complete=True, now=NOW)
    with pytest.raises(Conflict, match="nothing to settle"):
        reconcile(engine, issue_id, accepted=ids, complete=True, now=NOW)


def test_message_ids_are_found_in_any_log() -> None:
    ours = b'{"message_id": "<1.3.ab@example.org>", "at": 1}\n\xff\xfe <not an id>\n'
    assert message_ids(ours) == {"<1.3.ab@example.org>"}


def test_postfix_naming_a_message_is_not_postfix_taking_it() -> None:
    """Killed between arm and dot, a worker leaves a cleanup line behind and nothing in the queue."""
    log = b"""\
Nov 23 07:00:01 mx postfix/smtpd[9]: 4F2A1C: client=localhost[127.0.0.1]
Nov 23 07:00:01 mx postfix/cleanup[8]: 4F2A1C: message-id=<taken@example.org>
Nov 23 07:00:01 mx postfix/qmgr[7]: 4F2A1C: from=<week@example.org>, size=38123, nrcpt=1 (queue active)
Nov 23 07:00:02 mx postfix/cleanup[8]: 5B3D2E: message-id=<never.accepted@example.org>
Nov 23 07:00:02 mx postfix/smtpd[9]: lost connection after DATA (38000 bytes) from localhost[127.0.0.1]
"""
    assert message_ids(log) == {"<taken@example.org>"}
