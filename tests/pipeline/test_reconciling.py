"""A mail server's log settles what is open and counts what bounced, once, and only of ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from digest.deliver.reconcile import Reconciled
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import IssueId
from digest.pipeline.reconciling import LogReconciled, reconcile_logs
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.returned import Effect, Returned, list_returned
from digest.store.suppressions import find_suppression
from tests.deliver.logs.samples import TOLD, bounced, postfix
from tests.readership import Readership

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ARMED = datetime(2026, 11, 23, 7, 0, 1, 500_000, tzinfo=UTC)


class Sent:
    """A reader with two issues whose outcome is open, and the mail server's log."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.log = folder / "mail.log"
        ada = Readership(engine)
        ada.sent(), ada.sent()
        with writing(engine) as session:
            session.execute(update(DeliveryRow).values(state=DeliveryState.UNKNOWN, armed_at=ARMED))
            rows = session.execute(
                select(DeliveryRow.issue_id, DeliveryRow.message_id).order_by(DeliveryRow.id)
            )
            (self.first, self.one), (self.second, self.two) = rows.all()

    def reconcile(self, lines: Iterable[str], **options: object) -> LogReconciled:
        self.log.write_text("".join(lines))
        settings = Settings(database_url=self.engine.url.render_as_string(hide_password=False))
        runtime = Runtime(settings, clock=lambda: NOW)
        try:
            return reconcile_logs(runtime, [str(self.log)], zone=UTC, **options)  # type: ignore[arg-type]
        finally:
            runtime.engine.dispose()

    @property
    def states(self) -> list[str]:
        with reading(self.engine) as session:
            return list(session.scalars(select(DeliveryRow.state).order_by(DeliveryRow.id)))

    @property
    def returned(self) -> tuple[Returned, ...]:
        with reading(self.engine) as session:
            return list_returned(session, limit=9)


@pytest.fixture
def sent(engine: Engine, tmp_path: Path) -> Sent:
    return Sent(engine, tmp_path)


ACCEPTED, UNKNOWN, PENDING = DeliveryState.ACCEPTED, DeliveryState.UNKNOWN, DeliveryState.PENDING


def test_a_log_settles_every_issue_and_counts_what_bounced_once(sent: Sent) -> None:
    lines = [
        *postfix("A1", sent.one, end=bounced()),
        *postfix("A2", "<7.7.0123456789ab@example.org>", end=bounced()),
    ]
    done = sent.reconcile(lines)
    assert done.issues == {sent.first: Reconciled(1, 0, 0), sent.second: Reconciled(0, 0, 1)}
    assert (done.bounces, done.effects, done.known, done.strange) == (2, {Effect.SUPPRESSED: 1}, 0, 1)
    assert sent.states == [ACCEPTED, UNKNOWN]
    (told,) = sent.returned
    assert (told.via, told.email, told.issue_id, told.status) == (
        "log",
        "ada@example.org",
        sent.first,
        "5.1.1",
    )
    assert told.detail == TOLD
    with reading(sent.engine) as session:
        assert find_suppression(session, "ada@example.org")
    again = sent.reconcile(lines)
    assert (again.effects, again.known, len(sent.returned)) == ({}, 1, 1)


def test_with_a_complete_log_the_rest_is_sent_again_where_it_covers_their_time(sent: Sent) -> None:
    taken = postfix("A1", sent.one)
    later = datetime(2026, 11, 23, 7, 0, 3, tzinfo=UTC)
    with writing(sent.engine) as session:
        is_second = DeliveryRow.message_id == sent.two
        session.execute(update(DeliveryRow).where(is_second).values(armed_at=later))
    with pytest.raises(Conflict, match=f"mails of issue {sent.second} were sent 2026-11-23 07:00:03"):
        sent.reconcile([*taken, *postfix("A9", sent.one, end=bounced())], complete=True)
    assert (sent.states, sent.returned) == ([UNKNOWN, UNKNOWN], ())
    done = sent.reconcile([*taken, *postfix("A9", "<x@example.net>", clock="07:00:04")], complete=True)
    assert done.issues[IssueId(sent.second)] == Reconciled(0, 1, 0)
    assert sent.states == [ACCEPTED, PENDING]


def test_one_issue_s_mails_alone_are_looked_at(sent: Sent) -> None:
    lines = [*postfix("A1", sent.one, end=bounced()), *postfix("A2", sent.two, end=bounced())]
    done = sent.reconcile(lines, issue_id=IssueId(sent.second))
    assert (list(done.issues), done.bounces) == ([sent.second], 1)
    assert sent.states == [UNKNOWN, ACCEPTED]
    with pytest.raises(NotFound):
        sent.reconcile(lines, issue_id=IssueId(sent.second + 7))


def test_a_dry_run_tells_the_same_and_changes_nothing(sent: Sent) -> None:
    lines = postfix("A1", sent.one, end=bounced("5.2.2", "552 5.2.2 full"))
    trial = sent.reconcile(lines, complete=True, is_trial=True)
    assert (sent.states, sent.returned) == ([UNKNOWN, UNKNOWN], ())
    assert sent.reconcile(lines, complete=True) == trial
    assert trial.effects == {Effect.COUNTED: 1}
