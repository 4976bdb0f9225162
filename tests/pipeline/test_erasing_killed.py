"""An erasure whose process is killed at any moment is carried out to its end, and its order is never lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, func, select

from digest.domain.errors import NotFound
from digest.pipeline.erasing import erase_address, finish_erasures
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasure_orders import ErasureOrderRow
from digest.store.erasures import is_erased
from tests.pipeline.controlled import Controlled
from tests.pipeline.press import Clock
from tests.stored import NOW
from tests.stores_searched import columns_that_hold

ADA = "r0@example.org"


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
