"""An erasure whose process is killed at any moment is carried out to its end, and its order is never lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from digest.domain.erasing import GOES_ON
from digest.domain.errors import NotFound, Unavailable
from digest.domain.reader_lists import ListTerms, ReaderListId
from digest.pipeline import erasing, erasing_lists
from digest.pipeline.erasing import are_erasures_cut_short, erase_address, finish_erasures
from digest.pipeline.reader_lists import upload
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.audit import list_entries
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.erasing import TakenOut
from digest.store.erasure_orders import ErasureOrder, ErasureOrderRow, add_order, claim_order, take_order
from digest.store.erasures import is_erased
from digest.store.lists_without import Rest, Whole, find_whole
from digest.store.reader_lists import ReaderListRow, add_reader_list
from digest.store.subscribers import ids_of
from tests.pipeline.controlled import Controlled
from tests.pipeline.press import Clock
from tests.stored import NOW
from tests.stores_searched import columns_that_hold

ADA, BEN = "r0@example.org", "r1@example.org"


LISTED = f"email,street\n{ADA},5 Lighthouse Road\n{BEN},Quay 1\n"
REST = f"email,street\n{BEN},Quay 1\n"


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    """Her mail waits, and two lists that were uploaded name her."""
    send = Controlled.stored(engine, tmp_path)
    send.address()
    for name in ("one.csv", "two.csv"):
        upload(send.runtime, send.newsletter.slug, name, LISTED.encode(), ListTerms(), by="Dan")
    return send


def lists(engine: Engine) -> list[str]:
    with reading(engine) as session:
        packed = session.scalars(select(ReaderListRow.content).order_by(ReaderListRow.id)).all()
    return [zlib.decompress(content or b"").decode() for content in packed]


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


ORDERED, ONE_LIST, BOTH_LISTS, TAKEN_OUT, WAITED, TWICE, ENDED = range(1, 8)
"""The commits of an erasure, in their order."""


@pytest.mark.parametrize("at", [ONE_LIST, BOTH_LISTS, TAKEN_OUT, WAITED, TWICE, ENDED])
def test_what_a_kill_cut_short_is_carried_out(send: Controlled, at: int) -> None:
    assert killed(send, at)
    assert orders(send.engine) == 1
    done = min(at, TAKEN_OUT) - ONE_LIST
    assert lists(send.engine) == [REST] * done + [LISTED] * (2 - done)
    if at > TAKEN_OUT:
        # As addressing would have stored it, which saw her before: the second half is about that.
        with writing(send.engine) as session:
            hers = session.scalars(select(DeliveryRow).where(DeliveryRow.email == "")).one()
            hers.email, hers.email_key = ADA, ADA
    finish_erasures(send.runtime)
    assert orders(send.engine) == 1, "whoever carries it out has five minutes"
    assert not are_erasures_cut_short(send.runtime)
    send.clock.now = NOW + timedelta(minutes=6)
    assert are_erasures_cut_short(send.runtime)
    finish_erasures(send.runtime)
    assert orders(send.engine) == 0
    assert lists(send.engine) == [REST, REST]
    if at < ENDED:
        assert columns_that_hold(send.engine, ADA) == []
    with reading(send.engine) as session:
        assert is_erased(session, send.runtime.erasure_keys, ADA)
        assert [entry.by for entry in list_entries(session, limit=9)].count("Cy") == 1, "erased once"


def test_before_the_order_is_there_nothing_is_done(send: Controlled) -> None:
    before = columns_that_hold(send.engine, ADA)
    assert killed(send, ORDERED)
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
        given = [add_order(session, email, by="Cy", now=NOW, lease_until=None).id for email in emails]
    send.clock.now = NOW + timedelta(minutes=2)
    return given


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lists that were looked through."""
    numbers: list[int] = []

    def find(session: Session, number: ReaderListId) -> Whole | None:
        numbers.append(number)
        return find_whole(session, number)

    monkeypatch.setattr(erasing_lists, "find_whole", find)
    return numbers


def test_of_two_workers_one_looks_through_the_lists(send: Controlled, looked: list[int]) -> None:
    given_minutes_ago(send, ADA)
    both = threading.Barrier(2)

    def work() -> None:
        both.wait(30)
        finish_erasures(send.runtime)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work), pool.submit(work)]:
            done.result()
    assert len(looked) == len(set(looked)) == 2
    assert orders(send.engine) == 0
    assert columns_that_hold(send.engine, ADA) == []


def test_while_one_looks_through_the_lists_others_leave_it_alone(
    send: Controlled, looked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = erasing_lists.put_rest

    def somebody_else_comes(session: Session, number: ReaderListId, rest: Rest) -> bool:
        send.clock.now += timedelta(minutes=4)
        return put(session, number, rest)

    monkeypatch.setattr(erasing_lists, "put_rest", somebody_else_comes)
    with writing(send.engine) as session:
        add_order(session, BEN, by="Cy", now=NOW, lease_until=NOW + timedelta(minutes=5))
    assert erase_address(send.runtime, ADA, by="Cy").mentions == 2
    assert len(looked) == len(set(looked)) == 2
    assert are_erasures_cut_short(send.runtime), "the other's order has not been renewed"


def test_one_that_slept_past_its_lease_leaves_it_to_who_took_it_up(
    send: Controlled, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[ReaderListId] = []

    def sleep(session: Session, number: ReaderListId) -> Whole | None:
        if not slept:
            slept.append(number)
            send.clock.now += timedelta(minutes=6)
            finish_erasures(send.runtime)
        return find_whole(session, number)

    monkeypatch.setattr(erasing_lists, "find_whole", sleep)
    assert erase_address(send.runtime, ADA, by="Cy") == GOES_ON
    assert (orders(send.engine), columns_that_hold(send.engine, ADA)) == (0, [])


def test_an_order_of_the_same_address_is_one(send: Controlled, looked: list[int]) -> None:
    until = NOW + timedelta(minutes=5)
    with writing(send.engine) as session:
        add_order(session, ADA, by="Cy", now=NOW, lease_until=until)
    assert erase_address(send.runtime, ADA.upper(), by="Dan") == GOES_ON
    assert (orders(send.engine), looked) == (1, []), "who is at it is left to it"
    send.clock.now = until + timedelta(seconds=1)
    assert erase_address(send.runtime, ADA.upper(), by="Dan").mentions == 2
    assert (orders(send.engine), columns_that_hold(send.engine, ADA)) == (0, [])
    with reading(send.engine) as session:
        assert "Cy" in {entry.by for entry in list_entries(session, limit=9)}, "they were first"


def test_an_order_about_another_reader_of_that_address_is_another(send: Controlled) -> None:
    until = NOW + timedelta(minutes=5)
    with writing(send.engine) as session:
        ada, ben = (ids_of(session, [email])[email] for email in (ADA, BEN))
        first = add_order(session, ADA, by="Cy", now=NOW, lease_until=until, subscriber_id=ada)
        for email, who in ((BEN, ada), (ADA, ada), (ADA, None)):
            taken = take_order(session, email, by="Dan", now=NOW, lease_until=until, subscriber_id=who)
            assert taken is None, "Cy is at it"
        other = take_order(session, ADA, by="Dan", now=NOW, lease_until=until, subscriber_id=ben)
        assert other is not None
        assert other.id != first.id


def test_what_has_no_room_is_kept_and_goes_on(send: Controlled, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(session: Session, number: ReaderListId) -> Whole | None:
        raise Unavailable("there is no room in /tmp")

    monkeypatch.setattr(erasing_lists, "find_whole", full)
    with capture_logs() as logs:
        assert erase_address(send.runtime, ADA, by="Cy") == GOES_ON
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("erasure.failed", "there is no room in /tmp")
    ]
    monkeypatch.undo()
    assert are_erasures_cut_short(send.runtime)
    finish_erasures(send.runtime)
    assert (orders(send.engine), columns_that_hold(send.engine, ADA)) == (0, [])


def test_one_that_fails_in_the_middle_of_the_lists_is_taken_up_at_once(
    send: Controlled, monkeypatch: pytest.MonkeyPatch, looked: list[int]
) -> None:
    def interrupt(session: Session, order: ErasureOrder) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(erasing_lists, "count_list", interrupt)
    with pytest.raises(KeyboardInterrupt):
        erase_address(send.runtime, ADA, by="Cy")
    monkeypatch.undo()
    assert lists(send.engine) == [LISTED, LISTED]
    finish_erasures(send.runtime)
    assert (orders(send.engine), columns_that_hold(send.engine, ADA)) == (0, [])


def test_a_worker_that_is_told_to_stop_between_lists_gives_the_order_back(send: Controlled) -> None:
    given_minutes_ago(send, ADA)
    answers = iter([False, False, True])
    finish_erasures(send.runtime, should_stop=lambda: next(answers))
    assert lists(send.engine) == [REST, LISTED]
    assert are_erasures_cut_short(send.runtime)
    finish_erasures(send.runtime)
    assert columns_that_hold(send.engine, ADA) == []


def test_a_list_that_comes_or_changes_meanwhile_loses_them_too(
    send: Controlled, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, came = erasing.hold, []

    def meanwhile(session: Session, order: ErasureOrder, *, now: datetime) -> ErasureOrder:
        if not came:
            came.append(
                add_reader_list(
                    session,
                    send.newsletter.id,
                    file="new.csv",
                    content=zlib.compress(LISTED.encode()),
                    terms=ListTerms(),
                    by="Cy",
                    now=NOW,
                )
            )
        return hold(session, order, now=now)

    monkeypatch.setattr(erasing, "hold", meanwhile)
    assert erase_address(send.runtime, ADA, by="Cy").mentions == 3
    assert lists(send.engine) == [REST] * 3


@pytest.mark.parametrize(
    ("error", "reason"), [(MemoryError(), "a fault in Digest"), (Unavailable("the disk is full"), "the disk")]
)
def test_one_that_fails_is_told_and_the_next_goes_on(
    send: Controlled, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    first, _ = given_minutes_ago(send, ADA, BEN)
    take_out = erasing.take_reader_out

    def fail_at_her(session: Session, email: str) -> TakenOut:
        if email == ADA:
            raise error
        return take_out(session, email)

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
        assert claim_order(session, first, now=send.clock(), lease_until=send.clock()) is not None
        finish_erasures(send.runtime)
        assert columns_that_hold(send.engine, BEN) == []
    assert orders(send.engine) == 1, "theirs alone is left"
    send.engine.dispose()
