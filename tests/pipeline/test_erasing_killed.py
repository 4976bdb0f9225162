"""An erasure whose process is killed at any moment is carried out to its end, and its order is never lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from digest.domain.errors import NotFound, Unavailable
from digest.pipeline import erasing
from digest.pipeline.erasing import are_erasures_cut_short, erase_address, finish_erasures
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.audit import list_entries
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import TakenOut
from digest.store.erasure_orders import ErasureOrderRow, add_order, claim_order
from digest.store.erasures import is_erased
from digest.store.lists_without import Looked
from tests.pipeline.controlled import Controlled
from tests.pipeline.press import Clock
from tests.stored import NOW
from tests.stores_searched import columns_that_hold

ADA, BEN = "r0@example.org", "r1@example.org"


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    send = Controlled.stored(engine, tmp_path)
    send.address()
    return send


def erase_and_die(settings: Settings, at: int) -> None:
    """Erase her, and be killed before the commit of this number."""
    runtime = Runtime(settings, Clock())
    commits = 0

    @event.listens_for(runtime.engine, "commit")
    def die(connection: Connection) -> None:
        nonlocal commits
        commits += not connection.get_execution_options().get("digest_reading", False)
        if commits == at:
            os.kill(os.getpid(), signal.SIGKILL)

    erase_address(runtime, ADA, by="Cy")


def killed(send: Controlled, at: int) -> bool:
    child = multiprocessing.get_context("fork").Process(
        target=erase_and_die, args=(send.runtime.settings, at), daemon=True
    )
    child.start()
    child.join(60)
    return child.exitcode == -signal.SIGKILL


def orders(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(ErasureOrderRow)) or 0


@pytest.mark.parametrize("at", [2, 3, 4, 5])
def test_what_a_kill_cut_short_is_carried_out(send: Controlled, at: int) -> None:
    assert killed(send, at)
    assert orders(send.engine) == 1
    if at > 2:
        # As addressing would have stored it, which saw her before: the second half is about that.
        with writing(send.engine) as session:
            hers = session.scalars(select(DeliveryRow).where(DeliveryRow.email == "")).one()
            hers.email, hers.email_key = ADA, ADA
    finish_erasures(send.runtime)
    assert orders(send.engine) == 1, "whoever carries it out has a minute"
    send.clock.now = NOW + timedelta(minutes=2)
    finish_erasures(send.runtime)
    assert orders(send.engine) == 0
    if at < 5:
        assert columns_that_hold(send.engine, ADA) == []
    with reading(send.engine) as session:
        assert is_erased(session, send.runtime.erasure_keys, ADA)
        assert [entry.by for entry in list_entries(session, limit=9)].count("Cy") == 1, "erased once"


def test_before_the_order_is_there_nothing_is_done(send: Controlled) -> None:
    before = columns_that_hold(send.engine, ADA)
    assert killed(send, 1)
    assert (orders(send.engine), columns_that_hold(send.engine, ADA)) == (0, before)


def test_whoever_lives_leaves_no_order(send: Controlled) -> None:
    assert not killed(send, 99)
    assert orders(send.engine) == 0
    with pytest.raises(NotFound, match="was erased before"):
        erase_address(send.runtime, ADA, by="Cy")
    with pytest.raises(NotFound, match="nothing is stored of this address"):
        erase_address(send.runtime, "nobody@example.org", by="Cy")
    assert orders(send.engine) == 0


def given_minutes_ago(send: Controlled, *emails: str) -> list[int]:
    with writing(send.engine) as session:
        given = [add_order(session, email, by="Cy", now=NOW).id for email in emails]
    send.clock.now = NOW + timedelta(minutes=2)
    return given


@pytest.mark.parametrize(
    ("error", "reason"), [(MemoryError(), "a fault in Digest"), (Unavailable("the disk is full"), "the disk")]
)
def test_one_that_fails_is_told_and_the_next_goes_on(
    send: Controlled, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    first, _ = given_minutes_ago(send, ADA, BEN)
    take_out = erasing.take_reader_out

    def fail_at_her(session: Session, email: str, lists: Looked | None) -> TakenOut:
        if email == ADA:
            raise error
        return take_out(session, email, lists)

    monkeypatch.setattr(erasing, "take_reader_out", fail_at_her)
    with capture_logs() as logs:
        finish_erasures(send.runtime)
    (told,) = [line for line in logs if line["event"] == "erasure.failed"]
    assert (told["order"], told["log_level"], reason in told["reason"]) == (first, "error", True)
    assert columns_that_hold(send.engine, BEN) == []
    assert columns_that_hold(send.engine, ADA) != []
    assert are_erasures_cut_short(send.runtime)
    monkeypatch.undo()
    finish_erasures(send.runtime)
    assert columns_that_hold(send.engine, ADA) == []
    assert not are_erasures_cut_short(send.runtime)


def test_a_worker_without_a_key_says_what_it_lacks_and_takes_nobody_out(send: Controlled) -> None:
    given_minutes_ago(send, ADA)
    before = columns_that_hold(send.engine, ADA)
    settings = send.runtime.settings.model_copy(update={"secret_key": SecretStr("")})
    keyless = Runtime(settings, send.clock)
    with capture_logs() as logs:
        finish_erasures(keyless)
    assert "DIGEST_ERASURE_KEY" in next(line["reason"] for line in logs if line["event"] == "erasure.failed")
    assert columns_that_hold(send.engine, ADA) == before


def test_a_worker_that_is_told_to_stop_begins_no_other(send: Controlled) -> None:
    given_minutes_ago(send, ADA)
    finish_erasures(send.runtime, should_stop=lambda: True)
    assert orders(send.engine) == 1


def test_one_that_somebody_is_still_at_is_left_to_them_at_once(
    migrated_postgres_url: str, tmp_path: Path
) -> None:
    send = Controlled.stored(open_engine(migrated_postgres_url), tmp_path)
    first, _ = given_minutes_ago(send, ADA, BEN)
    with writing(send.engine) as session:
        assert claim_order(session, first) is not None
        finish_erasures(send.runtime)
        assert columns_that_hold(send.engine, BEN) == []
    assert orders(send.engine) == 1, "theirs alone is left"
    send.engine.dispose()
