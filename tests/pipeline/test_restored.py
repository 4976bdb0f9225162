"""A database that is older than what was sent from it: nothing more is sent before a person says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from digest.deliver.reconcile import Reconciled
from digest.deliver.steps import Pace
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, Misconfigured
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.pipeline import control, restored
from digest.pipeline.reconciling import reconcile_logs
from digest.pipeline.restored import hold_if_restored
from digest.pipeline.sending import open_issues, send
from digest.runtime import Runtime
from digest.store.database import open_engine, reading, writing
from digest.store.holds import open_holds
from digest.store.newsletters import remove_newsletter
from digest.store.trouble import sqlite_file
from tests.pipeline.controlled import Controlled


@pytest.fixture
def sending(engine: Engine, tmp_path: Path) -> Iterator[Controlled]:
    """An issue that is approved."""
    found = Controlled.stored(engine, tmp_path)
    yield found
    found.engine.dispose()


def put_back(sending: Controlled) -> None:
    """Let the deliveries forget that they were sent, as a copy from before would."""
    with writing(sending.engine) as session:
        session.execute(
            text(
                "UPDATE deliveries SET state = 'pending', fence = 0, armed_at = NULL, settled_at = NULL, "
                "attempts = 0"
            )
        )
        session.execute(text("UPDATE issues SET state = 'sending', ended_at = NULL"))


def copies(tmp_path: Path) -> int:
    return len(list((tmp_path / "outbox" / "new").glob("*")))


def test_a_send_after_a_send_is_nothing_strange(sending: Controlled, tmp_path: Path) -> None:
    send(sending.runtime, sending.issue.id)
    assert (sending.now.state, copies(tmp_path)) == (IssueState.SENT, 4)
    hold_if_restored(sending.runtime)
    with reading(sending.engine) as session:
        assert open_holds(session) == ()


def test_an_older_copy_sends_nothing_until_a_person_lets_it(sending: Controlled, tmp_path: Path) -> None:
    send(sending.runtime, sending.issue.id)
    put_back(sending)
    for _ in range(2):
        assert open_issues(sending.runtime) == ()
        with pytest.raises(Conflict, match=r"an older copy.* 'digest resume' lets it go on"):
            send(sending.runtime, sending.issue.id)
    assert copies(tmp_path) == 4
    (held,) = control.let_go(sending.runtime, by="Ada")
    assert f"does not know of mails of issue {sending.issue.id}" in held.why
    sending.clock.pass_(seconds=1)
    assert open_issues(sending.runtime) == ()
    with pytest.raises(Conflict, match="sent"):
        send(sending.runtime, sending.issue.id)
    assert (copies(tmp_path), sending.states) == (4, {DeliveryState.UNKNOWN: 4})


def test_the_mail_server_s_log_tells_an_older_copy_who_has_it(sending: Controlled, tmp_path: Path) -> None:
    sending.clock.pass_(minutes=-10)
    send(sending.runtime, sending.issue.id)
    put_back(sending)
    sending.clock.pass_(minutes=5)
    hold_if_restored(sending.runtime)
    with reading(sending.engine) as session:
        ids = sorted(session.scalars(text("SELECT message_id FROM deliveries")))
    log = tmp_path / "taken.log"
    log.write_text("\n".join(ids[:3]))
    done = reconcile_logs(sending.runtime, [str(log)], complete=True)
    assert done.issues == {sending.issue.id: Reconciled(3, 1, 0)}
    control.let_go(sending.runtime, by="Ada")
    sending.clock.pass_(seconds=1)
    send(sending.runtime, sending.issue.id)
    assert (copies(tmp_path), sending.states) == (5, {DeliveryState.ACCEPTED: 4})


def test_a_copy_of_a_moment_in_the_middle_of_a_send_is_told_too(sending: Controlled) -> None:
    sending.address()
    send(sending.runtime, sending.issue.id)
    with writing(sending.engine) as session:
        # As claimed, but not armed yet.
        session.execute(text("UPDATE deliveries SET state = 'claimed', armed_at = NULL, settled_at = NULL"))
    hold_if_restored(sending.runtime)
    with reading(sending.engine) as session:
        assert len(open_holds(session)) == 1


def test_a_replica_that_takes_over_in_the_middle_is_noticed_before_the_next_batch(
    sending: Controlled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("digest.pipeline.sending.Pace", lambda sessions: Pace(sessions=1, batch=2))
    looks = 0

    def fall_back(runtime: Runtime) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:  # after those before the send and before the first batch
            put_back(sending)
        hold_if_restored(runtime)

    sending.address()
    monkeypatch.setattr("digest.pipeline.sending.hold_if_restored", fall_back)
    send(sending.runtime, sending.issue.id)
    assert copies(tmp_path) == 2
    with reading(sending.engine) as session:
        assert len(open_holds(session)) == 1


def test_an_sqlite_file_that_was_put_back_is_held(tmp_path: Path, sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    found = Controlled.stored(engine, tmp_path)
    file = sqlite_file(engine)
    assert file is not None
    engine.dispose()
    found.engine.dispose()
    shutil.copy(file, tmp_path / "backup.db")
    send(found.runtime, found.issue.id)
    found.engine.dispose()
    for left in tmp_path.glob("digest.db-*"):
        left.unlink()
    (tmp_path / "backup.db").replace(file)
    assert found.now.state is IssueState.APPROVED
    assert open_issues(found.runtime) == ()
    with pytest.raises(Conflict, match="an older copy"):
        send(found.runtime, found.issue.id)
    assert copies(tmp_path) == 4
    found.engine.dispose()


def test_a_newsletter_that_was_removed_is_not_missed(sending: Controlled) -> None:
    send(sending.runtime, sending.issue.id)
    with writing(sending.engine) as session:
        remove_newsletter(session, NewsletterId(sending.newsletter.id))
    hold_if_restored(sending.runtime)
    with reading(sending.engine) as session:
        assert open_holds(session) == ()


def test_another_database_has_nothing_to_do_with_the_marks_of_this_one(sending: Controlled) -> None:
    send(sending.runtime, sending.issue.id)
    put_back(sending)
    with writing(sending.engine) as session:
        session.execute(text("UPDATE homes SET identity = 'another'"))
    hold_if_restored(sending.runtime)
    with reading(sending.engine) as session:
        assert open_holds(session) == ()


def test_a_database_on_another_server_or_timeline_is_held_once(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    engine = open_engine(migrated_postgres_url)
    found = Controlled.stored(engine, tmp_path)
    hold_if_restored(found.runtime)
    with writing(engine) as session:
        place = session.scalar(text("SELECT place FROM homes"))
        assert place.count("/") == 2
        session.execute(text("UPDATE homes SET place = '7000000000000000001/5/00000001'"))
    assert open_issues(found.runtime) == ()
    (held,) = control.let_go(found.runtime, by="Ada")
    assert "another PostgreSQL server" in held.why
    assert open_issues(found.runtime) == (found.issue.id,)
    found.engine.dispose()
    engine.dispose()


def test_a_host_that_knows_what_was_sent_says_so_though_another_has_held_everything_before(
    sending: Controlled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(restored, "place_of", lambda _: "1/5/00000001")
    send(sending.runtime, sending.issue.id)
    put_back(sending)
    monkeypatch.setattr(restored, "place_of", lambda _: "1/5/00000002")
    with monkeypatch.context() as on_another_host:
        on_another_host.setattr(restored, "read_marks", lambda _: ())
        hold_if_restored(sending.runtime)
        assert sending.states == {DeliveryState.PENDING: 4}
    for _ in range(2):
        hold_if_restored(sending.runtime)
        assert sending.states == {DeliveryState.UNKNOWN: 4}
    assert control.resend(sending.runtime, sending.issue.id, [DeliveryState.UNKNOWN], by="Ada") == 4
    hold_if_restored(sending.runtime)
    assert sending.states == {DeliveryState.PENDING: 4}, "what a person decided since is let be"
    (held,) = control.let_go(sending.runtime, by="Ada")
    assert "an older copy" in held.why


def test_a_state_folder_that_cannot_be_written_is_told_before_anything_is_sent(
    sending: Controlled, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(Misconfigured, match=r"state_dir: .* cannot be written"):
        send(sending.runtime, sending.issue.id)
    assert sending.states == {DeliveryState.PENDING: 4}
